/** Pure: whether and when a container that ended is started again. */
import type { RestartPolicy } from '@berth/contract/container'

export interface RestartHistory {
  /** Times the engine restarted it since a person started it. */
  count: number
  /** Delay used last; 0 = none yet. */
  lastDelayMs: number
}

export interface EndedRun {
  exitCode: number
  /** How long it ran. */
  ranMs: number
  /** A person or API call asked for the end. */
  manuallyStopped: boolean
}

const firstDelayMs = 100
const longestDelayMs = 60_000
/** A run this long was healthy: the delay starts again from the first. */
const healthyMs = 10_000

/** The delay before the next start, or null when it stays stopped. */
export function nextRestart(policy: RestartPolicy, history: RestartHistory, run: EndedRun): number | null {
  if (run.manuallyStopped) return null
  const wanted =
    policy.name === 'always' ||
    policy.name === 'unless-stopped' ||
    (policy.name === 'on-failure' && run.exitCode !== 0 && (policy.maximumRetryCount === 0 || history.count < policy.maximumRetryCount))
  if (!wanted) return null
  if (history.lastDelayMs === 0 || run.ranMs >= healthyMs) return firstDelayMs
  return Math.min(history.lastDelayMs * 2, longestDelayMs)
}

/**
 * Whether a container that does not run is started when the agent comes up.
 * @param wasRunning it ran when the agent or the machine went down
 * @param rebooted the machine was booted since
 */
export function startsAtBoot(
  policy: RestartPolicy,
  last: { wasRunning: boolean; rebooted: boolean; everStarted: boolean; manuallyStopped: boolean; exitCode: number; restartCount: number },
): boolean {
  switch (policy.name) {
    case 'always':
      return last.everStarted
    case 'unless-stopped':
      return last.everStarted && !last.manuallyStopped
    case 'on-failure':
      // A machine that went down under it is a failure too; one that ended well before stays so.
      return (
        last.everStarted &&
        !last.manuallyStopped &&
        (last.wasRunning || last.exitCode !== 0) &&
        (policy.maximumRetryCount === 0 || last.restartCount < policy.maximumRetryCount)
      )
    default:
      return false
  }
}
