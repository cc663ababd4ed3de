import * as z from 'zod'

/**
 * The closed list of error codes. Every failure that leaves a room carries one of them; each edge (tRPC, HTTP, exit status)
 * translates them by one table of its own.
 */
export const errorCodes = [
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'already_exists',
  'failed_precondition',
  'resource_exhausted',
  'cancelled',
  'unavailable',
  'data_loss',
  'internal',
] as const

export const errorCode = z.enum(errorCodes)
export type ErrorCode = z.infer<typeof errorCode>

/** An error as it travels in socket acknowledgements and operation results. `message` is a sentence that names the thing and the next step. */
export const wireError = z.object({ code: errorCode, message: z.string() })
export type WireError = z.infer<typeof wireError>
