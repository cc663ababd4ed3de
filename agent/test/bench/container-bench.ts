/**
 * A container's life through the Engine API, ours against dockerd in the same run, rounds interleaved: create + start + wait + remove of `true`, on a bridge
 * and without a network, with nothing else running and with 200 containers; an exec; listing; memory; what sampling costs.
 * Run as root: `npx tsx agent/test/bench/container-bench.ts [rounds] [containers]`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadBusybox, type MeasuredEngine, processorMs, proportionalKb, removeEveryContainer, startBerth, startDockerd } from './engines.ts'
import { interleaved, median } from './rounds.ts'

const rounds = Number(process.argv[2] ?? 15)
const many = Number(process.argv[3] ?? 200)
async function create(engine: MeasuredEngine, command: string[], network: string): Promise<string> {
  const body = { Image: 'busybox:1', Cmd: command, HostConfig: { NetworkMode: network } }
  return (await engine.api.call<{ Id: string }>('POST', '/containers/create', body)).Id
}

async function life(engine: MeasuredEngine, network: string): Promise<void> {
  const id = await create(engine, ['true'], network)
  await engine.api.call('POST', `/containers/${id}/start`)
  await engine.api.call('POST', `/containers/${id}/wait`)
  await engine.api.call('DELETE', `/containers/${id}`)
}

async function exec(engine: MeasuredEngine, container: string): Promise<void> {
  const { Id } = await engine.api.call<{ Id: string }>('POST', `/containers/${container}/exec`, { Cmd: ['true'], AttachStdout: true })
  await engine.api.drain(`/exec/${Id}/json`)
  await engine.api.call('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })
  await engine.api.call('GET', `/exec/${Id}/json`)
}

/** Medians of interleaved rounds, so that the machine's moods meet every engine alike. */
async function compare(
  what: string,
  engines: MeasuredEngine[],
  work: (engine: MeasuredEngine) => Promise<unknown>,
): Promise<Map<string, number>> {
  const times = await interleaved(what, engines, rounds, work)
  if (!times) return new Map()
  const medians = new Map([...times].map(([name, values]) => [name, median(values)]))
  const [ours, theirs] = [medians.get('berth') as number, medians.get('dockerd')]
  const ratio = theirs === undefined ? '' : `  ratio ${(ours / theirs).toFixed(3)}`
  console.log(`${what.padEnd(44)} ${[...medians].map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join('  ')}${ratio}`)
  return medians
}

function memory(what: string, engines: MeasuredEngine[]): void {
  const text = engines.map((engine) => {
    const family = engine.family()
    return `${engine.name} ${(proportionalKb([engine.pid]) / 1024).toFixed(1)} MB alone, ${(proportionalKb(family) / 1024).toFixed(1)} MB with its ${family.length - 1} helpers`
  })
  console.log(`${what.padEnd(44)} ${text.join('; ')}`)
}

const engines = [await startBerth(), await startDockerd()]
const [berth] = engines as [MeasuredEngine, MeasuredEngine]
const running = new Map<MeasuredEngine, string[]>(engines.map((engine) => [engine, []]))
try {
  for (const engine of engines) loadBusybox(engine)
  await sleep(2000)
  memory('idle, proportional memory', engines)
  const empty = await compare('life of `true`, bridge', engines, (engine) => life(engine, 'bridge'))
  await compare('life of `true`, no network', engines, (engine) => life(engine, 'none'))
  for (const engine of engines) {
    const id = await create(engine, ['sleep', '100000'], 'none')
    await engine.api.call('POST', `/containers/${id}/start`)
    running.get(engine)?.push(id)
  }
  await compare('exec of `true`', engines, (engine) => exec(engine, running.get(engine)?.[0] as string))
  await compare('list, 1 container', engines, (engine) => engine.api.call('GET', '/containers/json?all=1'))
  await sleep(1000)
  const before = proportionalKb([berth.pid])
  for (const engine of engines)
    for (let at = 1; at < many; at++) {
      const id = await create(engine, ['sleep', '100000'], 'none')
      await engine.api.call('POST', `/containers/${id}/start`)
      running.get(engine)?.push(id)
    }
  await sleep(6000)
  memory(`${many} running, proportional memory`, engines)
  console.log(`${'agent, for each running container'.padEnd(44)} ${((proportionalKb([berth.pid]) - before) / (many - 1)).toFixed(1)} kB`)
  const full = await compare(`life of \`true\`, bridge, ${many} running`, engines, (engine) => life(engine, 'bridge'))
  for (const { name } of engines)
    if (full.has(name) && empty.has(name))
      console.log(
        `${`${name}: with ${many} against empty`.padEnd(44)} ${((full.get(name) as number) / (empty.get(name) as number)).toFixed(2)} ×`,
      )
  await compare(`list, ${many} containers`, engines, (engine) => engine.api.call('GET', '/containers/json?all=1'))
  await sleep(6000)
  const seconds = 15
  const begun = processorMs([berth.pid])
  await sleep(seconds * 1000)
  console.log(
    `${`agent with ${many} running, nobody looks`.padEnd(44)} ${((processorMs([berth.pid]) - begun) / seconds / 10).toFixed(2)} % of a core`,
  )
} finally {
  for (const engine of engines) {
    await removeEveryContainer(engine)
    await engine.stop()
  }
}
