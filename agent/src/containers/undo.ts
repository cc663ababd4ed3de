import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'

/** Steps back, run newest first when a change fails half-way. Each must be safe to run against a step that did not finish. */
export class Undo {
  readonly #steps: (() => Promise<unknown> | unknown)[] = []

  push(step: () => Promise<unknown> | unknown): void {
    this.#steps.push(step)
  }

  /** Runs every step, also behind one that fails: what fails is named in the log, for reconcile at the next boot finds the rest. */
  async run(log: Logger): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'a step back after a failed change failed itself')
      }
    }
  }
}
