import type { ContainerSummary } from '@berth/contract/container'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { summaryOf } from './view.ts'

/** Everything that a summary is made of and that changes: a record and a lease are replaced, never changed in place, a task is another one at each start. */
interface Basis {
  record: Container['record']
  task: Container['task']
  lease: Container['lease']
  status: Container['status']
  health: Container['health']['status']
  oomSeen: boolean
}

function basisOf({ record, task, lease, status, health, oomSeen }: Container): Basis {
  return { record, task, lease, status, health: health.status, oomSeen }
}

/** Field by field, without an object of its own: a list asks it of every container. */
function isBasisOf(basis: Basis, { record, task, lease, status, health, oomSeen }: Container): boolean {
  return (
    basis.record === record &&
    basis.task === task &&
    basis.lease === lease &&
    basis.status === status &&
    basis.health === health.status &&
    basis.oomSeen === oomSeen
  )
}

/**
 * Summaries as they were told last, so that a list of hundreds is made of those that changed. Whoever gets the same object twice may know that nothing about it
 * has changed; nobody may change it.
 */
export class Summaries {
  readonly #context: Context
  readonly #told = new WeakMap<Container, { basis: Basis; summary: ContainerSummary }>()
  constructor(context: Context) {
    this.#context = context
  }

  /** Without sizes and names by links. */
  of(container: Container): ContainerSummary {
    const told = this.#told.get(container)
    if (told && isBasisOf(told.basis, container)) return told.summary
    const summary = summaryOf(this.#context, container, null)
    if (standsAlone(container)) this.#told.set(container, { basis: basisOf(container), summary })
    else {
      this.#told.delete(container)
      container.changed()
    }
    return summary
  }
}

/** Others may be different the next time, without a change of their own. While a container does not run, what its summary says of a network that it wants is that network's business: it may be removed meanwhile. */
function standsAlone({ lease, record }: Container): boolean {
  return lease !== null || ['host', 'none'].includes(record.options.networkMode) || Object.keys(record.networks).length === 0
}
