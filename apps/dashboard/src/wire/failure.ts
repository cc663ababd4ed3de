import { type ErrorCode, errorCodes, type WireError } from '@berth/contract/error'
import { TRPCClientError } from '@trpc/client'

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
    if (errorCodes.includes(code as ErrorCode)) return { code: code as ErrorCode, message: error.message }
    return { code: error.data ? 'internal' : 'unavailable', message: error.message }
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}
