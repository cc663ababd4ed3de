import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerSummary } from '@berth/contract/container'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentBundle, AgentProcess, bundleAgent } from './agent-process.ts'
import { openTestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/**
 * The agent is killed with SIGKILL at random moments of whatever it does, again and again. After each: what was acknowledged is there, what was
 * acknowledged as gone is gone, what ran goes on under the same pid. At the end nothing is left over. With failures/image-kills.itest.ts, which kills 80
 * times during pull, load and volumes' work, there are 200 kills in each run.
 */
const kills = Number(process.env.BERTH_TEST_KILLS ?? 120)
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
/** Ids that were acknowledged and that no call was told to remove: whatever else was cut off, they are there. */
const acknowledged = new Set<string>()
/** Names whose last call was cut off: either outcome is right. */
const open = new Set<string>()

/** Images by name and networks: whether they are there. What a call is under way about is not in it. */
const things = new Map<string, boolean>()
const box = 'lane2-box'

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
  // After a failure one may be alive still.
  await agent?.kill()
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
      ports: network === 'bridge' ? [{ containerPort: 80 }] : [],
    })
    acknowledged.add(id)
    return settle({ id, running: false, pid: null })
  }
  const choice = random(13)
  if (!about.running && choice < 7) {
    await agent.call('containers.start', name)
    const { state } = await agent.call<ContainerSummary>('containers.inspect', name)
    return settle({ ...about, running: true, pid: state.pid })
  }
  if (!about.running || choice < 2) {
    acknowledged.delete(about.id)
    await agent.call('containers.remove', name, { force: true, volumes: true })
    return settle(null)
  }
  if (choice === 12) {
    const other = `${name}-renamed`
    // Not settled before both calls are answered: which of the two names it has then is known.
    open.add(other)
    await agent.call('containers.rename', name, other)
    await agent.call('containers.rename', other, name)
    open.delete(other)
    return settle(about)
  }
  if (choice === 11) {
    await agent.call('containers.kill', name, 'KILL')
    await agent.call('containers.wait', name, 'not-running')
    return settle({ ...about, running: false, pid: null })
  }
  if (choice === 10) {
    const file = `/written-${random(1000)}`
    await agent.call('containers.makeDirectory', name, file)
    await agent.call('containers.removeFile', name, file)
    return settle(about)
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

/** Makes and removes images, networks and volumes; joins and leaves networks; runs what is removed by its own end. */
async function actOnThings(): Promise<void> {
  const settled = async (name: string, change: () => Promise<unknown>, there: boolean) => {
    things.delete(name)
    await change()
    things.set(name, there)
  }
  const network = `${config.instance}n${random(2)}`
  const volume = `volume${random(2)}`
  switch (random(10)) {
    case 6:
      return settled(volume, () => agent.call('volumes.create', { name: volume }), true)
    case 7:
      if (things.get(volume)) await settled(volume, () => agent.call('volumes.remove', volume, { force: false }), false)
      return
    case 8:
      if (things.get('built:1')) await settled('tagged:1', () => agent.call('images.tag', 'built:1', 'tagged:1'), true)
      return
    case 9: {
      const brief = { image: 'busybox:1', cmd: ['true'], networkMode: 'none', autoRemove: true }
      await agent.call('containers.remove', 'brief', { force: true, volumes: true }).catch((error: { code?: string }) => {
        if (error.code !== 'not_found') throw error
      })
      things.delete('brief')
      const { id } = await agent.call<{ id: string }>('test.create', 'brief', brief)
      const gone = agent.call('containers.wait', id, 'removed')
      // Where the kill comes first, the call below tells it.
      gone.catch(() => {})
      await agent.call('containers.start', id)
      await gone
      things.set('brief', false)
      return
    }
    case 0:
      return settled(
        'built:1',
        () => agent.call('test.build', 'built:1', `FROM busybox:1\nRUN echo ${random(5)} >/f\nLABEL n=${random(9)}`),
        true,
      )
    case 1:
      if (!known.has(box)) return act(box)
      return settled(
        'committed:1',
        () => agent.call('containers.commit', box, { reference: 'committed:1', comment: '', author: '', changes: [], pause: true }),
        true,
      )
    case 2: {
      const image = random(2) ? 'built:1' : 'committed:1'
      if (things.get(image)) await settled(image, () => agent.call('images.remove', image, { force: true, prune: true }), false)
      return
    }
    case 3:
      if (things.get(network) !== false) return
      return settled(
        network,
        () =>
          agent.call('networks.create', {
            name: network,
            driver: 'bridge',
            internal: false,
            attachable: false,
            ipv6: false,
            pools: [],
            labels: {},
            options: { 'com.docker.network.bridge.name': network },
          }),
        true,
      )
    case 4:
      if (!things.get(network)) return
      if (known.has(box)) await agent.call('containers.disconnect', network, box, true)
      return settled(network, () => agent.call('networks.remove', network), false)
    default:
      if (!known.has(box) || !things.get(network)) return act(box)
      await agent.call('containers.disconnect', network, box, true)
      return agent.call('containers.connect', network, box, { aliases: ['b'], links: [] })
  }
}

/** Works until it is killed. Errors other than the kill are the test's. */
async function work(lane: number): Promise<void> {
  for (;;) {
    const name = `lane${lane}-${random(3)}`
    try {
      await (lane === 2 ? actOnThings() : act(name))
    } catch (error) {
      if ((error as { code?: string }).code === 'killed') return
      throw new Error(`${lane === 2 ? 'images and networks' : name}: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Those that were acknowledged are as they were; the others are whatever they are now. */
async function verifyThings(): Promise<void> {
  const images = await agent.call<{ tags: string[] }[]>('images.list', {})
  const networks = await agent.call<{ name: string }[]>('networks.list')
  const volumes = await agent.call<{ name: string }[]>('volumes.list')
  const containers = await agent.call<{ name: string }[]>('containers.list', { all: true, filters: {}, limit: 0, size: false })
  const there = new Set([...images.flatMap(({ tags }) => tags), ...[...networks, ...volumes, ...containers].map(({ name }) => name)])
  for (const [name, expected] of things) expect([name, there.has(name)]).toEqual([name, expected])
  for (const name of ['built:1', 'committed:1', 'tagged:1', 'volume0', 'volume1', `${config.instance}n0`, `${config.instance}n1`])
    things.set(name, there.has(name))
}

async function verify(): Promise<void> {
  const list = await agent.call<ContainerSummary[]>('containers.list', { all: true, filters: {}, limit: 0, size: false })
  const byName = new Map(list.map((container) => [container.name, container]))
  const ids = new Set(list.map(({ id }) => id))
  expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([])
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
    // Its own end removes this one; whether it is gone is asked with the other things.
    if (name === 'brief') continue
    expect(open.has(name), `${name} was acknowledged as removed`).toBe(true)
    // Cut off between two names: it has one of them.
    const plain = name.replace(/-renamed$/, '')
    if (plain !== name) {
      await agent.call('containers.rename', id, plain)
      acknowledged.add(id)
      known.set(plain, { id, running: state.status === 'running', pid: state.pid || null })
      continue
    }
    acknowledged.add(id)
    // A cut-off pause may have left it frozen: whichever it is, it can be had again.
    if (state.status === 'paused') await agent.call('containers.unpause', name)
    known.set(name, { id, running: state.status === 'running' || state.status === 'paused', pid: state.pid || null })
  }
  open.clear()
}

it(`survives ${kills} kills`, async () => {
  for (let done = 0; done < kills; done++) {
    agent = new AgentProcess(bundle, config)
    if (random(10) === 0) {
      // While it comes up, too.
      await sleep(random(150))
      await agent.kill()
      continue
    }
    await agent.ready
    await verify()
    await verifyThings()
    const lanes = [work(0), work(1), work(2)]
    await sleep(random(120))
    await agent.kill()
    await Promise.all(lanes)
  }
  agent = new AgentProcess(bundle, config)
  await agent.ready
  await verify()
  await verifyThings()
  await agent.call('containers.remove', 'brief', { force: true, volumes: true }).catch((error: { code?: string }) => {
    expect(error.code).toBe('not_found')
  })
  for (const name of known.keys()) await agent.call('containers.remove', name, { force: true, volumes: true })
  for (const name of ['n0', 'n1']) if (things.get(config.instance + name)) await agent.call('networks.remove', config.instance + name)
  await agent.stop()
  expect(await settledLeftovers(config)).toEqual([])
}, 900_000)
