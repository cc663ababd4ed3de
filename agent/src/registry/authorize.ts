/**
 * Answers a registry's challenge: basic credentials, or a bearer token fetched from the token server that the registry names (distribution's token
 * authentication, with the OAuth2 form for identity tokens). Tokens are kept until shortly before they end; secrets go to the registry's own origin and
 * to the realm it names over HTTPS, nowhere else.
 */
import { createHash } from 'node:crypto'
import type { RegistryAuth } from '@berth/contract/registry'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { RegistryHosts } from './hosts.ts'
import { hostName } from './hosts.ts'
import { type Answer, type Exchange, type RegistryHttp, readBody } from './http.ts'
import { isLinkLocal } from './link-local.ts'
import { wordsOf } from './registry-error.ts'

export interface Authorizer {
  /** Sends an exchange, answering one challenge. A second 401 is returned as it is: its words are for the user. */
  send(exchange: Exchange, credentials: RegistryAuth | null, scopes: readonly string[]): Promise<Answer>
}

const tokenAnswer = z.object({
  token: z
    .string()
    .max(64 * 1024)
    .optional(),
  access_token: z
    .string()
    .max(64 * 1024)
    .optional(),
  expires_in: z.number().optional(),
})
const tokenTimeoutMs = 20_000
const maxTokenBytes = 256 * 1024
const keptTokens = 500

export function createAuthorizer(http: RegistryHttp, hosts: RegistryHosts): Authorizer {
  const known = new Map<string, { header: string; until: number }>()

  async function answerChallenge(challenges: Challenge[], exchange: Exchange, credentials: RegistryAuth | null, scopes: readonly string[]) {
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm)
    if (bearer) return fetchToken(bearer.parameters, exchange, credentials, scopes)
    if (challenges.some(({ scheme }) => scheme === 'basic') && credentials?.username) {
      return { header: basic(credentials), until: performance.now() + 3600_000 }
    }
    return null
  }

  async function fetchToken(
    parameters: Record<string, string>,
    exchange: Exchange,
    credentials: RegistryAuth | null,
    scopes: readonly string[],
  ) {
    const realm = await checkRealm(parameters.realm as string, exchange.url)
    const wanted = scopes.length ? scopes : (parameters.scope ?? '').split(' ').filter(Boolean)
    const answer = credentials?.identityToken
      ? await http.send(refreshExchange(realm, parameters.service, wanted, credentials.identityToken, exchange.signal))
      : await http.send(tokenExchange(realm, parameters.service, wanted, credentials, exchange.signal))
    if (answer.status !== 200) {
      const words = (await wordsOf(answer)) || 'unauthorized: incorrect username or password'
      throw new EngineError(answer.status === 403 ? 'permission_denied' : 'unauthenticated', `${exchange.url.host}: ${words}`)
    }
    const parsed = tokenAnswer.safeParse(json(await readBody(answer, maxTokenBytes, 'the token')))
    const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token) : undefined
    if (!token || !/^[\x21-\x7e]+$/.test(token))
      throw new EngineError('unavailable', `${realm.host} gave no token for ${exchange.url.host}`)
    const seconds = Math.min(Math.max(parsed.data?.expires_in ?? 60, 0), 3600)
    return { header: `Bearer ${token}`, until: performance.now() + Math.max(0, seconds - 10) * 1000 }
  }

  /** A realm must be a web address, as well protected as the registry itself. */
  async function checkRealm(text: string, registry: URL): Promise<URL> {
    let realm: URL
    try {
      realm = new URL(text)
    } catch {
      throw new EngineError('unavailable', `${registry.host} names the token server "${text.slice(0, 100)}", which is not an address`)
    }
    const isPlain = realm.protocol === 'http:'
    const refused =
      (!isPlain && realm.protocol !== 'https:') ||
      isLinkLocal(hostName(realm.host)) ||
      (isPlain && !(await hosts.isInsecure(realm.host)) && !(registry.protocol === 'http:' && realm.hostname === registry.hostname))
    if (refused)
      throw new EngineError(
        'permission_denied',
        `${registry.host} names the token server ${realm.protocol}//${realm.host}, which is not protected; no credentials are sent there`,
      )
    return realm
  }

  return {
    async send(exchange, credentials, scopes) {
      const key = JSON.stringify([exchange.url.origin, credentials?.username ?? '', secretMark(credentials), [...scopes].sort()])
      const cached = known.get(key)
      const usable = cached && cached.until > performance.now() ? cached.header : null
      const withAuth = (header: string | null): Exchange =>
        header ? { ...exchange, headers: { ...exchange.headers, authorization: header } } : exchange
      const first = await http.send(withAuth(usable))
      if (first.status !== 401) return first
      known.delete(key)
      const challenges = parseChallenges(first.headers['www-authenticate'])
      // A redirect may have led elsewhere; only the registry itself may ask for credentials.
      if (first.url.origin !== exchange.url.origin) return first
      const fresh = challenges.length ? await answerChallenge(challenges, exchange, credentials, scopes) : null
      if (!fresh || fresh.header === usable) return first
      await first.body.dump().catch(() => {})
      const second = await http.send(withAuth(fresh.header))
      if (second.status !== 401) {
        if (known.size >= keptTokens) known.delete(known.keys().next().value as string)
        known.set(key, fresh)
      }
      return second
    },
  }
}

function tokenExchange(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: RegistryAuth | null,
  signal?: AbortSignal,
): Exchange {
  const url = new URL(realm)
  if (service) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  if (credentials?.username) {
    url.searchParams.set('account', credentials.username)
    url.searchParams.set('client_id', 'berth')
    url.searchParams.set('offline_token', 'true')
  }
  const headers: Record<string, string> = credentials?.username ? { authorization: basic(credentials) } : {}
  return { method: 'GET', url, headers, signal, headersTimeoutMs: tokenTimeoutMs, bodyTimeoutMs: tokenTimeoutMs, attempts: 2 }
}

function refreshExchange(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  token: string,
  signal?: AbortSignal,
): Exchange {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: 'berth', scope: scopes.join(' ') })
  if (service) form.set('service', service)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return {
    method: 'POST',
    url: realm,
    headers,
    body: form.toString(),
    signal,
    headersTimeoutMs: tokenTimeoutMs,
    bodyTimeoutMs: tokenTimeoutMs,
    attempts: 2,
  }
}

function basic({ username, password }: RegistryAuth): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** Distinguishes two passwords of one user among cached tokens without keeping either. */
function secretMark(credentials: RegistryAuth | null): string {
  return createHash('sha256')
    .update(credentials?.identityToken ?? credentials?.password ?? '')
    .digest('hex')
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}
