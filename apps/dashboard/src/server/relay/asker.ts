import type { Access, Principal } from '../access/access.ts'
import { ServerError } from '../errors.ts'
import type { Asker } from '../links/asker.ts'

/** The claim's person, with the role that holds on this host now. @throws ServerError `permission_denied` when there is none */
export function askerFor(access: Access, principal: Principal, hostId: string): Asker {
  const role = access.roleOn(principal, hostId)
  if (!role) throw new ServerError('permission_denied', 'you have no role on this host; ask an administrator for one')
  return { user: principal.personId, userName: principal.personName, role, from: principal.from }
}
