import { type Access, asGrant, everywhere, type Grant } from '../access/access.ts'
import type { Database } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { hashPassword, requireUsablePassword } from './passwords.ts'
import { hashSecret, newId, newSecret } from './secrets.ts'
import type { Sessions } from './sessions.ts'
import { addressKey, type Throttle } from './throttle.ts'

export interface PersonInfo {
  id: string
  name: string
  email: string
  grants: Grant[]
  totpEnabled: boolean
  disabled: boolean
  createdAt: string
  lastSignInAt: string | null
}
export interface InvitationInfo {
  id: string
  email: string
  grants: Grant[]
  /** A new password for an account that exists. */
  reset: boolean
  createdBy: string
  createdAt: string
  expiresAt: string
}

/** Accounts, their roles, and the links by which they are made. There is no sign-up: the first account takes the setup token, every other one an invitation. */
export class People {
  /** Held while an account is made or an administrator taken away, so that two at once cannot both pass the check. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly database: Database,
    private readonly access: Access,
    private readonly sessions: Sessions,
    private readonly throttle: Throttle,
  ) {}

  async setupNeeded(): Promise<boolean> {
    return (await this.database.person.count()) === 0
  }

  /** The first account: Admin on all hosts. The caller has checked the setup token. @throws ServerError `failed_precondition` when there is one already */
  createFirst(input: { name: string; email: string; password: string }): Promise<string> {
    return this.alone(async () => {
      if (!(await this.setupNeeded())) throw new ServerError('failed_precondition', 'this dashboard has been set up already; sign in')
      return this.create({ ...input, grants: [{ scope: everywhere, role: 'admin' }] })
    })
  }

  async list(): Promise<PersonInfo[]> {
    const rows = await this.database.person.findMany({ include: { grants: true }, orderBy: { name: 'asc' } })
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      email: row.email,
      grants: row.grants.map(asGrant),
      totpEnabled: row.totpEnabledAt !== null,
      disabled: row.disabledAt !== null,
      createdAt: row.createdAt.toISOString(),
      lastSignInAt: row.lastSignInAt?.toISOString() ?? null,
    }))
  }

  /** Replaces a person's roles; sockets feel it at once. @throws ServerError `failed_precondition` when nobody would be Admin on all hosts any more */
  setGrants(personId: string, grants: readonly Grant[]): Promise<void> {
    return this.alone(async () => {
      const unique = requireDistinct(grants)
      const person = await this.require(personId)
      if (!isAdmin(unique)) await this.requireAnotherAdministrator(personId)
      await this.database.$transaction([
        this.database.grant.deleteMany({ where: { personId } }),
        this.database.grant.createMany({ data: unique.map((one) => ({ personId, ...one })) }),
      ])
      if (!person.disabledAt) this.access.set(personId, unique)
    })
  }

  /** A disabled person's sessions end and tokens stop working. */
  setDisabled(personId: string, disabled: boolean): Promise<void> {
    return this.alone(async () => {
      await this.require(personId)
      if (disabled) await this.requireAnotherAdministrator(personId)
      const row = await this.database.person.update({
        where: { id: personId },
        data: { disabledAt: disabled ? new Date() : null },
        include: { grants: true },
      })
      this.access.set(personId, disabled ? null : row.grants.map(asGrant))
      if (!disabled) return
      await this.sessions.revokeAll(personId, null)
      // Tokens do not work while the account is disabled; what they have open ends now.
      for (const { id } of await this.database.apiToken.findMany({ where: { personId }, select: { id: true } }))
        this.access.endCredential(id)
    })
  }

  /** The account is gone; what it did stays in the audit. */
  remove(personId: string): Promise<void> {
    return this.alone(async () => {
      await this.require(personId)
      await this.requireAnotherAdministrator(personId)
      await this.sessions.revokeAll(personId, null)
      const tokens = await this.database.apiToken.findMany({ where: { personId }, select: { id: true } })
      await this.database.person.delete({ where: { id: personId } })
      this.access.set(personId, null)
      for (const { id } of tokens) this.access.endCredential(id)
    })
  }

  /** Takes the second factor off an account whose telephone is lost. */
  async clearTotp(personId: string): Promise<void> {
    await this.require(personId)
    await this.database.person.update({ where: { id: personId }, data: { totpSecret: null, totpEnabledAt: null, recoveryCodes: '[]' } })
  }

  async rename(personId: string, name: string): Promise<void> {
    await this.require(personId)
    await this.database.person.update({ where: { id: personId }, data: { name } })
  }

  /** @returns the secret of the link, for the only time. @throws ServerError `already_exists` */
  async invite(input: {
    email: string
    grants: readonly Grant[]
    hours: number
    createdBy: string
  }): Promise<{ secret: string; invitation: InvitationInfo }> {
    const email = normalEmail(input.email)
    if (await this.database.person.findUnique({ where: { email } }))
      throw new ServerError('already_exists', `${email} has an account already; change its roles instead`)
    await this.database.invitation.deleteMany({ where: { email, usedAt: null } })
    return this.createInvitation({
      email,
      personId: null,
      grants: requireDistinct(input.grants),
      hours: input.hours,
      createdBy: input.createdBy,
    })
  }

  /** A link by which an existing person chooses a new password. */
  async inviteToReset(personId: string, hours: number, createdBy: string): Promise<{ secret: string; invitation: InvitationInfo }> {
    const person = await this.require(personId)
    await this.database.invitation.deleteMany({ where: { personId, usedAt: null } })
    return this.createInvitation({ email: person.email, personId, grants: [], hours, createdBy })
  }

  async invitations(): Promise<InvitationInfo[]> {
    const rows = await this.database.invitation.findMany({
      where: { usedAt: null, expiresAt: { gt: new Date() } },
      orderBy: { createdAt: 'desc' },
    })
    return rows.map(invitationInfo)
  }

  /** @throws ServerError `not_found` */
  async revokeInvitation(id: string): Promise<void> {
    const { count } = await this.database.invitation.deleteMany({ where: { id, usedAt: null } })
    if (count === 0) throw new ServerError('not_found', 'there is no such invitation; it may have been used already')
  }

  /** What the invited person is shown. Null: the link is used up, too old, or none. */
  async readInvitation(secret: string, from: string): Promise<{ email: string; reset: boolean } | null> {
    const keys = [addressKey('invitation', from)]
    await this.throttle.take(keys)
    const row = await this.database.invitation.findUnique({ where: { tokenHash: hashSecret(secret) } })
    if (!row || row.usedAt || row.expiresAt.getTime() <= Date.now()) return null
    await this.throttle.succeed(keys)
    return { email: row.email, reset: row.personId !== null }
  }

  /** Makes the account (or sets the password) of an invitation, once. @returns the person's id. @throws ServerError `not_found`, `invalid_argument` */
  async acceptInvitation(
    secret: string,
    input: { name: string; password: string },
    from: string,
  ): Promise<{ personId: string; email: string }> {
    const keys = [addressKey('invitation', from)]
    await this.throttle.take(keys)
    return this.alone(async () => {
      const row = await this.database.invitation.findUnique({ where: { tokenHash: hashSecret(secret) } })
      if (!row || row.usedAt || row.expiresAt.getTime() <= Date.now())
        throw new ServerError('not_found', 'this invitation has been used, has expired or was withdrawn; ask for a new one')
      await this.throttle.succeed(keys)
      let personId = row.personId
      if (personId) await this.setPassword(personId, input.password)
      else {
        const grants = (JSON.parse(row.grants) as { scope: string; role: string }[]).map(asGrant)
        personId = await this.create({ email: row.email, name: input.name, password: input.password, grants })
      }
      await this.database.invitation.update({ where: { id: row.id }, data: { usedAt: new Date() } })
      return { personId, email: row.email }
    })
  }

  /** Sets a password and ends every other session. */
  async setPassword(personId: string, password: string, exceptSession: string | null = null): Promise<void> {
    const person = await this.require(personId)
    requireUsablePassword(password, person.email)
    await this.database.person.update({ where: { id: personId }, data: { passwordHash: await hashPassword(password) } })
    await this.sessions.revokeAll(personId, exceptSession)
  }

  /** Roles on a host that is gone. */
  async forgetHost(hostId: string): Promise<void> {
    const rows = await this.database.grant.findMany({ where: { scope: hostId }, select: { personId: true } })
    await this.database.grant.deleteMany({ where: { scope: hostId } })
    for (const { personId } of rows)
      this.access.set(
        personId,
        this.access.grantsOf(personId).filter((one) => one.scope !== hostId),
      )
  }

  private async create(input: { email: string; name: string; password: string; grants: readonly Grant[] }): Promise<string> {
    const email = normalEmail(input.email)
    requireUsablePassword(input.password, email)
    if (await this.database.person.findUnique({ where: { email } }))
      throw new ServerError('already_exists', `${email} has an account already`)
    const id = newId()
    const grants = requireDistinct(input.grants)
    await this.database.person.create({
      data: { id, email, name: input.name, passwordHash: await hashPassword(input.password), grants: { create: grants } },
    })
    this.access.set(id, grants)
    return id
  }

  private async createInvitation(input: { email: string; personId: string | null; grants: Grant[]; hours: number; createdBy: string }) {
    const secret = newSecret('bi_')
    const row = await this.database.invitation.create({
      data: {
        id: newId(),
        tokenHash: hashSecret(secret),
        email: input.email,
        personId: input.personId,
        grants: JSON.stringify(input.grants),
        createdBy: input.createdBy,
        expiresAt: new Date(Date.now() + input.hours * 3_600_000),
      },
    })
    return { secret, invitation: invitationInfo(row) }
  }

  private async require(personId: string) {
    const person = await this.database.person.findUnique({ where: { id: personId } })
    if (!person) throw new ServerError('not_found', 'there is no such person')
    return person
  }

  private async requireAnotherAdministrator(personId: string): Promise<void> {
    const others = await this.database.grant.count({
      where: { scope: everywhere, role: 'admin', personId: { not: personId }, person: { disabledAt: null } },
    })
    if (others === 0) throw new ServerError('failed_precondition', 'nobody else is Admin on all hosts; make somebody else Admin first')
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => undefined)
    return result
  }
}

export function normalEmail(email: string): string {
  return email.trim().toLowerCase()
}

function isAdmin(grants: readonly Grant[]): boolean {
  return grants.some((one) => one.scope === everywhere && one.role === 'admin')
}

function requireDistinct(grants: readonly Grant[]): Grant[] {
  if (new Set(grants.map((one) => one.scope)).size !== grants.length)
    throw new ServerError('invalid_argument', 'each host can be given one role; one of them is named twice')
  return grants.map((one) => ({ scope: one.scope, role: one.role }))
}

function invitationInfo(row: {
  id: string
  email: string
  personId: string | null
  grants: string
  createdBy: string
  createdAt: Date
  expiresAt: Date
}): InvitationInfo {
  return {
    id: row.id,
    email: row.email,
    grants: (JSON.parse(row.grants) as { scope: string; role: string }[]).map(asGrant),
    reset: row.personId !== null,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  }
}
