import type { ErrorCode } from '@berth/contract/error'
import { ZodError } from 'zod'
import { codeOf, messageOf, StartError } from '../errors.ts'
import { startErrorText } from './start-error.ts'

/** The one table from our codes to the status codes that Docker clients expect. */
export const statusOf: Record<ErrorCode, number> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 409,
  resource_exhausted: 500,
  cancelled: 499,
  unavailable: 503,
  data_loss: 500,
  internal: 500,
}

/** Status and body in Docker's shape. */
export function failure(error: unknown): { status: number; body: { message: string } } {
  if (error instanceof ZodError) {
    const [issue] = error.issues
    return {
      status: 400,
      body: { message: `invalid parameter ${issue?.path.map(String).join('.') || 'in the request'}: ${issue?.message}` },
    }
  }
  const message = error instanceof StartError ? startErrorText(error.message, error.step) : messageOf(error)
  // No such program is the request's fault: Docker says 400, and 404 would mean the container.
  const status = error instanceof StartError && error.exitStatus !== null ? 400 : statusOf[codeOf(error)]
  return { status, body: { message } }
}
