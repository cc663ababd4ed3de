import type { Operation, OperationProgress, operationKinds } from '@berth/contract/operation'

export interface OperationContext {
  readonly id: string
  /** Aborted by cancel or shutdown. */
  readonly signal: AbortSignal
  progress(line: OperationProgress): void
}

/** Long work with an id. Finished ones are kept (the last 200) for the activity page; running ones end as `failed` when the agent dies, and say so. */
export interface Operations {
  /** Begins at once. `done` gives the result or rejects with the EngineError; unhandled rejections are the operation's own business, not the caller's. */
  start<T>(
    about: { kind: (typeof operationKinds)[number]; subject: string; startedBy: string },
    run: (context: OperationContext) => Promise<T>,
  ): { operation: Operation; done: Promise<T> }
  /** @throws not_found */
  inspect(id: string): Operation
  list(): Operation[]
  /** @throws not_found; does nothing to a finished one. */
  cancel(id: string): void
  /** Every progress line and the last state. Returns a function that leaves. @throws not_found */
  watch(id: string, listener: { progress(line: OperationProgress): void; state(operation: Operation): void }): () => void
}
