import type { Operation, operationKinds } from '@berth/contract/operation'
import type { OperationContext } from '../operations/operations.ts'
import type { ApiContext } from './context.ts'

/** Begins long work in the caller's name and answers the operation at once; its end is told by `operations.open`. */
export function begin(
  context: ApiContext,
  kind: (typeof operationKinds)[number],
  subject: string,
  run: (operation: OperationContext) => Promise<unknown>,
): Operation {
  const { operation, done } = context.engine.operations.start({ kind, subject, startedBy: context.caller.userName }, run)
  // The failure is kept in the operation and told to its watchers; nobody awaits it here.
  done.catch(() => {})
  return operation
}
