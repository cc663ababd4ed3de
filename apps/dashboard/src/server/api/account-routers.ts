import { role } from '@berth/contract/claim'
import * as z from 'zod'
import { grant, type Principal } from '../access/access.ts'
import { ServerError } from '../errors.ts'
import { clearSessionCookie, readSessionCookie, setSessionCookie } from '../http/session-cookie.ts'
import type { SignedIn } from '../identity/sign-in.ts'
import type { ApiContext } from './context.ts'
import { procedure, publicProcedure, router } from './procedure.ts'

export const email = z.email().max(200)
export const personName = z.string().trim().min(1).max(100)
const password = z.string().min(1).max(1000)

function takeCookie({ request, origin }: Pick<ApiContext, 'request' | 'origin'>): string | null {
  return readSessionCookie(request, origin.secure)
}

/** A sign-in replaces whatever session the browser had: that one ends. */
async function enter(ctx: ApiContext, signedIn: SignedIn): Promise<{ next: SignedIn['next'] }> {
  if (signedIn.next === 'done' && ctx.principal?.via === 'session')
    await ctx.rooms.sessions.revoke(ctx.principal.personId, ctx.principal.credentialId).catch(() => undefined)
  ctx.found.person = { id: signedIn.personId, name: signedIn.name }
  setSessionCookie(ctx.response, signedIn.secret, signedIn.maxAgeMs, ctx.origin.secure)
  return { next: signedIn.next }
}

/** What protects the account changed: a copy of this browser's cookie is worth nothing from now on. */
async function renewCookie({ rooms, principal, response, origin }: ApiContext & { principal: Principal }): Promise<void> {
  const renewed = await rooms.sessions.rotate(principal.credentialId)
  if (renewed) setSessionCookie(response, renewed.secret, renewed.maxAgeMs, origin.secure)
}

function clientOf(ctx: ApiContext): { from: string; userAgent: string } {
  return { from: ctx.origin.from, userAgent: ctx.userAgent }
}

export const setupRouter = router({
  /** Whether the first account is still to be made. */
  state: publicProcedure.query(async ({ ctx }) => ({ needed: await ctx.rooms.people.setupNeeded() })),
  /** Makes the first account with the token that the server printed, and signs it in. */
  create: publicProcedure
    .input(z.object({ token: z.string().max(200), name: personName, email, password }))
    .mutation(async ({ ctx, input }) => {
      const { people, setupToken, signIn } = ctx.rooms
      if (!(await people.setupNeeded())) throw new ServerError('failed_precondition', 'this dashboard has been set up already; sign in')
      await setupToken.check(input.token, ctx.origin.from)
      const personId = await people.createFirst(input)
      return enter(ctx, await signIn.complete(personId, clientOf(ctx)))
    }),
})

export const sessionRouter = router({
  /** `next: code` = the password was right and a code of the authenticator app is awaited (confirmCode). */
  signIn: publicProcedure
    .input(z.object({ email: z.string().max(200), password }))
    .mutation(async ({ ctx, input }) => enter(ctx, await ctx.rooms.signIn.withPassword(input, clientOf(ctx)))),
  confirmCode: publicProcedure.input(z.object({ code: z.string().min(6).max(40) })).mutation(async ({ ctx, input }) => {
    const awaiting = takeCookie(ctx)
    if (!awaiting) throw new ServerError('unauthenticated', 'begin with your password')
    return enter(ctx, await ctx.rooms.signIn.withCode(awaiting, input.code, clientOf(ctx)))
  }),
  signOut: publicProcedure.mutation(async ({ ctx }) => {
    if (ctx.principal?.via === 'session') await ctx.rooms.sessions.revoke(ctx.principal.personId, ctx.principal.credentialId)
    clearSessionCookie(ctx.response, ctx.origin.secure)
  }),
})

export const meRouter = router({
  get: procedure.query(async ({ ctx: { principal, rooms } }) => {
    const { access, people, hosts } = rooms
    const self = (await people.list()).find((one) => one.id === principal.personId)
    return {
      id: principal.personId,
      name: principal.personName,
      email: principal.email,
      via: principal.via,
      totpEnabled: self?.totpEnabled ?? false,
      grants: [...access.grantsOf(principal.personId)],
      administrator: access.isAdministrator(principal),
      permissions: {
        everywhere: [...access.permissionsOn(principal, '*')],
        hosts: Object.fromEntries(hosts.list().map((host) => [host.id, [...access.permissionsOn(principal, host.id)]])),
      },
    }
  }),
  rename: procedure
    .input(z.object({ name: personName }))
    .mutation(({ ctx, input }) => ctx.rooms.people.rename(ctx.principal.personId, input.name)),
  /** Ends every other session. */
  changePassword: procedure.input(z.object({ current: password, next: password })).mutation(async ({ ctx, input }) => {
    const { rooms, principal } = ctx
    await rooms.signIn.requirePassword(principal.personId, input.current)
    await rooms.people.setPassword(principal.personId, input.next, principal.credentialId)
    await renewCookie(ctx)
  }),
  /** A secret for an authenticator app; it counts after confirmTotp. */
  beginTotp: procedure.input(z.object({ password })).mutation(async ({ ctx: { rooms, principal }, input }) => {
    await rooms.signIn.requirePassword(principal.personId, input.password)
    return rooms.signIn.beginTotp(principal.personId)
  }),
  /** @returns recovery codes, shown once */
  confirmTotp: procedure.input(z.object({ code: z.string().min(6).max(10) })).mutation(async ({ ctx, input }) => {
    const recoveryCodes = await ctx.rooms.signIn.confirmTotp(ctx.principal.personId, input.code)
    await renewCookie(ctx)
    return { recoveryCodes }
  }),
  disableTotp: procedure.input(z.object({ password })).mutation(async ({ ctx, input }) => {
    const { rooms, principal } = ctx
    await rooms.signIn.requirePassword(principal.personId, input.password)
    await rooms.people.clearTotp(principal.personId)
    await renewCookie(ctx)
  }),
})

export const sessionsRouter = router({
  list: procedure.query(({ ctx: { rooms, principal } }) => rooms.sessions.list(principal.personId, principal.credentialId)),
  revoke: procedure
    .input(z.object({ id: z.string().max(64) }))
    .mutation(({ ctx: { rooms, principal }, input }) => rooms.sessions.revoke(principal.personId, input.id)),
  revokeOthers: procedure.mutation(async ({ ctx: { rooms, principal } }) => ({
    ended: await rooms.sessions.revokeAll(principal.personId, principal.credentialId),
  })),
})

export const tokensRouter = router({
  list: procedure.query(({ ctx: { rooms, principal } }) => rooms.apiTokens.list(principal.personId)),
  /** The token is in this answer and nowhere else. It never does more than its person may. */
  create: procedure
    .input(
      z.object({ name: z.string().trim().min(1).max(100), scope: z.string().min(1).max(64), role, days: z.number().int().min(1).max(365) }),
    )
    .mutation(async ({ ctx: { rooms, principal }, input }) => {
      if (input.scope !== '*') rooms.hosts.get(input.scope)
      return rooms.apiTokens.create(principal.personId, {
        name: input.name,
        limit: { scope: input.scope, role: input.role },
        days: input.days,
      })
    }),
  revoke: procedure
    .input(z.object({ id: z.string().max(64) }))
    .mutation(({ ctx: { rooms, principal }, input }) => rooms.apiTokens.revoke(principal.personId, input.id)),
})

const person = z.object({ person: z.string().max(64) })
const grants = z.array(grant).max(200)
const hours = z
  .number()
  .int()
  .min(1)
  .max(24 * 30)

export const peopleRouter = router({
  list: procedure.query(({ ctx }) => ctx.rooms.people.list()),
  setGrants: procedure.input(person.extend({ grants })).mutation(({ ctx, input }) => {
    for (const one of input.grants) if (one.scope !== '*') ctx.rooms.hosts.get(one.scope)
    return ctx.rooms.people.setGrants(input.person, input.grants)
  }),
  setDisabled: procedure
    .input(person.extend({ disabled: z.boolean() }))
    .mutation(({ ctx, input }) => ctx.rooms.people.setDisabled(input.person, input.disabled)),
  remove: procedure.input(person).mutation(({ ctx, input }) => ctx.rooms.people.remove(input.person)),
  endSessions: procedure
    .input(person)
    .mutation(async ({ ctx, input }) => ({ ended: await ctx.rooms.sessions.revokeAll(input.person, null) })),
  clearTotp: procedure.input(person).mutation(({ ctx, input }) => ctx.rooms.people.clearTotp(input.person)),
  /** @returns a link by which the person chooses a new password; shown once */
  resetPassword: procedure.input(person.extend({ hours: hours.default(24) })).mutation(async ({ ctx, input }) => {
    const { secret, invitation } = await ctx.rooms.people.inviteToReset(input.person, input.hours, ctx.principal.personName)
    return { url: `${ctx.origin.base}/invite/${secret}`, invitation }
  }),
})

export const invitationsRouter = router({
  list: procedure.query(({ ctx }) => ctx.rooms.people.invitations()),
  /** @returns the link, shown once */
  create: procedure.input(z.object({ email, grants, hours: hours.default(72) })).mutation(async ({ ctx, input }) => {
    for (const one of input.grants) if (one.scope !== '*') ctx.rooms.hosts.get(one.scope)
    const { secret, invitation } = await ctx.rooms.people.invite({ ...input, createdBy: ctx.principal.personName })
    return { url: `${ctx.origin.base}/invite/${secret}`, invitation }
  }),
  revoke: procedure.input(z.object({ id: z.string().max(64) })).mutation(({ ctx, input }) => ctx.rooms.people.revokeInvitation(input.id)),
  /** Whom a link is for; null when it is of no use (any more). */
  read: publicProcedure
    .input(z.object({ token: z.string().max(200) }))
    .query(({ ctx, input }) => ctx.rooms.people.readInvitation(input.token, ctx.origin.from)),
  /** Makes the account, or sets the new password. The person signs in afterwards: an invitation alone never passes a second factor. */
  accept: publicProcedure
    .input(z.object({ token: z.string().max(200), name: personName, password }))
    .mutation(async ({ ctx, input }) => ({ email: (await ctx.rooms.people.acceptInvitation(input.token, input, ctx.origin.from)).email })),
})
