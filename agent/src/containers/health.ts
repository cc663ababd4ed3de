/** Health checks: an exec in the container at intervals, Docker's rules for what its result means. */
import { containerState } from '@berth/contract/container'
import type { Healthcheck } from '@berth/contract/image'
import { readTextIfExists, writeFileAtomic } from '../disk/files.ts'
import { messageOf } from '../errors.ts'
import { afterLong } from '../events/long-timer.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { runProbe } from './probe.ts'
import type { HealthState } from './shown-state.ts'

export interface ProbeResult {
  startedAt: string
  endedAt: string
  exitCode: number
  output: string
}

export const healthDefaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 }
const keptResults = 5
const healthFile = 'health.json'

export interface Rhythm {
  intervalMs: number
  timeoutMs: number
  startPeriodMs: number
  startIntervalMs: number
  retries: number
}

/** What the options mean, with Docker's defaults for what is 0 or absent. */
export function rhythmOf(check: Healthcheck): Rhythm {
  return {
    intervalMs: check.intervalMs || healthDefaults.intervalMs,
    timeoutMs: check.timeoutMs || healthDefaults.timeoutMs,
    startPeriodMs: check.startPeriodMs || healthDefaults.startPeriodMs,
    startIntervalMs: check.startIntervalMs || healthDefaults.startIntervalMs,
    retries: check.retries || healthDefaults.retries,
  }
}

/** The state after a result (pure): success heals at once, failures count only after the start period or once it was healthy. */
export function afterProbe(state: HealthState, result: ProbeResult, rhythm: Rhythm, sinceStartMs: number): HealthState {
  const log = [...state.log, result].slice(-keptResults)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  if (state.status === 'starting' && sinceStartMs < rhythm.startPeriodMs) return { ...state, log }
  const failingStreak = state.failingStreak + 1
  return { status: failingStreak >= rhythm.retries ? 'unhealthy' : state.status, failingStreak, log }
}

/** Time until the next probe: the shorter interval while it starts. */
export function nextProbeMs(state: HealthState, rhythm: Rhythm, sinceStartMs: number): number {
  return state.status === 'starting' && sinceStartMs < rhythm.startPeriodMs ? rhythm.startIntervalMs : rhythm.intervalMs
}

/**
 * Begins probing until the container ends or stopHealth() is called.
 * @param known the state that an earlier agent left, for a container that goes on running; null begins anew
 */
export function startHealth(context: Context, container: Container, known: HealthState | null = null): void {
  container.stopHealth?.()
  const check = container.record.effective.healthcheck
  const { task } = container
  // A kind that nobody knows is kept, told and never probed, as in Docker.
  if (!check || !task || !['CMD', 'CMD-SHELL'].includes(check.test[0] as string)) {
    container.health = { status: 'none', failingStreak: 0, log: [] }
    return
  }
  const rhythm = rhythmOf(check)
  const abort = new AbortController()
  let cancel = () => {}
  container.health = known ?? { status: 'starting', failingStreak: 0, log: [] }
  const plan = () => {
    cancel = afterLong(nextProbeMs(container.health, rhythm, container.ranMs()), probe)
  }
  const probe = async () => {
    try {
      // A frozen container cannot answer; it is neither well nor ill.
      if (!container.record.state.paused) {
        const result = await runProbe(context, container, check.test, rhythm.timeoutMs, abort.signal)
        if (abort.signal.aborted) return
        const before = container.health.status
        container.health = afterProbe(container.health, result, rhythm, container.ranMs())
        await keepHealth(context.paths.run(container.id), container.health)
        if (container.health.status !== before) context.tell(container, `health_status: ${container.health.status}`)
      }
    } catch (error) {
      if (abort.signal.aborted) return
      context.log.warn({ id: container.id, reason: messageOf(error) }, 'a health check could not be run')
    }
    if (!abort.signal.aborted) plan()
  }
  container.stopHealth = () => {
    abort.abort()
    cancel()
    container.stopHealth = null
  }
  plan()
}

/** In the run directory, which goes with the run: what is known of a container's health is worth no write to the disk at every probe. */
async function keepHealth(runDir: string, health: HealthState): Promise<void> {
  await writeFileAtomic(`${runDir}/${healthFile}`, JSON.stringify(health), { durable: false })
}

/** What the agent before this one knew; null when it knew nothing. */
export async function keptHealth(runDir: string): Promise<HealthState | null> {
  const text = await readTextIfExists(`${runDir}/${healthFile}`)
  if (text === null) return null
  try {
    return containerState.shape.health.parse(JSON.parse(text))
  } catch {
    // Cut off while it was written: the next probe tells.
    return null
  }
}
