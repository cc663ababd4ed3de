import type { ErrorCode, WireError } from '@berth/contract/error'
import { TRPCClientError } from '@trpc/client'

/** The contract's codes, spelled out here so that the page need not load the schemas' library for them; the compiler holds the list to the contract's. */
const known: Record<ErrorCode, true> = {
  invalid_argument: true,
  unauthenticated: true,
  permission_denied: true,
  not_found: true,
  already_exists: true,
  failed_precondition: true,
  resource_exhausted: true,
  cancelled: true,
  unavailable: true,
  data_loss: true,
  internal: true,
}

/** Whether a word off the wire is one of the contract's codes. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(known, code)
}

/** A refusal or breakdown as it came over the wire: one of the contract's codes and a sentence to show as it is. */
export class WireFailure extends Error {
  readonly code: ErrorCode
  constructor(error: WireError) {
    super(error.message)
    this.name = 'WireFailure'
    this.code = error.code
  }
}

/** Code and sentence of anything that a query, mutation or stream threw. A request that never got an answer is `unavailable`. */
export function failureOf(error: unknown): WireError {
  if (error instanceof WireFailure) return { code: error.code, message: error.message }
  if (error instanceof TRPCClientError) {
    const code = (error.data as { errorCode?: unknown } | null | undefined)?.errorCode
    if (isErrorCode(code)) return { code, message: error.message }
    return { code: error.data ? 'internal' : 'unavailable', message: error.message }
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}
