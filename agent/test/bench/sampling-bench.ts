/**
 * What statistics cost: processor time of one core while 200 running containers are sampled each second with full detail for a viewer, and while nobody
 * looks; bytes of the hour that is kept. In this process, with nothing else in it. Run as root: `npx tsx agent/test/bench/sampling-bench.ts [containers]`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { historyStepMs, StatsHistory } from '../../src/tasks/stats-history.ts'
import { openTestEngine } from '../engine.ts'

const many = Number(process.argv[2] ?? 200)
const seconds = 10
const engine = await openTestEngine()

async function percentOfCore(): Promise<number> {
  const before = process.cpuUsage()
  await sleep(seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e4 / seconds
}

try {
  for (let at = 0; at < many; at++)
    await engine.run({ image: 'busybox:1', cmd: ['sleep', '100000'], networkMode: at % 10 ? 'none' : 'bridge', stopTimeoutSeconds: 0 })
  await sleep(2 * historyStepMs)
  console.log(`${many} containers, nobody looks:      ${(await percentOfCore()).toFixed(2)} % of a core`)
  let samples = 0
  const leave = engine.stats.subscribe({ containers: 'all', host: true }, ({ containers }) => {
    samples += containers.length
  })
  await sleep(2000)
  samples = 0
  const watched = await percentOfCore()
  leave()
  console.log(
    `${many} containers, sampled each second: ${watched.toFixed(2)} % of a core (${(samples / seconds).toFixed(0)} samples a second)`,
  )
  console.log(`an hour of one container:         ${(new StatsHistory(8).bytes / 1024).toFixed(1)} KB`)
} finally {
  await engine.destroy()
}
