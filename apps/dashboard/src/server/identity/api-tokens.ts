import type { Access, Grant, Principal } from '../access/access.ts'
import { asGrant } from '../access/access.ts'
import type { Database } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { hashSecret, newId, newSecret } from './secrets.ts'

const day = 86_400_000
const mostPerPerson = 50
const touchMs = 60_000

export interface ApiTokenInfo {
  id: string
  name: string
  prefix: string
  scope: string
  role: Grant['role']
  createdAt: string
  expiresAt: string
  lastUsedAt: string | null
  lastFrom: string | null
}

/** Tokens for programs: `Authorization: Bearer berth_…`. Each is limited to a scope and a role, never does more than its person may, and expires. */
export class ApiTokens {
  constructor(
    private readonly database: Database,
    private readonly access: Access,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns the token itself, for the only time. @throws ServerError `resource_exhausted` */
  async create(personId: string, input: { name: string; limit: Grant; days: number }): Promise<{ token: string; info: ApiTokenInfo }> {
    if ((await this.database.apiToken.count({ where: { personId } })) >= mostPerPerson)
      throw new ServerError('resource_exhausted', `you have ${mostPerPerson} API tokens; revoke one that is not used any more`)
    const token = newSecret('berth_')
    const row = await this.database.apiToken.create({
      data: {
        id: newId(),
        tokenHash: hashSecret(token),
        prefix: token.slice(0, 11),
        name: input.name,
        personId,
        scope: input.limit.scope,
        role: input.limit.role,
        createdAt: new Date(this.now()),
        expiresAt: new Date(this.now() + input.days * day),
      },
    })
    return { token, info: infoOf(row) }
  }

  async list(personId: string): Promise<ApiTokenInfo[]> {
    return (await this.database.apiToken.findMany({ where: { personId }, orderBy: { createdAt: 'desc' } })).map(infoOf)
  }

  /** @throws ServerError `not_found` */
  async revoke(personId: string, id: string): Promise<void> {
    const { count } = await this.database.apiToken.deleteMany({ where: { id, personId } })
    if (count === 0) throw new ServerError('not_found', 'there is no such API token; it may have been revoked already')
    this.access.endCredential(id)
  }

  /** Of these, the ones that are over: expired, revoked, or of somebody who is gone. */
  async ended(ids: readonly string[]): Promise<string[]> {
    const alive = await this.database.apiToken.findMany({
      where: { id: { in: [...ids] }, expiresAt: { gt: new Date(this.now()) }, person: { disabledAt: null } },
      select: { id: true },
    })
    return ids.filter((id) => !alive.some((one) => one.id === id))
  }

  /** Who a token stands for. Null: nobody (any more). */
  async resolve(token: string, from: string): Promise<Principal | null> {
    if (!/^berth_[\w-]{43}$/.test(token)) return null
    const row = await this.database.apiToken.findUnique({ where: { tokenHash: hashSecret(token) }, include: { person: true } })
    const now = this.now()
    if (!row || row.expiresAt.getTime() <= now || row.person.disabledAt) return null
    if (!row.lastUsedAt || now - row.lastUsedAt.getTime() > touchMs)
      await this.database.apiToken.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date(now), lastFrom: from } })
    return {
      personId: row.personId,
      personName: row.person.name,
      email: row.person.email,
      via: 'token',
      credentialId: row.id,
      limit: asGrant(row),
      from,
    }
  }
}

function infoOf(row: {
  id: string
  name: string
  prefix: string
  scope: string
  role: string
  createdAt: Date
  expiresAt: Date
  lastUsedAt: Date | null
  lastFrom: string | null
}): ApiTokenInfo {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    ...asGrant(row),
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastFrom: row.lastFrom,
  }
}
