import type { ContainerSummary } from '@berth/contract/container'

export interface Trouble {
  kind: 'unhealthy' | 'looping' | 'oom' | 'error' | 'failed'
  /** When it came to this. */
  since: string | null
}

/** What is wrong with a container, if anything that is known for certain. Who was stopped by a person (SIGTERM, SIGKILL, SIGINT) is well. Pure. */
export function troubleOf({ state }: ContainerSummary): Trouble | null {
  if (state.status === 'restarting') return { kind: 'looping', since: state.finishedAt }
  if (state.status === 'running') return state.health === 'unhealthy' ? { kind: 'unhealthy', since: state.startedAt } : null
  if (state.status !== 'exited' && state.status !== 'created' && state.status !== 'dead') return null
  if (state.oomKilled) return { kind: 'oom', since: state.finishedAt }
  if (state.error) return { kind: 'error', since: state.finishedAt }
  const asked = [0, 130, 137, 143].includes(state.exitCode)
  return state.status === 'exited' && !asked ? { kind: 'failed', since: state.finishedAt } : null
}
