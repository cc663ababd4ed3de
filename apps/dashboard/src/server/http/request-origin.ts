import type { IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import type { TLSSocket } from 'node:tls'
import { ServerError } from '../errors.ts'
import type { Settings } from '../settings.ts'

/** Where a request came from and what address it was sent to, believing only proxies that the settings name. */
export interface RequestOrigin {
  /** The client's address, IPv4 in its own form. */
  from: string
  secure: boolean
  /** `https://name:port` as the browser sees us. */
  base: string
  host: string
}

export function originOf(request: IncomingMessage, settings: Pick<Settings, 'publicUrl' | 'trustedProxies'>): RequestOrigin {
  const peer = plainAddress(request.socket.remoteAddress ?? '')
  const proxied = settings.trustedProxies.includes(peer)
  const forwarded = proxied ? (one(request.headers['x-forwarded-for'])?.split(',').at(-1)?.trim() ?? '') : ''
  const encrypted = Boolean((request.socket as TLSSocket).encrypted)
  const secure =
    encrypted ||
    (proxied && one(request.headers['x-forwarded-proto']) === 'https') ||
    (!encrypted && settings.publicUrl?.protocol === 'https:' && isLoopback(peer))
  const host = (proxied && one(request.headers['x-forwarded-host'])) || request.headers.host || ''
  return {
    from: forwarded ? plainAddress(forwarded) : peer,
    secure,
    base: settings.publicUrl?.origin ?? `${secure ? 'https' : 'http'}://${host}`,
    host,
  }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address)
}

/** The address under which other machines reach us: that of the request, or, when the browser came over loopback, this machine's first own address. */
export function reachableBase(origin: RequestOrigin): string {
  const { hostname, port } = new URL(origin.base)
  if (hostname !== 'localhost' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))) return origin.base
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find((one) => !one.internal && one.family === 'IPv4')
  return own ? `https://${own.address}${port ? `:${port}` : ''}` : origin.base
}

/**
 * Whether a browser's request comes from a page of ours. A cookie goes along with requests that other sites cause; what tells them apart is the Origin header, which
 * no page can forge. One of `same-origin` by Sec-Fetch-Site or an Origin whose host is the one we were addressed by is needed.
 * @throws ServerError `permission_denied`
 */
export function requireOwnPage(request: IncomingMessage, settings: Pick<Settings, 'publicUrl' | 'trustedProxies'>): void {
  const { host, secure } = originOf(request, settings)
  const origin = request.headers.origin
  const site = one(request.headers['sec-fetch-site'])
  if (site !== undefined && site !== 'same-origin') throw refusal(origin ?? site)
  if (origin !== undefined) {
    const allowed = [host.toLowerCase(), settings.publicUrl?.host.toLowerCase()]
    if (!URL.canParse(origin) || !allowed.includes(new URL(origin).host.toLowerCase())) throw refusal(origin)
    // Both HTTP and HTTPS are answered on one port: a page that somebody put into the unsafe one does not speak for the safe one.
    if (secure && new URL(origin).protocol === 'http:') throw refusal(origin)
    return
  }
  if (site === undefined) throw refusal('nowhere')
}

/**
 * Reading by a cookie: what a person typed or came to from our own pages, not what a page of another site made the browser fetch (it could not read the answer, but could have a
 * backup made or time what it asks). Browsers that do not say where a request comes from are believed.
 * @throws ServerError `permission_denied`
 */
export function requireNotForeign(request: IncomingMessage): void {
  const site = one(request.headers['sec-fetch-site'])
  if (site === 'cross-site' || site === 'same-site') throw refusal(request.headers.origin ?? site)
}

function refusal(where: string): ServerError {
  return new ServerError(
    'permission_denied',
    `the request came from ${where.slice(0, 100)} and not from a page of this dashboard; programs use an API token (Authorization: Bearer …)`,
  )
}
