import { EventEmitter } from 'node:events'
import { type Role, role as roleSchema, roles } from '@berth/contract/claim'
import { type Permission, permissions, rolePermissions } from '@berth/contract/permission'
import * as z from 'zod'
import type { Database } from '../data/database.ts'
import { ServerError } from '../errors.ts'

/** A role on one host (its id) or on all of them. */
export const everywhere = '*'
export const grant = z.object({ scope: z.string().min(1).max(64), role: roleSchema })
export type Grant = z.infer<typeof grant>

/** Who asks, as far as permissions go. */
export interface Principal {
  personId: string
  personName: string
  email: string
  /** session: a browser. token: an API token, whose own limit applies too. */
  via: 'session' | 'token'
  /** Of the session or the token. */
  credentialId: string
  limit: Grant | null
  /** Address of the client. */
  from: string
}

interface AccessEvents {
  /** Roles were given or taken, or the account was disabled or removed. */
  'person-changed': [personId: string]
  /** A session or token is over. */
  'credential-ended': [credentialId: string]
}

/**
 * Everybody's roles, in memory, so that every request and every socket event is checked against what is true now. The database is written first; this
 * process is its only writer.
 */
export class Access extends EventEmitter<AccessEvents> {
  private readonly grants = new Map<string, Grant[]>()

  private constructor() {
    super()
    // One listener for each open socket.
    this.setMaxListeners(0)
  }

  static async open(database: Database): Promise<Access> {
    const access = new Access()
    for (const person of await database.person.findMany({ where: { disabledAt: null }, include: { grants: true } }))
      access.grants.set(person.id, person.grants.map(asGrant))
    return access
  }

  /** Call after the database has it. Null: the person may do nothing any more. */
  set(personId: string, grants: Grant[] | null): void {
    if (grants) this.grants.set(personId, grants)
    else this.grants.delete(personId)
    this.emit('person-changed', personId)
  }

  endCredential(credentialId: string): void {
    this.emit('credential-ended', credentialId)
  }

  grantsOf(personId: string): readonly Grant[] {
    return this.grants.get(personId) ?? []
  }

  /** The stronger of the role everywhere and the role on this host, no stronger than the token allows; null: none. */
  roleOn(who: Pick<Principal, 'personId' | 'limit'>, hostId: string): Role | null {
    const held = this.grantsOf(who.personId)
      .filter((one) => one.scope === everywhere || one.scope === hostId)
      .map((one) => one.role)
    const own = strongest(held)
    if (!own || !who.limit) return own
    if (who.limit.scope !== everywhere && who.limit.scope !== hostId) return null
    return weaker(own, who.limit.role)
  }

  permissionsOn(who: Pick<Principal, 'personId' | 'limit'>, hostId: string): readonly Permission[] {
    const held = this.roleOn(who, hostId)
    return held ? rolePermissions[held] : []
  }

  /** Whether people, hosts and the audit are theirs: Admin on all hosts. */
  isAdministrator(who: Pick<Principal, 'personId' | 'limit'>): boolean {
    return this.roleOn(who, everywhere) === 'admin'
  }

  /** @throws ServerError `permission_denied` naming the permission that is missing */
  require(who: Pick<Principal, 'personId' | 'limit'>, hostId: string, needed: Permission): Role {
    const held = this.roleOn(who, hostId)
    if (!held) throw new ServerError('permission_denied', 'you have no role on this host; ask an administrator for one')
    if (!rolePermissions[held].includes(needed))
      throw new ServerError('permission_denied', `your role ${held} on this host lacks the permission "${needed}"; ask an administrator`)
    return held
  }
}

/** @throws ServerError `data_loss` when the database holds a role that does not exist */
export function asGrant(row: { scope: string; role: string }): Grant {
  const parsed = grant.safeParse({ scope: row.scope, role: row.role })
  if (!parsed.success) throw new ServerError('data_loss', `the database holds the unknown role "${row.role}"`)
  return parsed.data
}

function strongest(held: readonly Role[]): Role | null {
  return held.reduce<Role | null>((best, one) => (best === null || roles.indexOf(one) > roles.indexOf(best) ? one : best), null)
}

function weaker(a: Role, b: Role): Role {
  return roles.indexOf(a) < roles.indexOf(b) ? a : b
}

/** All permissions in the contract's order, for pages. */
export const allPermissions: readonly Permission[] = permissions
