import type { ErrorCode } from '@berth/contract/error'
import { initTRPC, TRPCError } from '@trpc/server'
import type { Principal } from '../access/access.ts'
import { type DashboardPermission, type DashboardProcedure, dashboardPermissions } from '../access/dashboard-permissions.ts'
import type { Actor } from '../audit/audit.ts'
import { errorStatus, ServerError, wireErrorOf } from '../errors.ts'
import { subjectOf } from '../relay/host-permissions.ts'
import type { ApiContext, ApiRooms } from './context.ts'

/** JSON only. The shape of errors is the agent's, so that a browser reads both alike. */
const trpc = initTRPC.context<ApiContext>().create({
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    message: messageOf(error),
    data: { code: shape.data.code, httpStatus: shape.data.httpStatus, path: shape.data.path, errorCode: codeOf(error) },
  }),
})

function toTrpcError(error: unknown): TRPCError {
  const wire = wireErrorOf(error)
  return new TRPCError({ code: errorStatus[wire.code].trpc, message: wire.message, cause: error })
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

/** @throws ServerError `unauthenticated`, `permission_denied` */
export function requireDashboardPermission(
  rooms: Pick<ApiRooms, 'access'>,
  principal: Principal | null,
  needed: DashboardPermission,
): void {
  if (needed === 'public') return
  if (!principal) throw new ServerError('unauthenticated', 'you are not signed in, or your session has ended; sign in')
  if ((needed === 'session' || needed === 'administrator-session') && principal.via !== 'session')
    throw new ServerError('permission_denied', 'an API token may not do this; sign in with a browser')
  if (needed.startsWith('administrator') && !rooms.access.isAdministrator(principal))
    throw new ServerError('permission_denied', 'only somebody with the role Admin on all hosts may do this')
}

/** Who is signed in, or whom the procedure found out, or nobody. */
function actorOf({ principal, found, origin }: ApiContext): Actor {
  if (principal) return principal
  return {
    personId: found.person?.id ?? '',
    personName: found.person?.name ?? '',
    via: found.person ? 'session' : 'nobody',
    from: origin.from,
  }
}

/** Passes the permission table, then runs; a mutation is recorded with its outcome, refused ones too. */
const guarded = trpc.procedure.use(async ({ ctx, path, type, next, getRawInput }) => {
  const needed = dashboardPermissions[path as DashboardProcedure]
  const record = async (outcome: string, message = ''): Promise<void> => {
    if (type !== 'mutation') return
    const input = await getRawInput().catch(() => null)
    const actor = actorOf(ctx)
    const named = input as { email?: string; host?: string } | null
    const host = named?.host ? ctx.rooms.hosts.find(named.host) : undefined
    const subject = ctx.principal ? subjectOf(input) || (named?.email ?? '') : (named?.email ?? '')
    await ctx.rooms.audit.append({ actor, ...(host ? { host } : {}), action: path, subject, detail: input, outcome, message })
  }
  try {
    if (!needed) throw new ServerError('not_found', `no permission is written down for procedure "${path}"`)
    requireDashboardPermission(ctx.rooms, ctx.principal, needed)
  } catch (error) {
    await record(wireErrorOf(error).code, wireErrorOf(error).message)
    throw toTrpcError(error)
  }
  const result = await next()
  if (result.ok) {
    await record('ok')
    return result
  }
  const failure = result.error.code === 'INTERNAL_SERVER_ERROR' && result.error.cause ? toTrpcError(result.error.cause) : result.error
  if (codeOf(failure) === 'internal') ctx.rooms.log.error({ err: failure.cause ?? failure, procedure: path }, 'a procedure failed')
  await record(codeOf(failure), failure.message)
  throw failure
})

export const router = trpc.router
export const createCaller = trpc.createCallerFactory
/** For procedures that the table calls public. */
export const publicProcedure = guarded
/** For all others: the principal is there. */
export const procedure = guarded.use(({ ctx, next }) => {
  if (!ctx.principal) throw toTrpcError(new ServerError('unauthenticated', 'you are not signed in, or your session has ended; sign in'))
  return next({ ctx: { ...ctx, principal: ctx.principal } })
})
