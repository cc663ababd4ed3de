/**
 * One container in memory: its record, and what lives only while the agent does (task, lease, viewers, waiters). Holds no decisions; the files named after
 * the changes do.
 */
import type { ContainerStatus } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import type { Attachment, Ending, Exit, Task, WaitingViewer } from '../tasks/tasks.ts'
import { now } from './clock.ts'
import type { ContainerRecord } from './record.ts'
import { ShownState } from './shown-state.ts'

interface Waiter {
  condition: 'not-running' | 'next-exit' | 'removed'
  resolve(result: { exitCode: number; error: string }): void
}

export class Container extends ShownState {
  readonly id: string
  /** When its task began, by the monotonic clock. */
  #begunMs = 0
  lastRestartDelayMs = 0
  /** Stop or kill was asked for since the start: its end is not a failure to be mended. */
  stopRequested = false
  /** `restart` is between stop and start: neither auto-remove nor the policy may act. */
  restarting = false
  stopHealth: (() => void) | null = null
  /** Viewers that came before the start. */
  viewers: (Attachment & WaitingViewer)[] = []
  execIds = new Set<string>()
  /** Those of them that are over: they can still be asked for their exit status for a while. */
  endedExecIds = new Set<string>()
  #waiters = new Set<Waiter>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(record: ContainerRecord) {
    super(record)
    this.id = record.id
  }

  get name(): string {
    return this.record.name
  }

  get status(): ContainerStatus {
    if (this.removing) return 'removing'
    if (this.task) return this.record.state.paused ? 'paused' : 'running'
    if (this.restartTimer) return 'restarting'
    // The record claims `running` a moment before the process is there.
    if (this.starting)
      return this.record.state.restartCount > 0 ? 'restarting' : this.record.state.startedAt === null ? 'created' : 'exited'
    return this.record.state.status === 'running' ? 'exited' : this.record.state.status
  }

  /** Its task runs; `ranMs` says for how long already, where an earlier agent started it. */
  begin(task: Task, ranMs = 0): void {
    this.task = task
    this.#begunMs = performance.now() - ranMs
  }

  /** How long the task has run. Not the difference of two wall times: an hour that the clock was set back or forward is no hour that it ran. */
  ranMs(): number {
    return performance.now() - this.#begunMs
  }

  get running(): boolean {
    return this.task !== null
  }

  change(state: Partial<ContainerRecord['state']>): void {
    this.record = { ...this.record, state: { ...this.record.state, ...state } }
  }

  /** Runs after every earlier change of this container has finished, well or not. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(run, run)
    this.#turn = next.catch(() => {})
    return next
  }

  /** Registers at once, in this very call. @throws EngineError cancelled by the signal */
  wait(condition: Waiter['condition'], signal?: AbortSignal): Promise<{ exitCode: number; error: string }> {
    if (condition === 'not-running' && !this.running && !this.restartTimer && !this.starting)
      return Promise.resolve({ exitCode: this.record.state.exitCode, error: this.record.state.error })
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        condition,
        resolve: (result) => {
          signal?.removeEventListener('abort', abort)
          resolve(result)
        },
      }
      const abort = () => {
        this.#waiters.delete(waiter)
        reject(new EngineError('cancelled', `waiting for container ${this.name} was cancelled`))
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** Tells those who wait for an exit. */
  exited(result: { exitCode: number; error: string }): void {
    this.#settle(result, (waiter) => waiter.condition !== 'removed')
  }

  /** Tells everybody who still waits. */
  removed(result: { exitCode: number; error: string }): void {
    this.#settle(result, () => true)
  }

  #settle(result: { exitCode: number; error: string }, chosen: (waiter: Waiter) => boolean): void {
    for (const waiter of [...this.#waiters])
      if (chosen(waiter)) {
        this.#waiters.delete(waiter)
        waiter.resolve(result)
      }
  }

  cancelRestart(): void {
    if (this.restartTimer) clearTimeout(this.restartTimer)
    this.restartTimer = null
  }
}

/** State of a record after an exit. */
export function endedState(exit: Exit): Partial<ContainerRecord['state']> {
  return {
    status: 'exited',
    paused: false,
    exitCode: exit.exitCode,
    signal: exit.signal,
    oomKilled: exit.oomKilled,
    startedAt: exit.startedAt,
    finishedAt: exit.exitedAt,
    error: '',
  }
}

/** Docker's exit code for a process whose end nobody saw. */
const lostExitCode = 255

/** The exit of an ending; for a lost monitor one that says so. */
export function exitOf(ending: Ending, startedAt: string): Exit {
  if ('exit' in ending) return ending.exit
  return { exitCode: lostExitCode, signal: null, oomKilled: false, startedAt, exitedAt: now() }
}
