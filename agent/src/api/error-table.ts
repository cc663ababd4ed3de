import type { ErrorCode } from '@berth/contract/error'
import { TRPCError } from '@trpc/server'
import { codeOf, messageOf } from '../errors.ts'

/** The one translation of engine errors at this edge: tRPC's code word and the HTTP status of data routes. */
export const errorTable = {
  invalid_argument: { trpc: 'BAD_REQUEST', http: 400 },
  unauthenticated: { trpc: 'UNAUTHORIZED', http: 401 },
  permission_denied: { trpc: 'FORBIDDEN', http: 403 },
  not_found: { trpc: 'NOT_FOUND', http: 404 },
  already_exists: { trpc: 'CONFLICT', http: 409 },
  failed_precondition: { trpc: 'PRECONDITION_FAILED', http: 412 },
  resource_exhausted: { trpc: 'TOO_MANY_REQUESTS', http: 429 },
  cancelled: { trpc: 'CLIENT_CLOSED_REQUEST', http: 499 },
  unavailable: { trpc: 'SERVICE_UNAVAILABLE', http: 503 },
  data_loss: { trpc: 'INTERNAL_SERVER_ERROR', http: 500 },
  internal: { trpc: 'INTERNAL_SERVER_ERROR', http: 500 },
} as const satisfies Record<ErrorCode, { trpc: TRPCError['code']; http: number }>

/** What a procedure throws instead of `error`; the engine's code is found again by `engineCodeOf`. */
export function toTrpcError(error: unknown): TRPCError {
  if (error instanceof TRPCError) return error
  return new TRPCError({ code: errorTable[codeOf(error)].trpc, message: messageOf(error), cause: error })
}

/** The engine's code of a TRPCError: that of its cause, or the one whose tRPC word it carries (input that did not parse, unknown procedure). */
export function engineCodeOf(error: TRPCError): ErrorCode {
  const own = error.cause ? codeOf(error.cause) : 'internal'
  if (own !== 'internal') return own
  const entry = Object.entries(errorTable).find(([, row]) => row.trpc === error.code)
  return error.code === 'INTERNAL_SERVER_ERROR' ? 'internal' : ((entry?.[0] as ErrorCode | undefined) ?? 'internal')
}
