import type { IncomingMessage } from 'node:http'
import type { Principal } from '../access/access.ts'
import { ServerError } from '../errors.ts'
import type { ApiTokens } from '../identity/api-tokens.ts'
import type { Sessions } from '../identity/sessions.ts'
import type { Settings } from '../settings.ts'
import { originOf, requireNotForeign, requireOwnPage } from './request-origin.ts'
import { readSessionCookie } from './session-cookie.ts'

export interface Identity {
  sessions: Sessions
  apiTokens: ApiTokens
}

/**
 * Who sends a request: a bearer token, else the session cookie. A cookie counts for a change (anything but GET and HEAD) and for a socket only when it comes from
 * our own page.
 * @returns null when there are no credentials, or none that are valid
 * @throws ServerError `permission_denied` for a cookie from elsewhere, `unauthenticated` for a token that is not (any more) valid
 */
export async function authenticate(
  request: IncomingMessage,
  settings: Settings,
  identity: Identity,
  kind: 'http' | 'socket',
): Promise<Principal | null> {
  const origin = originOf(request, settings)
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) {
    const principal = await identity.apiTokens.resolve(bearer, origin.from)
    if (!principal) throw new ServerError('unauthenticated', 'the API token is unknown, has expired or was revoked')
    return principal
  }
  const cookie = readSessionCookie(request, origin.secure)
  if (!cookie) return null
  if (kind === 'socket' || (request.method !== 'GET' && request.method !== 'HEAD')) requireOwnPage(request, settings)
  else requireNotForeign(request)
  return identity.sessions.resolve(cookie, origin.from)
}
