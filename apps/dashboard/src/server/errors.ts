import type { ErrorCode, WireError } from '@berth/contract/error'

/**
 * The one error of the dashboard's server: one of the contract's codes and a sentence that names the thing and the next step, shown to people as it is.
 * It never holds a secret. Each edge (tRPC, HTTP, sockets) translates the code by errorStatus below.
 */
export class ServerError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ServerError'
    this.code = code
  }
}

/** The table of design: tRPC's word and HTTP's number for each code. */
export const errorStatus = {
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
} as const satisfies Record<ErrorCode, { trpc: string; http: number }>

/** What may be told of anything thrown: a ServerError as it is; anything else is a bug, whose text stays in the log. */
export function wireErrorOf(error: unknown): WireError {
  if (error instanceof ServerError) return { code: error.code, message: error.message }
  return { code: 'internal', message: 'the dashboard failed at this; its log says why' }
}
