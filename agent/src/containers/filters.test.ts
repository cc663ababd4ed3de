import { type ContainerSummary, containerSummary, limits, restartPolicy } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { compileFilters } from './filters.ts'

const web: ContainerSummary = containerSummary.parse({
  id: 'a'.repeat(64),
  name: 'web_1',
  image: 'nginx:1',
  imageId: 'sha256:1',
  command: ['nginx'],
  createdAt: '2026-01-02T00:00:00Z',
  state: {
    status: 'exited',
    exitCode: 3,
    signal: null,
    oomKilled: false,
    error: '',
    startedAt: 'x',
    finishedAt: 'y',
    restartCount: 0,
    pid: 0,
    health: 'none',
  },
  labels: { app: 'shop', tier: '' },
  ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
  mounts: [{ type: 'volume', name: 'data', source: '/v', destination: '/data', mode: '', readOnly: false, propagation: '' }],
  networks: [{ name: 'front', id: 'f'.repeat(64), ipv4: '', ipv6: '' }],
  networkMode: 'front',
  limits: limits.parse({}),
  restart: restartPolicy.parse({}),
  sizeRwBytes: null,
  sizeRootFsBytes: null,
})
const facts = {
  ancestors: (reference: string) => new Set(reference === 'nginx' ? ['sha256:1'] : []),
  find: () => ({ id: 'b', createdAt: '2026-01-01T00:00:00Z' }),
}
const matches = (filters: Record<string, string[]>) => compileFilters(filters, facts)(web)

describe('compileFilters', () => {
  it('knows every documented word', () => {
    const yes: Record<string, string[]>[] = [
      { id: ['aaaa'] },
      { name: ['web'] },
      { name: ['^/?web_1$'] },
      { name: ['^web_1$'] },
      { label: ['app'] },
      { label: ['app=shop', 'tier'] },
      { exited: ['3'] },
      { status: ['running', 'exited'] },
      { ancestor: ['nginx'] },
      { since: ['other'] },
      { volume: ['data'] },
      { volume: ['/data'] },
      { network: ['front'] },
      { publish: ['8000-8100/tcp'] },
      { expose: ['80'] },
      { health: ['none'] },
      { 'is-task': ['false'] },
    ]
    for (const filters of yes) expect([filters, matches(filters)]).toEqual([filters, true])
    const no: Record<string, string[]>[] = [
      { id: ['b'] },
      { name: ['^eb'] },
      { label: ['app=other'] },
      { label: ['app', 'none'] },
      { exited: ['0'] },
      { status: ['running'] },
      { before: ['other'] },
      { volume: ['x'] },
      { publish: ['80'] },
      { 'is-task': ['true'] },
      { name: ['web'], status: ['running'] },
    ]
    for (const filters of no) expect([filters, matches(filters)]).toEqual([filters, false])
  })

  it('refuses what it does not know', () => {
    const bad: Record<string, string[]>[] = [
      { colour: ['red'] },
      { status: ['asleep'] },
      { exited: ['x'] },
      { publish: ['x'] },
      { health: ['fine'] },
      { name: ['(a+)+$'] },
    ]
    for (const filters of bad) expect(() => compileFilters(filters, facts)).toThrow(/invalid filter|too involved/i)
  })
})
