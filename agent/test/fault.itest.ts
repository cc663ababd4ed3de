import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openTestEngine, parseExec, parseOptions, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/**
 * Every file operation and every spawn of what changes a container, volume or network fails once, each in its turn: the change fails as a whole, says why in
 * one sentence, and leaves nothing.
 */
const fault = vi.hoisted(() => {
  const state = { armed: false, left: 0, named: '' as string, hit: '' as string, counted: 0 }
  return {
    state,
    /** Throws in the n-th operation from now on. */
    arm(n: number) {
      Object.assign(state, { armed: true, left: n, named: '', hit: '', counted: 0 })
    },
    /** Throws in the next operation of this name. */
    armNamed(named: string) {
      Object.assign(state, { armed: true, left: 0, named, hit: '', counted: 0 })
    },
    disarm() {
      state.armed = false
      return state.hit
    },
    step(name: string, code: string) {
      if (!state.armed) return
      state.counted += 1
      state.left -= 1
      if (state.named ? name !== state.named : state.left !== 0) return
      state.left = -1
      state.named = 'nothing more'
      state.hit = name
      throw Object.assign(new Error(`${code}: injected into ${name}`), { code })
    },
  }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const wrapped = Object.fromEntries(
    Object.entries(real).map(([name, value]) => [
      name,
      typeof value !== 'function' || name === 'FileHandle'
        ? value
        : async (...args: unknown[]) => {
            fault.step(name, 'ENOSPC')
            return (value as (...all: unknown[]) => unknown)(...args)
          },
    ]),
  )
  const open = async (...args: Parameters<typeof real.open>) => {
    fault.step('open', 'EMFILE')
    const handle = await real.open(...args)
    for (const method of ['writeFile', 'sync'] as const) {
      const own = (handle[method] as (...all: unknown[]) => Promise<void>).bind(handle)
      Object.assign(handle, {
        [method]: async (...all: unknown[]) => {
          fault.step(`${method} of a file`, 'EIO')
          return own(...all)
        },
      })
    }
    return handle
  }
  return { ...wrapped, open, default: { ...wrapped, open } }
})

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>()
  const spawn = ((...args: Parameters<typeof real.spawn>) => {
    fault.step(`spawn of ${String(args[0]).split('/').at(-1)}`, 'EAGAIN')
    return real.spawn(...args)
  }) as typeof real.spawn
  return { ...real, spawn, default: { ...real, spawn } }
})

const config = testConfig()
let engine: TestEngine
beforeAll(async () => {
  engine = await openTestEngine(config)
})
afterAll(() => engine?.destroy())

/** Runs `change` once for each of its operations, that one failing, until it goes through. @returns what was made to fail */
async function failEach(
  prepare: () => Promise<void>,
  change: () => Promise<unknown>,
  after: (failed: boolean, hit: string) => Promise<void>,
): Promise<string[]> {
  const hits: string[] = []
  for (let n = 1; n < 200; n++) {
    await prepare()
    fault.arm(n)
    let failure: unknown = null
    try {
      await change()
    } catch (error) {
      failure = error
    }
    const hit = fault.disarm()
    if (failure) expect(String((failure as Error).message).length, `after a failed ${hit}`).toBeGreaterThan(10)
    await after(failure !== null, hit)
    if (!hit) return hits
    hits.push(hit)
  }
  throw new Error('there is no end of operations')
}

const options = parseOptions({
  image: 'busybox:1',
  cmd: ['sleep', '60'],
  ports: [{ containerPort: 80 }],
  mounts: [{ type: 'volume', target: '/data' }],
  user: 'nobody',
})
const containers = () => engine.containers.list({ all: true, filters: {}, limit: 0, size: false })

describe('one failed operation', { timeout: 300_000 }, () => {
  it('of create leaves no container, volume, layer or name', async () => {
    const hits = await failEach(
      async () => {},
      () => engine.containers.create({ name: 'faulty', options }),
      async (failed, hit) => {
        if (failed) {
          expect(await containers(), hit).toEqual([])
          expect(await engine.volumes.list(), hit).toEqual([])
        } else for (const { id } of await containers()) await engine.containers.remove(id, { force: true, volumes: true })
        expect(await settledLeftovers(config), hit).toEqual([])
      },
    )
    expect(hits.length).toBeGreaterThan(10)
  })

  it('of start leaves the container as it was, with the reason', async () => {
    const hits = await failEach(
      async () => {
        if ((await containers()).length === 0) await engine.containers.create({ name: 'faulty', options })
      },
      () => engine.containers.start('faulty'),
      async (failed, hit) => {
        const { state, ports } = await engine.containers.inspect('faulty')
        expect([hit, state.status === 'running', state.error !== ''], hit).toEqual([hit, !failed, failed])
        if (failed) {
          expect(
            ports.filter(({ hostPort }) => hostPort !== null),
            hit,
          ).toEqual([])
          expect(await settledLeftovers(config, (left) => !left.startsWith('file:')), hit).toEqual([])
        }
        await engine.containers.remove('faulty', { force: true, volumes: true })
        expect(await settledLeftovers(config), hit).toEqual([])
      },
    )
    expect(hits.length).toBeGreaterThan(10)
    // Operations that run side by side change their order from run to run, so the one that matters most is also asked for by name.
    await engine.containers.create({ name: 'faulty', options })
    fault.armNamed('spawn of berth-monitor')
    await expect(engine.containers.start('faulty')).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringContaining('EAGAIN'),
    })
    expect(fault.disarm()).toBe('spawn of berth-monitor')
    await engine.containers.remove('faulty', { force: true, volumes: true })
    expect(await settledLeftovers(config)).toEqual([])
  })

  it('of an exec leaves the container running and no exec', async () => {
    const id = await engine.run({ image: 'busybox:1', cmd: ['sleep', '60'], networkMode: 'none' })
    await failEach(
      async () => {},
      async () => {
        const exec = await engine.containers.createExec(id, parseExec({ cmd: ['true'] }))
        await engine.containers.startExec(exec.id)
        expect((await engine.containers.waitExec(exec.id)).exitCode).toBe(0)
      },
      async (_, hit) => {
        expect((await engine.containers.inspect(id)).state.status, hit).toBe('running')
        expect(
          engine.containers.listExecs(id).filter((exec) => exec.running),
          hit,
        ).toEqual([])
      },
    )
    await engine.containers.remove(id, { force: true, volumes: true })
    expect(await settledLeftovers(config)).toEqual([])
  })

  it('of a remove can be tried again', async () => {
    await failEach(
      async () => {
        if ((await containers()).length === 0) await engine.containers.create({ name: 'faulty', options })
      },
      () => engine.containers.remove('faulty', { force: true, volumes: true }),
      async (failed, hit) => {
        expect((await containers()).length, hit).toBe(failed ? 1 : 0)
      },
    )
    expect(existsSync(`${config.dataRoot}/containers`)).toBe(true)
    // What could not be removed at once is removed by the next opening.
    await engine.reopen()
    expect(await settledLeftovers(config)).toEqual([])
  })

  /** What a person sees of the container, and what the next agent will see of it. */
  const seen = async () => {
    const { name, state, options: chosen, networks } = await engine.containers.inspect(id)
    return {
      name,
      status: state.status,
      pid: state.pid,
      memory: chosen.limits.memoryBytes,
      networks: networks.map(({ networkName }) => networkName).sort(),
    }
  }
  let id = ''
  const plain = { aliases: [], links: [] }
  const network = { driver: 'bridge', internal: false, attachable: false, ipv6: false, pools: [], labels: {}, options: {} }
  const commit = { reference: 'made:1', comment: '', author: '', changes: [], pause: true }
  const images = async () => (await engine.images.list({ all: true })).flatMap(({ tags }) => tags)

  it.each<[string, () => Promise<unknown>, (() => Promise<unknown>)?, (() => Promise<unknown>)?]>([
    ['a rename', () => engine.containers.rename(id, 'other')],
    ['an update', () => engine.containers.update(id, { limits: { memoryBytes: 64 << 20 } })],
    ['joining a network', () => engine.containers.connect('more', id, plain)],
    ['a commit', () => engine.containers.commit(id, commit), images, () => engine.images.remove('made:1', { force: false, prune: true })],
    [
      'making a network',
      () => engine.networks.create({ ...network, name: 'n' }),
      async () =>
        engine.networks
          .list()
          .map(({ name }) => name)
          .sort(),
      () => engine.networks.remove('n'),
    ],
  ])('of %s leaves everything as it was, for the next agent too', async (_what, change, things = seen, undo = async () => {}) => {
    for (const name of ['first', 'more']) await engine.networks.create({ ...network, name })
    try {
      const hits = await failEach(
        async () => {
          if (id === '') id = await engine.run({ image: 'busybox:1', cmd: ['sleep', '60'], networkMode: 'first', stopTimeoutSeconds: 0 })
          before = [await seen(), await things()]
        },
        change,
        async (failed, hit) => {
          if (failed) {
            expect([await seen(), await things()], hit).toEqual(before)
            await engine.reopen()
            expect([await seen(), await things()], `${hit}, opened again`).toEqual(before)
            return
          }
          // Done although something failed on the way: it is done for the next agent too.
          const after = [await seen(), await things()]
          expect(after, hit).not.toEqual(before)
          await engine.reopen()
          expect([await seen(), await things()], `${hit}, opened again`).toEqual(after)
          await undo()
          await engine.containers.remove(id, { force: true, volumes: true })
          id = ''
        },
      )
      expect(hits.length).toBeGreaterThan(0)
    } finally {
      if (id) await engine.containers.remove(id, { force: true, volumes: true })
      id = ''
      for (const name of ['first', 'more']) await engine.networks.remove(name)
    }
    expect(await settledLeftovers(config)).toEqual([])
  })
  let before: unknown[] = []

  it.each<[string, () => Promise<unknown>, string]>([
    ['a stop', () => engine.containers.stop('faulty'), 'exited'],
    ['a kill', () => engine.containers.kill('faulty', 'KILL').then(() => engine.containers.wait('faulty', 'not-running')), 'exited'],
    ['a restart', () => engine.containers.restart('faulty'), 'running'],
    ['freezing', () => engine.containers.pause('faulty'), 'paused'],
    ['thawing', () => engine.containers.unpause('faulty'), 'running'],
    ['leaving a network', () => engine.containers.disconnect('bridge', 'faulty', false), 'running'],
  ])('of %s can be tried again', async (what, change, wanted) => {
    const leaving = what === 'leaving a network'
    const running = { image: 'busybox:1', cmd: ['sleep', '60'], networkMode: leaving ? 'bridge' : 'none', stopTimeoutSeconds: 0 }
    await failEach(
      async () => {
        await engine.containers.create({ name: 'faulty', options: parseOptions(running) })
        await engine.containers.start('faulty')
        if (what === 'thawing') await engine.containers.pause('faulty')
      },
      change,
      async (failed, hit) => {
        const { status, pid } = (await engine.containers.inspect('faulty')).state
        // What is claimed is what is.
        if (status === 'running' || status === 'paused') expect(existsSync(`/proc/${pid}`), hit).toBe(true)
        if (failed && (leaving || status !== wanted)) await change()
        if (leaving) expect((await engine.containers.inspect('faulty')).networks, hit).toEqual([])
        await expect.poll(async () => (await engine.containers.inspect('faulty')).state.status, { message: hit }).toBe(wanted)
        await engine.containers.remove('faulty', { force: true, volumes: true })
        expect(await settledLeftovers(config, (left) => !left.startsWith('file:')), hit).toEqual([])
      },
    )
    // Directories that could not be removed at once are removed by the next opening.
    await engine.reopen()
    expect(await settledLeftovers(config)).toEqual([])
  })
})
