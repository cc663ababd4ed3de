import type { HealthStatus } from '@berth/contract/container'
import type { NetworkLease } from '../networks/networks.ts'
import type { Task } from '../tasks/tasks.ts'
import type { ContainerRecord } from './record.ts'

export interface HealthState {
  readonly status: HealthStatus
  readonly failingStreak: number
  readonly log: { startedAt: string; endedAt: string; exitCode: number; output: string }[]
}

interface Shown {
  record: ContainerRecord
  task: Task | null
  lease: NetworkLease | null
  removing: boolean
  starting: boolean
  restartTimer: NodeJS.Timeout | null
  health: HealthState
  oomSeen: boolean
}

/** Everything of a container that a list tells and that changes. Each change is told to the index, so that a list which nothing has changed need not be made again. */
export class ShownState {
  readonly #shown: Shown
  /** Set by the index. */
  changed: () => void = () => undefined

  constructor(record: ContainerRecord) {
    const health: HealthState = { status: 'none', failingStreak: 0, log: [] }
    this.#shown = { record, task: null, lease: null, removing: false, starting: false, restartTimer: null, health, oomSeen: false }
  }

  #set<Name extends keyof Shown>(name: Name, value: Shown[Name]): void {
    this.#shown[name] = value
    this.changed()
  }

  /** Replaced, never changed in place, so that whoever read it has one moment of it. */
  get record(): ContainerRecord {
    return this.#shown.record
  }
  set record(record) {
    this.#set('record', record)
  }

  get task(): Task | null {
    return this.#shown.task
  }
  set task(task) {
    this.#set('task', task)
  }

  /** Replaced, never changed in place. */
  get lease(): NetworkLease | null {
    return this.#shown.lease
  }
  set lease(lease) {
    this.#set('lease', lease)
  }

  get removing(): boolean {
    return this.#shown.removing
  }
  set removing(removing) {
    this.#set('removing', removing)
  }

  /** A start is under way: it counts as not running, but nobody may remove it. */
  get starting(): boolean {
    return this.#shown.starting
  }
  set starting(starting) {
    this.#set('starting', starting)
  }

  /** A restart is due; cancelling it is how stop and remove end the waiting. */
  get restartTimer(): NodeJS.Timeout | null {
    return this.#shown.restartTimer
  }
  set restartTimer(timer) {
    this.#set('restartTimer', timer)
  }

  /** Replaced, never changed in place. */
  get health(): HealthState {
    return this.#shown.health
  }
  set health(health) {
    this.#set('health', health)
  }

  get oomSeen(): boolean {
    return this.#shown.oomSeen
  }
  set oomSeen(seen) {
    this.#set('oomSeen', seen)
  }
}
