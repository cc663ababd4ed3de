import type { ContainerSummary } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { summaryBody, summaryText } from './container-body.ts'

const now = Date.parse('2026-01-01T00:10:00Z')

function summary(labels: Record<string, string> = {}): ContainerSummary {
  return {
    id: 'a'.repeat(64),
    name: 'web',
    image: 'busybox:1',
    imageId: 'sha256:1',
    command: ['sh', '-c', 'a b'],
    createdAt: '2026-01-01T00:00:00Z',
    state: { status: 'running', health: 'none', exitCode: 0, startedAt: '2026-01-01T00:05:00Z', finishedAt: null },
    labels,
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }],
    mounts: [],
    networks: [{ name: 'Status', id: 'n1', ipv4: '10.0.0.2', ipv6: '' }],
    networkMode: 'Status',
    sizeRwBytes: null,
    sizeRootFsBytes: null,
  } as unknown as ContainerSummary
}

describe('summaryText', () => {
  it('is the JSON of the body, whatever the labels say', () => {
    const tricky = summary({ Status: '', '"Status":""': '"}', é: '\u2028' })
    expect(summaryText(tricky, now, true)).toBe(JSON.stringify(summaryBody(tricky, now)))
  })

  it('keeps the words of a summary and moves its status with the clock', () => {
    const one = summary()
    expect(JSON.parse(summaryText(one, now, true)).Status).toBe('Up 5 minutes')
    expect(JSON.parse(summaryText(one, now + 3 * 3600_000, true)).Status).toBe('Up 3 hours')
  })

  it('shows the id as soon as the name means another image, and the name again when it is back', () => {
    const one = summary()
    const shown = (current: boolean) => JSON.parse(summaryText(one, now, current)).Image
    expect([shown(true), shown(false), shown(true)]).toEqual(['busybox:1', 'sha256:1', 'busybox:1'])
  })
})
