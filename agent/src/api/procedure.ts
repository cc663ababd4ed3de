import { type ProcedureName, procedurePermissions } from '@berth/contract/permission'
import { initTRPC } from '@trpc/server'
import { EngineError } from '../errors.ts'
import type { ApiContext } from './context.ts'
import { engineCodeOf, toTrpcError } from './error-table.ts'
import { requirePermission } from './policy.ts'

/** JSON only: nothing in the contract needs a transformer, and the dashboard relays bodies as they are. */
const trpc = initTRPC.context<ApiContext>().create({
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    message: error.cause?.name === 'ZodError' ? sentenceOfIssues(error.cause) : shape.message,
    data: { code: shape.data.code, httpStatus: shape.data.httpStatus, path: shape.data.path, errorCode: engineCodeOf(error) },
  }),
})

/** `name: use letters, digits, …; options.image: Too small` from a ZodError. */
function sentenceOfIssues(error: unknown): string {
  const issues = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues ?? []
  return issues.map((issue) => `${issue.path.map(String).join('.') || 'input'}: ${issue.message}`).join('; ') || 'the input is not valid'
}

export const router = trpc.router
export const createCaller = trpc.createCallerFactory

/** A procedure that has passed the permission table and the host's policy; whatever the engine throws is translated here and nowhere else. */
export const procedure = trpc.procedure.use(async ({ ctx, path, next }) => {
  const needed = procedurePermissions[path as ProcedureName]
  if (!needed) throw toTrpcError(new EngineError('not_found', `no permission is written down for procedure "${path}"`))
  try {
    requirePermission(ctx.caller, needed, ctx.engine.config.policy)
  } catch (error) {
    throw toTrpcError(error)
  }
  const result = await next()
  if (!result.ok && result.error.code === 'INTERNAL_SERVER_ERROR' && result.error.cause) throw toTrpcError(result.error.cause)
  return result
})
