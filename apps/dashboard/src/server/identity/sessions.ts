import type { Access, Principal } from '../access/access.ts'
import type { Database } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { hashSecret, newId, newSecret } from './secrets.ts'

const day = 86_400_000
/** A session ends so long after its last use, and so long after its beginning whatever happens. */
const idleMs = 3 * day
const longestMs = 30 * day
/** Between the password and the code. */
const codeMs = 5 * 60_000
/** The time of last use is written no oftener. */
const touchMs = 60_000
const mostPerPerson = 100
const graceMs = 10_000

export interface SessionInfo {
  id: string
  createdAt: string
  lastSeenAt: string
  from: string
  userAgent: string
  current: boolean
}

/** Browser sessions. The cookie's secret exists in the browser alone; the database holds its hash. */
export class Sessions {
  /** Hashes of secrets that were replaced a moment ago, and their sessions. */
  private readonly replaced = new Map<string, string>()

  constructor(
    private readonly database: Database,
    private readonly access: Access,
    private readonly now: () => number = Date.now,
  ) {}

  /** A new session with a new secret: nothing that a browser held before sign-in is ever promoted. @returns the cookie's value */
  async begin(
    personId: string,
    stage: 'totp' | 'full',
    client: { from: string; userAgent: string },
  ): Promise<{ secret: string; id: string; maxAgeMs: number }> {
    const now = this.now()
    const secret = newSecret('bs_')
    const id = newId()
    const maxAgeMs = stage === 'full' ? idleMs : codeMs
    await this.database.session.deleteMany({ where: { expiresAt: { lt: new Date(now) } } })
    // Of each stage apart: whoever has but the password pushes nobody out.
    const kept = await this.database.session.findMany({
      where: { personId, stage },
      orderBy: { lastSeenAt: 'desc' },
      select: { id: true },
      skip: mostPerPerson - 1,
    })
    if (kept.length > 0) await this.end(kept.map((one) => one.id))
    await this.database.session.create({
      data: {
        id,
        tokenHash: hashSecret(secret),
        personId,
        stage,
        createdAt: new Date(now),
        lastSeenAt: new Date(now),
        expiresAt: new Date(now + maxAgeMs),
        from: client.from,
        userAgent: client.userAgent.slice(0, 300),
      },
    })
    return { secret, id, maxAgeMs: stage === 'full' ? longestMs : codeMs }
  }

  /** Who a cookie stands for. Null: nobody (any more). */
  async resolve(secret: string, from: string): Promise<Principal | null> {
    const row = await this.find(secret)
    if (row?.stage !== 'full' || row.person.disabledAt) return null
    const now = this.now()
    if (now - row.lastSeenAt.getTime() > touchMs) {
      const expiresAt = new Date(Math.min(now + idleMs, row.createdAt.getTime() + longestMs))
      // updateMany: a session that was revoked this instant is no error.
      await this.database.session.updateMany({ where: { id: row.id }, data: { lastSeenAt: new Date(now), expiresAt, from } })
    }
    return {
      personId: row.personId,
      personName: row.person.name,
      email: row.person.email,
      via: 'session',
      credentialId: row.id,
      limit: null,
      from,
    }
  }

  /** The person whose password was right and whose code is awaited. */
  async resolveAwaitingCode(secret: string): Promise<{ sessionId: string; personId: string; email: string } | null> {
    const row = await this.find(secret)
    return row?.stage === 'totp' && !row.person.disabledAt ? { sessionId: row.id, personId: row.personId, email: row.person.email } : null
  }

  /**
   * A new secret for a session that goes on, when what protects the account changed: a copy of the old cookie is worth nothing then. Requests that are under way with the old one
   * are answered for a few seconds more.
   * @returns the cookie's new value
   */
  async rotate(id: string): Promise<{ secret: string; maxAgeMs: number } | null> {
    const row = await this.database.session.findUnique({ where: { id }, select: { tokenHash: true } })
    const secret = newSecret('bs_')
    const { count } = await this.database.session.updateMany({ where: { id }, data: { tokenHash: hashSecret(secret) } })
    if (!row || count === 0) return null
    this.replaced.set(row.tokenHash, id)
    setTimeout(() => this.replaced.delete(row.tokenHash), graceMs).unref()
    return { secret, maxAgeMs: longestMs }
  }

  /** Of these, the ones that are over: expired, revoked, or of somebody who is gone. */
  async ended(ids: readonly string[]): Promise<string[]> {
    const alive = await this.database.session.findMany({
      where: { id: { in: [...ids] }, stage: 'full', expiresAt: { gt: new Date(this.now()) }, person: { disabledAt: null } },
      select: { id: true },
    })
    return ids.filter((id) => !alive.some((one) => one.id === id))
  }

  async list(personId: string, currentId: string | null): Promise<SessionInfo[]> {
    const rows = await this.database.session.findMany({
      where: { personId, stage: 'full', expiresAt: { gt: new Date(this.now()) } },
      orderBy: { lastSeenAt: 'desc' },
    })
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.createdAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
      from: row.from,
      userAgent: row.userAgent,
      current: row.id === currentId,
    }))
  }

  /** Ends one session of a person, with its sockets. @throws ServerError `not_found` */
  async revoke(personId: string, id: string): Promise<void> {
    const { count } = await this.database.session.deleteMany({ where: { id, personId } })
    if (count === 0) throw new ServerError('not_found', 'there is no such session; it may have ended already')
    this.access.endCredential(id)
  }

  /** Ends all sessions of a person but one. @returns how many */
  async revokeAll(personId: string, exceptId: string | null): Promise<number> {
    const rows = await this.database.session.findMany({
      where: { personId, ...(exceptId ? { id: { not: exceptId } } : {}) },
      select: { id: true },
    })
    await this.end(rows.map((row) => row.id))
    return rows.length
  }

  private async end(ids: string[]): Promise<void> {
    await this.database.session.deleteMany({ where: { id: { in: ids } } })
    for (const id of ids) this.access.endCredential(id)
  }

  private async find(secret: string) {
    if (!/^bs_[\w-]{43}$/.test(secret)) return null
    const tokenHash = hashSecret(secret)
    const replaced = this.replaced.get(tokenHash)
    const row = await this.database.session.findUnique({ where: replaced ? { id: replaced } : { tokenHash }, include: { person: true } })
    return row && row.expiresAt.getTime() > this.now() ? row : null
  }
}
