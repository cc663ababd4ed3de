import { containerOptions } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../errors.ts'
import type { Task } from '../tasks/tasks.ts'
import { Container } from './container.ts'
import { ContainerIndex } from './container-index.ts'
import type { Context } from './context.ts'
import { containerRecord } from './record.ts'
import { Summaries } from './summaries.ts'

const id = 'a'.repeat(64)

function container(networkMode: string, networks: Record<string, object> = {}): Container {
  return new Container(
    containerRecord.parse({
      version: 1,
      id,
      name: 'web',
      createdAt: '2026-01-01T00:00:00Z',
      options: containerOptions.parse({ image: 'busybox:1', networkMode }),
      effective: {
        command: ['sleep', '1'],
        entrypoint: [],
        cmd: ['sleep', '1'],
        env: [],
        user: '',
        workingDir: '',
        hostname: 'web',
        labels: { a: 'b' },
        exposedPorts: ['80/tcp'],
        volumes: [],
        stopSignal: 'SIGTERM',
        healthcheck: null,
      },
      image: { id: 'sha256:1', reference: 'busybox:1', chainId: null, platform: { os: 'linux', architecture: 'amd64' } },
      mounts: [],
      networks,
      idmap: null,
      state: {
        status: 'created',
        paused: false,
        manuallyStopped: false,
        bootId: '',
        exitCode: 0,
        signal: null,
        oomKilled: false,
        error: '',
        startedAt: null,
        finishedAt: null,
        restartCount: 0,
      },
    }),
  )
}

function summaries(known = new Map([['none', 'n1']])): Summaries {
  const networks = {
    isInternal: () => false,
    identify(name: string) {
      const found = known.get(name)
      if (!found) throw new EngineError('not_found', `network ${name} not found`)
      return { id: found, name }
    },
  }
  return new Summaries({ networks } as unknown as Context)
}

const task = { pid: 42, startedAt: '2026-01-01T00:00:01Z' } as Task

describe('Summaries', () => {
  it('tells the same object while nothing changes', () => {
    const web = container('none')
    const told = summaries()
    expect(told.of(web)).toBe(told.of(web))
  })

  it('tells every change at once', () => {
    const web = container('none')
    const told = summaries()
    const index = new ContainerIndex()
    index.add(web)
    const changes: [change: () => void, look: () => unknown, seen: unknown][] = [
      [() => (web.starting = true), () => told.of(web).state.status, 'created'],
      [() => (web.task = task), () => told.of(web).state.pid, 42],
      [() => web.change({ paused: true }), () => told.of(web).state.status, 'paused'],
      [() => web.change({ paused: false }), () => told.of(web).state.status, 'running'],
      [() => (web.health = { status: 'starting', failingStreak: 0, log: [] }), () => told.of(web).state.health, 'starting'],
      [() => (web.health = { ...web.health, status: 'healthy' }), () => told.of(web).state.health, 'healthy'],
      [() => (web.oomSeen = true), () => told.of(web).state.oomKilled, true],
      [() => (web.record = { ...web.record, name: 'site' }), () => told.of(web).name, 'site'],
      [() => (web.task = { ...task, pid: 43 } as Task), () => told.of(web).state.pid, 43],
      [() => (web.removing = true), () => told.of(web).state.status, 'removing'],
    ]
    for (const [change, look, seen] of changes) {
      look()
      const { revision } = index
      change()
      expect(look()).toBe(seen)
      expect(index.revision).toBeGreaterThan(revision)
    }
    const { revision } = index
    told.of(web)
    expect(index.revision).toBe(revision)
    index.delete(web)
    expect(index.revision).toBeGreaterThan(revision)
  })

  it('tells the addresses and ports of a lease, and no longer when it is given back', () => {
    const web = container('front', { front: { aliases: [], links: [] } })
    const told = summaries(new Map([['front', 'f1']]))
    expect(told.of(web).networks).toMatchObject([{ id: 'f1', ipv4: '' }])
    const attached = { networkId: 'f1', networkName: 'front', ipv4: '10.0.0.2', ipv6: '', endpointId: 'e', requested: {} }
    web.lease = { attached: [attached], ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }] } as never
    expect(told.of(web)).toMatchObject({ networks: [{ ipv4: '10.0.0.2' }], ports: [{ hostPort: 8080 }] })
    web.lease = null
    expect(told.of(web)).toMatchObject({ networks: [{ ipv4: '' }], ports: [] })
  })

  it('sees that a network went which a stopped container still wants', () => {
    const web = container('front', { front: { aliases: [], links: [] } })
    const known = new Map([['front', 'f1']])
    const told = summaries(known)
    const index = new ContainerIndex()
    index.add(web)
    const { revision } = index
    expect(told.of(web).networks).toMatchObject([{ id: 'f1' }])
    // So that nobody takes a list with it for one that holds.
    expect(index.revision).toBeGreaterThan(revision)
    known.delete('front')
    expect(told.of(web).networks).toMatchObject([{ id: '' }])
  })
})
