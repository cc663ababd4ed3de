import type { ErrorCode } from '@berth/contract/error'
import { initTRPC, TRPCError } from '@trpc/server'
import { errorStatus, ServerError, wireErrorOf } from '../errors.ts'
import type { ApiContext } from './context.ts'

/** JSON only. The shape of errors is the agent's, so that a browser reads both alike. */
const trpc = initTRPC.context<ApiContext>().create({
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    message: messageOf(error),
    data: { code: shape.data.code, httpStatus: shape.data.httpStatus, path: shape.data.path, errorCode: codeOf(error) },
  }),
})

/** What a procedure throws instead of anything else. */
export function toTrpcError(error: unknown): TRPCError {
  if (error instanceof TRPCError) return error
  return new TRPCError({ code: errorStatus[wireErrorOf(error).code].trpc, message: wireErrorOf(error).message, cause: error })
}

export function codeOf(error: TRPCError): ErrorCode {
  if (error.cause instanceof ServerError) return error.cause.code
  if (error.code === 'INTERNAL_SERVER_ERROR') return 'internal'
  return (Object.entries(errorStatus).find(([, row]) => row.trpc === error.code)?.[0] as ErrorCode | undefined) ?? 'invalid_argument'
}

/** A ZodError as `name: what it must be; …`. */
function messageOf(error: TRPCError): string {
  const issues = (error.cause as { issues?: { path: PropertyKey[]; message: string }[] } | undefined)?.issues
  if (error.code === 'BAD_REQUEST' && Array.isArray(issues))
    return issues.map((issue) => `${issue.path.map(String).join('.') || 'input'}: ${issue.message}`).join('; ')
  return error.code === 'INTERNAL_SERVER_ERROR' ? wireErrorOf(error.cause).message : error.message
}

export const router = trpc.router
export const base = trpc.procedure
