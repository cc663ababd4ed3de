import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { buildOptions } from '@berth/contract/build'
import type { EngineEvent } from '@berth/contract/event'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine, parseOptions, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

let engine: TestEngine
const config = testConfig()
const events: EngineEvent[] = []
beforeAll(async () => {
  engine = await openTestEngine(config)
  engine.events.subscribe((event) => events.push(event))
})
afterEach(async () => {
  for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
    await engine.containers.remove(id, { force: true, volumes: true })
  events.length = 0
})
afterAll(async () => {
  const left = await settledLeftovers(config)
  await engine?.destroy()
  expect(left).toEqual([])
})

const run = (script: string, options: Record<string, unknown> = {}) =>
  engine.run({ image: 'busybox:1', cmd: ['sh', '-c', script], networkMode: 'none', stopTimeoutSeconds: 0, ...options })
const state = async (id: string) => (await engine.containers.inspect(id)).state
const lines = async (id: string) =>
  (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 10000 })).records.map(({ text }) => text)
const actions = (id: string) => events.filter((event) => event.actorId === id).map(({ action }) => action)
/** A cgroup value of the container as the kernel has it, on v1. */
const kernel = (controller: string, id: string, name: string) =>
  readFileSync(`/sys/fs/cgroup/${controller}/${config.instance}/${id}/${name}`, 'utf8').trim()
const v1 = engineIsV1()
function engineIsV1(): boolean {
  return !readFileSync('/proc/self/mounts', 'utf8').includes(' /sys/fs/cgroup cgroup2 ')
}

describe('ending', () => {
  it('tells TERM from KILL, waits, and is removed by itself when asked', async () => {
    const polite = await run('trap "exit 3" TERM; while :; do sleep 0.02; done', { stopTimeoutSeconds: 10 })
    await engine.containers.stop(polite)
    expect((await state(polite)).exitCode).toBe(3)
    const patient = await run('trap "exit 5" TERM; while :; do sleep 0.02; done')
    await engine.containers.stop(patient, { timeoutSeconds: 9_999_999 })
    expect((await state(patient)).exitCode).toBe(5)
    const deaf = await run('trap "" TERM; while :; do sleep 0.02; done')
    await engine.containers.stop(deaf, { timeoutSeconds: 1 })
    expect(await state(deaf)).toMatchObject({ exitCode: 137, signal: 9 })
    const { id } = await engine.containers.create({
      options: parseOptions({ image: 'busybox:1', cmd: ['sh', '-c', 'exit 4'], networkMode: 'none', autoRemove: true }),
    })
    const removed = engine.containers.wait(id, 'removed')
    const exited = engine.containers.wait(id, 'next-exit')
    await engine.containers.start(id)
    expect([(await exited).exitCode, (await removed).exitCode]).toEqual([4, 4])
    await expect(engine.containers.inspect(id)).rejects.toMatchObject({ code: 'not_found' })
    expect(actions(id)).toEqual(['create', 'start', 'die', 'destroy'])
  })

  it('follows the restart policy, and lets a person end it', async () => {
    const id = await run('exit 1', { restart: { name: 'on-failure', maximumRetryCount: 2 } })
    await expect.poll(async () => (await state(id)).status, { timeout: 30_000 }).toBe('exited')
    await expect.poll(async () => await state(id)).toMatchObject({ restartCount: 2, exitCode: 1 })
    expect(actions(id).filter((action) => action === 'die')).toHaveLength(3)
    const always = await run('exit 0', { restart: { name: 'always' } })
    await expect.poll(async () => (await state(always)).restartCount).toBeGreaterThan(1)
    await engine.containers.stop(always)
    const { restartCount } = await state(always)
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(await state(always)).toMatchObject({ status: 'exited', restartCount })
  })

  it('stays stopped at whatever moment of a restart it was stopped', async () => {
    const ids = await Promise.all(Array.from({ length: 24 }, () => run('exit 0', { restart: { name: 'always' } })))
    await Promise.all(
      ids.map(async (id, index) => {
        await expect.poll(() => actions(id).filter((action) => action === 'die').length, { interval: 5 }).toBe(2)
        // The next restart is due 200 ms after the end: one stop comes a little before it, the next in its middle, the last after it.
        const due = Date.parse((await state(id)).finishedAt as string) + 200
        await new Promise((resolve) => setTimeout(resolve, due + 2 * (index - 8) - Date.now()))
        await engine.containers.stop(id)
      }),
    )
    const stopped = await Promise.all(ids.map(async (id) => (await state(id)).restartCount))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    for (const [index, id] of ids.entries()) expect(await state(id)).toMatchObject({ status: 'exited', restartCount: stopped[index] })
    await Promise.all(ids.map((id) => engine.containers.remove(id, { force: true, volumes: false })))
  })

  it('is frozen and thawed, renamed and restarted', async () => {
    const id = await run('i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done')
    await engine.containers.pause(id)
    expect((await state(id)).status).toBe('paused')
    const before = (await lines(id)).length
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await lines(id)).length).toBeLessThanOrEqual(before + 1)
    await expect(engine.containers.start(id)).rejects.toThrow('unpause instead')
    await engine.containers.unpause(id)
    await expect.poll(async () => (await lines(id)).length).toBeGreaterThan(before + 2)
    const { pid } = await state(id)
    await engine.containers.restart(id)
    expect((await state(id)).pid).not.toBe(pid)
    expect((await state(id)).status).toBe('running')
    await engine.containers.pause(id)
    await engine.containers.remove(id, { force: true, volumes: false })
  })

  it('probes health in the container', async () => {
    const id = await run('sleep 60', {
      healthcheck: {
        test: ['CMD-SHELL', 'echo looked; test -e /tmp/ill && exit 1 || exit 0'],
        intervalMs: 100,
        retries: 2,
        timeoutMs: 5000,
      },
    })
    expect((await state(id)).health.status).toBe('starting')
    await expect.poll(async () => (await state(id)).health.status).toBe('healthy')
    await engine.exec(id, { cmd: ['touch', '/tmp/ill'] })
    await expect.poll(async () => (await state(id)).health.status).toBe('unhealthy')
    expect((await state(id)).health.log.at(-1)).toMatchObject({ exitCode: 1, output: 'looked\n' })
    expect(actions(id).filter((action) => action.startsWith('health_status'))).toEqual([
      'health_status: healthy',
      'health_status: unhealthy',
    ])
  })
})

describe('limits', () => {
  it.runIf(v1)('are in the kernel at the start and change while it runs', async () => {
    const id = await run('sleep 60', {
      limits: { memoryBytes: 64 << 20, memorySwapBytes: 96 << 20, cpuShares: 512, nanoCpus: 5e8, pidsLimit: 20, cpusetCpus: '0' },
    })
    expect(kernel('memory', id, 'memory.limit_in_bytes')).toBe(String(64 << 20))
    expect(kernel('memory', id, 'memory.memsw.limit_in_bytes')).toBe(String(96 << 20))
    expect([
      kernel('cpu', id, 'cpu.shares'),
      kernel('cpu', id, 'cpu.cfs_quota_us'),
      kernel('pids', id, 'pids.max'),
      kernel('cpuset', id, 'cpuset.cpus'),
    ]).toEqual(['512', '50000', '20', '0'])
    await engine.containers.update(id, {
      limits: { memoryBytes: 128 << 20, memorySwapBytes: 128 << 20, nanoCpus: 1.5e9, pidsLimit: -1, cpusetCpus: '0-1', cpuShares: 256 },
    })
    expect(kernel('memory', id, 'memory.limit_in_bytes')).toBe(String(128 << 20))
    expect([
      kernel('cpu', id, 'cpu.shares'),
      kernel('cpu', id, 'cpu.cfs_quota_us'),
      kernel('pids', id, 'pids.max'),
      kernel('cpuset', id, 'cpuset.cpus'),
    ]).toEqual(['256', '150000', 'max', '0-1'])
    await expect(engine.containers.update(id, { limits: { memoryBytes: 1 << 20 } })).rejects.toThrow('Minimum memory limit allowed is 6MB')
    expect((await engine.containers.inspect(id)).options.limits.memoryBytes).toBe(128 << 20)
    await engine.containers.restart(id)
    expect(kernel('memory', id, 'memory.limit_in_bytes')).toBe(String(128 << 20))
  })

  it.runIf(v1)('throttle a block device', async () => {
    const device = readFileSync('/proc/partitions', 'utf8').trim().split('\n').at(-1)?.trim().split(/\s+/) as [
      string,
      string,
      string,
      string,
    ]
    const id = await run('sleep 60', { limits: { deviceWriteBps: [{ path: `/dev/${device[3]}`, rate: 1_048_576 }] } })
    expect(kernel('blkio', id, 'blkio.throttle.write_bps_device')).toBe(`${device[0]}:${device[1]} 1048576`)
  })

  it('end what takes too much memory, and only that', async () => {
    const neighbour = await run('sleep 60')
    const id = await run('tail -c 200m /dev/zero', { limits: { memoryBytes: 16 << 20, memorySwapBytes: 16 << 20 } })
    await engine.containers.wait(id, 'not-running')
    expect(await state(id)).toMatchObject({ exitCode: 137, oomKilled: true })
    expect(actions(id)).toContain('oom')
    expect((await state(neighbour)).status).toBe('running')
  })

  it('hold a fork bomb', async () => {
    const id = await run('b() { b | b & }; b; sleep 60', { limits: { pidsLimit: 16 } })
    await expect.poll(async () => (await engine.stats.sample(id)).sample.pids.current).toBeGreaterThan(5)
    expect((await engine.stats.sample(id)).sample.pids.current).toBeLessThanOrEqual(16)
    await engine.containers.remove(id, { force: true, volumes: false })
  })
})

describe('logs', () => {
  it('rotate by size and are followed across it without a gap', async () => {
    const seen: number[] = []
    const { id } = await engine.containers.create({
      options: parseOptions({
        image: 'busybox:1',
        cmd: ['sh', '-c', 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done'],
        networkMode: 'none',
        log: { driver: 'local', options: { 'max-size': '20k', 'max-file': '100' } },
      }),
    })
    await engine.containers.start(id)
    const follow = engine.logs.follow({ container: id, stdout: true, stderr: true, tail: null }, async (records) => {
      seen.push(...records.map(({ text }) => Number(text)))
    })
    expect(await follow.done).toBe('ended')
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1))
    expect(
      (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: 5, limit: 10 })).records.map(({ text }) => text),
    ).toEqual(['2996', '2997', '2998', '2999', '3000'])
  })

  it('are not kept with driver none, though viewers see all', async () => {
    const { stdout } = await engine.output({ image: 'busybox:1', cmd: ['echo', 'seen'], networkMode: 'none', log: { driver: 'none' } })
    expect(stdout).toBe('seen\n')
    const { id } = await engine.containers.create({ options: parseOptions({ image: 'busybox:1', log: { driver: 'none' } }) })
    await expect(engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 1 })).rejects.toThrow(
      'does not support reading',
    )
  })
})

describe('statistics', () => {
  it('show work, memory and traffic', async () => {
    // So little, and wanted by two, that it is held back on the busiest machine, sooner or later.
    const id = await run('while :; do :; done & while :; do :; done', {
      networkMode: 'bridge',
      limits: { memoryBytes: 64 << 20, nanoCpus: 2e7 },
    })
    const { sample } = await engine.stats.sample(id)
    expect(sample.cpu.percent).toBeGreaterThan(0)
    expect(sample.memory).toMatchObject({ limitBytes: 64 << 20, usageBytes: expect.any(Number) })
    expect(Object.keys(sample.network)).toEqual(['eth0'])
    const points: number[] = []
    const leave = engine.stats.subscribe({ containers: [id], host: true }, ({ containers, host }) => {
      points.push(containers[0]?.point.throttledPercent ?? -1)
      expect(host?.memoryTotalBytes).toBeGreaterThan(1 << 20)
    })
    await expect.poll(() => (points.length > 2 ? Math.max(...points) : 0), { timeout: 45_000 }).toBeGreaterThan(10)
    leave()
    await engine.containers.stop(id)
    await expect(engine.stats.sample(id)).rejects.toMatchObject({ code: 'failed_precondition' })
  })
})

describe('networks', () => {
  it('join while it runs, and know each other by name', async () => {
    await engine.networks.create({
      name: 'front',
      driver: 'bridge',
      internal: false,
      ipv6: false,
      attachable: false,
      pools: [],
      labels: {},
      options: {},
    })
    try {
      const server = await run('mkdir /w; echo hello > /w/index.html; exec httpd -f -p 7000 -h /w', {
        networkMode: 'front',
        networks: { front: { aliases: ['shop'] } },
        ports: [{ containerPort: 7000 }],
      })
      const client = await run('sleep 60', { networkMode: 'bridge' })
      await engine.containers.connect('front', client, { aliases: [], links: [] })
      expect((await engine.containers.inspect(client)).networks.map(({ networkName }) => networkName).sort()).toEqual(['bridge', 'front'])
      expect(
        (await engine.exec(client, { cmd: ['sh', '-c', 'for i in 1 2 3 4 5; do wget -qO- http://shop:7000/ && break; sleep 0.1; done'] }))
          .stdout,
      ).toBe('hello\n')
      await engine.containers.disconnect('front', client, false)
      expect((await engine.containers.inspect(client)).networks.map(({ networkName }) => networkName)).toEqual(['bridge'])
      const port = (await engine.containers.inspect(server)).ports.find(({ hostPort }) => hostPort !== null)
      expect(port).toMatchObject({ containerPort: 7000, hostPort: expect.any(Number) })
      await expect(
        run('sleep 1', { networkMode: 'front', ports: [{ containerPort: 1, hostPort: port?.hostPort as number }] }),
      ).rejects.toThrow('port is already allocated')
    } finally {
      for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
        await engine.containers.remove(id, { force: true, volumes: true })
      await engine.networks.remove('front')
    }
  })
})

// The last one: what was subscribed to the engine's events ends with it.
it('ends long work when the engine is closed, and leaves nothing of it', async () => {
  const { done } = engine.operations.start({ kind: 'build', subject: 'long', startedBy: 'test' }, (context) =>
    engine.builder.build(Readable.from([Buffer.from('FROM busybox:1\nRUN sleep 600')]), buildOptions.parse({}), {}, context),
  )
  const outcome = done.catch((error) => error)
  const running = () => engine.containers.list({ all: false, filters: {}, limit: 0, size: false })
  await expect.poll(async () => (await running()).length).toBe(1)
  await engine.close()
  // It has ended by then, not merely been forgotten.
  expect(await Promise.race([outcome, new Promise((resolve) => setImmediate(resolve, 'still waits'))])).toMatchObject({ code: 'cancelled' })
  await engine.reopen()
  expect(await engine.containers.list({ all: true, filters: {}, limit: 0, size: false })).toEqual([])
})
