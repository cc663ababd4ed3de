/**
 * What clock.itest.ts bundles and runs in a machine of its own: the clock is set back and forward by hours while containers run. Prints a line `ok WHAT` for
 * each step; a step that fails ends it with the reason.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { logQuery } from '@berth/contract/log'
import { openTestEngine, testConfig } from './engine.ts'

if (process.env.BERTH_GUEST !== '1') throw new Error('this sets the clock: it runs in the guest of clock.itest.ts alone')
const hour = 3600_000
const engine = await openTestEngine(testConfig())

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  await work()
  console.log(`ok ${what}`)
}

function setClock(byMs: number): void {
  execFileSync('busybox', ['date', '-s', `@${Math.floor((Date.now() + byMs) / 1000)}`], { stdio: 'ignore' })
}

/** Waits for something that comes by itself. */
async function until<T>(what: string, look: () => Promise<T | false | null | undefined>): Promise<T> {
  // Not by the clock that is being set.
  for (let attempt = 0; attempt < 600; attempt++) {
    const found = await look()
    if (found) return found
    await sleep(100)
  }
  throw new Error(`did not happen: ${what}`)
}

const lines = async (container: string, query: object = {}) =>
  (await engine.logs.read(logQuery.parse({ container, limit: 10_000, ...query }))).records
const inspect = (id: string) => engine.containers.inspect(id)
const quiet = { image: 'busybox:1', networkMode: 'none', stopTimeoutSeconds: 0 }

try {
  const ticker = await engine.run({
    ...quiet,
    cmd: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done'],
    healthcheck: { test: ['CMD', 'true'], intervalMs: 500, timeoutMs: 10_000, retries: 3, startPeriodMs: 0, startIntervalMs: 0 },
  })
  const failing = await engine.run({ ...quiet, cmd: ['sh', '-c', 'sleep 0.1; exit 3'], restart: { name: 'always', maximumRetryCount: 0 } })
  const probes = async () => (await inspect(ticker)).state.health.log.at(-1)?.startedAt
  const goesOn = async (what: string) => {
    const [lineBefore, probeBefore, restartsBefore] = [
      (await lines(ticker)).length,
      await probes(),
      (await inspect(failing)).state.restartCount,
    ]
    await until(`${what}: a line`, async () => (await lines(ticker)).length > lineBefore + 2)
    await until(`${what}: a health check`, async () => (await probes()) !== probeBefore)
    await until(`${what}: a restart`, async () => (await inspect(failing)).state.restartCount > restartsBefore)
    assert.equal((await inspect(ticker)).state.health.status, 'healthy')
    const { sample } = await engine.stats.sample(ticker)
    assert(
      sample.cpu.percent !== null && sample.cpu.percent >= 0 && sample.cpu.percent < 200,
      `${what}: ${sample.cpu.percent} % of processors`,
    )
  }
  await goesOn('before')
  const numbers = async (query: object) => (await lines(ticker, query)).map(({ text }) => Number(text))
  const beforeBack = Date.now()
  const lastBefore = (await lines(ticker)).length

  await step('set back by three hours, everything goes on', async () => {
    setClock(-3 * hour)
    await goesOn('back')
  })
  await step('logs are found by the times that they bear', async () => {
    const late = new Date(beforeBack - hour).toISOString()
    const early = await numbers({ until: late })
    assert(early.length > 2 && (early[0] as number) >= lastBefore, `those since the clock was set: ${early.slice(0, 3)}`)
    const old = await numbers({ since: late })
    assert.equal(old[0], 1)
    assert(old.length >= lastBefore && old.length <= lastBefore + 5, `those from before: ${old.length}, there were ${lastBefore}`)
    const all = await numbers({})
    assert.deepEqual(
      all,
      Array.from({ length: all.length }, (_, at) => at + 1),
    )
  })
  await step('events are told by number, none lost', async () => {
    const past = engine.events.query({})
    assert.deepEqual(
      past.map(({ sequence }) => sequence),
      past.map((_, at) => (past[0]?.sequence as number) + at),
    )
  })
  await step('an agent that begins then finds what began in its future', async () => {
    const { state } = await inspect(ticker)
    assert(Date.parse(state.startedAt as string) > Date.now())
    await engine.reopen()
    const again = (await inspect(ticker)).state
    assert.deepEqual([again.status, again.pid, again.startedAt], ['running', state.pid, state.startedAt])
    await goesOn('back and opened again')
  })
  await step('statistics of the past hour are in order', async () => {
    await until('two points', async () => engine.stats.history(ticker).length > 1)
    const times = engine.stats.history(ticker).map(({ at }) => at)
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    )
    assert((times.at(-1) as number) <= Date.now() + 5000, 'nothing lies in the future')
  })
  await step('set forward by eight hours, everything goes on', async () => {
    setClock(8 * hour)
    await goesOn('forward')
    // A restart is not taken for one after eight hours of health: the delay goes on growing.
    assert((await inspect(failing)).state.restartCount < 60)
    const waiting = engine.containers.wait(ticker, 'next-exit')
    await engine.containers.stop(ticker)
    assert.equal((await waiting).exitCode, 137)
    const { startedAt, finishedAt } = (await inspect(ticker)).state
    assert(Date.parse(finishedAt as string) - Date.parse(startedAt as string) > 4 * hour)
  })
  await step('a follower that waits for a moment gets there by time that passes', async () => {
    const talking = await engine.run({ ...quiet, cmd: ['sh', '-c', 'while :; do echo x; sleep 0.2; done'] })
    let heard = 0
    const over = engine.logs.raw(
      {
        container: talking,
        stdout: true,
        stderr: true,
        tail: null,
        follow: true,
        until: new Date(Date.now() + 3000).toISOString(),
      },
      async (records) => {
        heard += records.length
      },
      new AbortController().signal,
    )
    setClock(-2 * hour)
    await over
    assert(heard > 0)
  })
} finally {
  await engine.destroy()
}
// A step that never settled would let Node end quietly.
console.log('done')
process.exit(0)
