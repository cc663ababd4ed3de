import type { ErrorCode } from '@berth/contract/error'
import { initTRPC, TRPCError } from '@trpc/server'
import type { Principal } from '../access/access.ts'
import { type DashboardPermission, type DashboardProcedure, dashboardPermissions } from '../access/dashboard-permissions.ts'
import type { Actor, AuditBeginning } from '../audit/audit.ts'
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

/** A word that was typed where an e-mail address belongs may be a password. */
function accountOf(email: string | undefined): string {
  return email === undefined || /^[^\s@]+@[^\s@]+$/.test(email) ? (email ?? '') : '(no e-mail address)'
}

/** What the audit says of a mutation. */
function beginningOf(ctx: ApiContext, action: string, input: unknown): AuditBeginning {
  const named = input as { email?: string; host?: string } | null
  const host = named?.host ? ctx.rooms.hosts.find(named.host) : undefined
  const account = accountOf(typeof named?.email === 'string' ? named.email : undefined)
  const detail = typeof named?.email === 'string' ? { ...named, email: account } : input
  return {
    actor: actorOf(ctx),
    ...(host ? { host: { id: host.id, name: host.name } } : {}),
    action,
    subject: ctx.principal ? subjectOf(input) || account : account,
    detail,
  }
}

/** Passes the permission table, then runs; a mutation is written down before it is done and recorded with its outcome, refused ones too. */
const guarded = trpc.procedure.use(async ({ ctx, path, type, next, getRawInput }) => {
  const needed = dashboardPermissions[path as DashboardProcedure]
  const { audit } = ctx.rooms
  const changes = type === 'mutation' && (ctx.principal !== null || path !== 'session.signOut')
  const beginning = changes ? beginningOf(ctx, path, await getRawInput().catch(() => null)) : null
  try {
    if (!needed) throw new ServerError('not_found', `no permission is written down for procedure "${path}"`)
    requireDashboardPermission(ctx.rooms, ctx.principal, needed)
  } catch (error) {
    const { code, message } = wireErrorOf(error)
    if (beginning) await audit.appendRefusal({ ...beginning, outcome: code, message })
    throw toTrpcError(error)
  }
  const intent = beginning ? await audit.begin(beginning) : null
  const result = await next()
  if (result.ok) {
    await intent?.settle('ok', '', { actor: actorOf(ctx) })
    return result
  }
  const failure = result.error.code === 'INTERNAL_SERVER_ERROR' && result.error.cause ? toTrpcError(result.error.cause) : result.error
  if (codeOf(failure) === 'internal') ctx.rooms.log.error({ err: failure.cause ?? failure, procedure: path }, 'a procedure failed')
  // What nobody in particular asks (a sign-in) may fail without end.
  if (ctx.principal) await intent?.settle(codeOf(failure), failure.message)
  else await intent?.refuse(codeOf(failure), failure.message, { actor: actorOf(ctx) })
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
