import { expect, it } from 'vitest'
import { familiarReference } from './familiar.ts'

it('shortens what everybody knows, and nothing else', () => {
  expect(familiarReference('docker.io/library/busybox:latest')).toBe('busybox:latest')
  expect(familiarReference('docker.io/grafana/grafana:11')).toBe('grafana/grafana:11')
  for (const kept of ['ghcr.io/team/app:2', 'docker.io', 'localhost:5000/library/x', 'demo', '']) expect(familiarReference(kept)).toBe(kept)
})
