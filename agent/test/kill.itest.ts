import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerSummary } from '@berth/contract/container'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentBundle, AgentProcess, bundleAgent } from './agent-process.ts'
import { openTestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/**
 * The agent is killed with SIGKILL at random moments of whatever it does, again and again. After each: what was acknowledged is there, what was
 * acknowledged as gone is gone, what ran goes on under the same pid. At the end nothing is left over.
 */
const kills = Number(process.env.BERTH_TEST_KILLS ?? 200)
/** A machine that is busy with other things gets fewer kills rather than an endless test. */
const longestMs = Number(process.env.BERTH_TEST_KILL_SECONDS ?? 100) * 1000
const config = testConfig()
let bundle: AgentBundle
let agent: AgentProcess

/** What the test knows for certain. A name is dropped from it while a call about it is on its way. */
interface Known {
  id: string
  running: boolean
  pid: number | null
}
const known = new Map<string, Known>()
/** Names whose last call was cut off: either outcome is right. */
const open = new Set<string>()

/** Same numbers in each run; the moments of the kills are what chance the machine adds. */
let seed = 42
const random = (below: number) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return seed % below
}

beforeAll(async () => {
  const engine = await openTestEngine(config)
  await engine.close()
  bundle = await bundleAgent()
})
afterAll(async () => {
  bundle?.remove()
  const engine = await openTestEngine(config, {})
  await engine.destroy()
})

async function act(name: string): Promise<void> {
  const about = known.get(name)
  known.delete(name)
  open.add(name)
  const settle = (value: Known | null) => {
    open.delete(name)
    if (value) known.set(name, value)
  }
  if (!about) {
    const network = random(3) === 0 ? 'bridge' : 'none'
    const { id } = await agent.call<{ id: string }>('test.create', name, {
      image: 'busybox:1',
      cmd: ['sleep', '600'],
      networkMode: network,
      stopTimeoutSeconds: 0,
    })
    return settle({ id, running: false, pid: null })
  }
  const choice = random(10)
  if (!about.running && choice < 7) {
    await agent.call('containers.start', name)
    const { state } = await agent.call<ContainerSummary>('containers.inspect', name)
    return settle({ ...about, running: true, pid: state.pid })
  }
  if (!about.running || choice < 2) {
    await agent.call('containers.remove', name, { force: true, volumes: true })
    return settle(null)
  }
  if (choice < 4) {
    await agent.call('containers.stop', name)
    return settle({ ...about, running: false, pid: null })
  }
  if (choice < 6) await agent.call('test.exec', name, { cmd: ['true'] })
  else if (choice < 7) await agent.call('containers.update', name, { limits: { pidsLimit: 50 + random(50) } })
  else if (choice < 8) {
    await agent.call('containers.pause', name)
    await agent.call('containers.unpause', name)
  } else
    await agent.call('containers.restart', name).then(async () => {
      about.pid = (await agent.call<ContainerSummary>('containers.inspect', name)).state.pid
    })
  settle(about)
}

/** Works until it is killed. Errors other than the kill are the test's. */
async function work(lane: number): Promise<void> {
  for (;;) {
    const name = `lane${lane}-${random(3)}`
    try {
      await act(name)
    } catch (error) {
      if ((error as { code?: string }).code === 'killed') return
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function verify(): Promise<void> {
  const list = await agent.call<ContainerSummary[]>('containers.list', { all: true, filters: {}, limit: 0, size: false })
  const byName = new Map(list.map((container) => [container.name, container]))
  for (const [name, { id, running, pid }] of known) {
    expect(byName.get(name), `${name} was acknowledged`).toMatchObject({ id })
    const state = byName.get(name)?.state
    expect([name, state?.status, state?.pid ?? 0]).toEqual([
      name,
      running ? 'running' : expect.stringMatching(/created|exited/),
      running ? pid : 0,
    ])
  }
  for (const { name, id, state } of list) {
    if (known.has(name)) continue
    expect(open.has(name), `${name} was acknowledged as removed`).toBe(true)
    // A cut-off pause may have left it frozen: whichever it is, it can be had again.
    if (state.status === 'paused') await agent.call('containers.unpause', name)
    known.set(name, { id, running: state.status === 'running' || state.status === 'paused', pid: state.pid || null })
  }
  open.clear()
}

it(`survives up to ${kills} kills`, async () => {
  const until = Date.now() + longestMs
  let done = 0
  for (; done < kills && Date.now() < until; done++) {
    agent = new AgentProcess(bundle, config)
    if (random(10) === 0) {
      // While it comes up, too.
      await sleep(random(150))
      await agent.kill()
      continue
    }
    await agent.ready
    await verify()
    const lanes = [work(0), work(1)]
    await sleep(random(80))
    await agent.kill()
    await Promise.all(lanes)
  }
  console.log(`killed ${done} times`)
  agent = new AgentProcess(bundle, config)
  await agent.ready
  await verify()
  for (const name of known.keys()) await agent.call('containers.remove', name, { force: true, volumes: true })
  await agent.stop()
  expect(await settledLeftovers(config)).toEqual([])
}, 600_000)
