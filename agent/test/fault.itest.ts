import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openTestEngine, parseExec, parseOptions, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/**
 * Every file operation and every spawn of create, start, exec and remove fails once, each in its turn: the change fails as a whole, says why in one
 * sentence, and leaves nothing.
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
})
