/**
 * One HTTP exchange with a registry, with the rules that no caller may forget: timeouts, at most five redirects, credentials never sent to another
 * origin, no step down from HTTPS to HTTP, bounded answers, patience with 429 and 5xx. Authentication is authorize.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { EngineError } from '../errors.ts'
import { hostName, type RegistryHosts } from './hosts.ts'
import { isLinkLocal, lookupBeyondLink } from './link-local.ts'
import { paced } from './paced.ts'
import { connectionError, isTransient, wordsOf } from './registry-error.ts'

export interface Exchange {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers?: Record<string, string>
  /** Small bodies may be sent again; a stream is sent once and must not be retried here. */
  body?: Uint8Array | string | (() => import('node:stream').Readable)
  signal?: AbortSignal
  /** Time until the answer's head; default 60 s. */
  headersTimeoutMs?: number
  /** Longest silence within a body; default 60 s. */
  bodyTimeoutMs?: number
  /** Attempts on 429, 5xx and broken connections; default 4, 1 for streams. */
  attempts?: number
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Dispatcher.ResponseData['body']
  /** Where it came from, after redirects. */
  url: URL
}

export interface RegistryHttp {
  /** @throws unavailable (no connection, broken, still busy after all attempts), resource_exhausted (429), cancelled, permission_denied (forbidden redirect) */
  send(exchange: Exchange): Promise<Answer>
  close(): Promise<void>
}

const userAgent = 'berth/0.1'
const maxRedirects = 5
const maxRetryAfterMs = 60_000
const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt'

/** @param lookup resolves the names that are connected to; for tests */
export function createHttp(hosts: RegistryHosts, lookup = lookupBeyondLink()): RegistryHttp {
  let agents: Promise<{ strict: Dispatcher; lenient: Dispatcher }> | null = null
  const open = async () => {
    const [{ Agent, EnvHttpProxyAgent }, tls, { mendPausedParser }] = await Promise.all([
      import('undici'),
      import('node:tls'),
      import('./paused-parser.ts'),
    ])
    await mendPausedParser()
    // Node's own list of authorities and the machine's, so that a company's authority installed on the host counts.
    const extra = existsSync(systemAuthorities) ? [readFileSync(systemAuthorities, 'utf8')] : []
    const secureContext = tls.createSecureContext({ ca: [...tls.rootCertificates, ...extra] })
    const common = { keepAliveTimeout: 4000, headersTimeout: 60_000, bodyTimeout: 60_000 }
    return {
      // The machine's proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as every tool of its administrator takes it; loopback and listed networks are reached directly.
      strict: new EnvHttpProxyAgent({ ...common, connect: { timeout: 15_000, secureContext, lookup }, requestTls: { secureContext } }),
      lenient: new Agent({ ...common, connect: { timeout: 15_000, rejectUnauthorized: false, lookup } }),
    }
  }

  async function once(exchange: Exchange): Promise<Answer> {
    const { request } = await import('undici')
    agents ??= open()
    const { strict, lenient } = await agents
    let { url, method } = exchange
    let headers: Record<string, string> = { 'user-agent': userAgent, ...exchange.headers }
    let body = typeof exchange.body === 'function' ? exchange.body() : exchange.body
    for (let redirects = 0; ; redirects++) {
      const insecure = await hosts.isInsecure(url.host)
      const response = await request(url, {
        method,
        headers,
        body: body as Dispatcher.DispatchOptions['body'],
        signal: exchange.signal,
        dispatcher: insecure ? lenient : strict,
        headersTimeout: exchange.headersTimeoutMs ?? 60_000,
        bodyTimeout: exchange.bodyTimeoutMs ?? 60_000,
        highWaterMark: 1024 * 1024,
      })
      const location = response.headers.location
      const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode) && typeof location === 'string'
      if (!isRedirect) return { status: response.statusCode, headers: response.headers, body: response.body, url }
      await response.body.dump().catch(() => {})
      if (redirects >= maxRedirects)
        throw new EngineError('unavailable', `${exchange.url.host} redirects in circles; gave up after ${maxRedirects} redirects`)
      if (body !== undefined && typeof body === 'object' && 'pipe' in body) {
        throw new EngineError('unavailable', `${url.host} redirects an upload after taking its body; push to the address it names instead`)
      }
      const next = await checkRedirect(url, location, hosts)
      if (next.origin !== url.origin) headers = withoutCredentials(headers)
      if (response.statusCode === 303 && method !== 'HEAD') {
        method = 'GET'
        body = undefined
      }
      url = next
    }
  }

  return {
    async send(exchange) {
      const attempts = exchange.attempts ?? (typeof exchange.body === 'function' ? 1 : 4)
      for (let attempt = 1; ; attempt++) {
        exchange.signal?.throwIfAborted()
        let answer: Answer
        try {
          answer = await once(exchange)
        } catch (error) {
          if (exchange.signal?.aborted)
            throw new EngineError('cancelled', `the request to ${exchange.url.host} was cancelled`, { cause: error })
          if (error instanceof EngineError) throw error
          // What our own lookup refused, on its way through the connection.
          if ((error as Error).cause instanceof EngineError) throw (error as Error).cause
          if (attempt >= attempts || !isTransient(error)) throw connectionError(error, exchange.url.host)
          await pause(250 * 2 ** attempt, exchange.signal)
          continue
        }
        const busy = answer.status === 429 || (answer.status >= 500 && answer.status !== 501)
        if (!busy) return answer
        const wait = answer.status === 429 ? retryAfter(answer.headers['retry-after'], attempt) : 250 * 2 ** attempt
        if (attempt >= attempts || wait > maxRetryAfterMs) throw await busyError(answer, wait)
        await answer.body.dump().catch(() => {})
        await pause(wait, exchange.signal)
      }
    },
    async close() {
      const open = await agents
      agents = null
      await Promise.all([open?.strict.destroy(), open?.lenient.destroy()])
    },
  }
}

async function checkRedirect(from: URL, location: string, hosts: RegistryHosts): Promise<URL> {
  let next: URL
  try {
    next = new URL(location, from)
  } catch {
    throw new EngineError('unavailable', `${from.host} redirects to "${location.slice(0, 100)}", which is not an address`)
  }
  const stepsDown =
    from.protocol === 'https:' && next.protocol !== 'https:' && !(next.protocol === 'http:' && (await hosts.isInsecure(next.host)))
  requireBeyondLink(from, next)
  if ((next.protocol !== 'https:' && next.protocol !== 'http:') || stepsDown) {
    throw new EngineError(
      'permission_denied',
      `${from.host} redirects to ${next.protocol}//${next.host}, which is not protected; it is refused`,
    )
  }
  next.username = ''
  next.password = ''
  return next
}

/** @throws permission_denied when `from` names an address of this machine's own link, unless it is its own */
export function requireBeyondLink(from: URL, next: URL): void {
  if (next.host !== from.host && isLinkLocal(hostName(next.host)))
    throw new EngineError('permission_denied', `${from.host} leads to ${next.host}, which is this machine's own link; it is refused`)
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['authorization', 'cookie', 'proxy-authorization'].includes(name.toLowerCase())),
  )
}

/** Milliseconds that a `Retry-After` (seconds or a date) asks for; without one, a growing pause. */
export function retryAfter(header: string | string[] | undefined, attempt: number, now = Date.now()): number {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return 1000 * 2 ** attempt
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? 1000 * 2 ** attempt : Math.max(0, at - now)
}

async function busyError(answer: Answer, waitMs: number): Promise<EngineError> {
  const words = await wordsOf(answer)
  if (answer.status !== 429)
    return new EngineError(
      'unavailable',
      `${answer.url.host} failed with status ${answer.status}${words ? `: ${words}` : ''}; try again later`,
    )
  const when = answer.headers['retry-after'] === undefined ? 'later' : `in ${Math.ceil(waitMs / 1000)} seconds`
  return new EngineError(
    'resource_exhausted',
    `toomanyrequests: ${words.replace(/^toomanyrequests: /, '') || `${answer.url.host} has had too many requests from here`}; try again ${when}, or log in`,
  )
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error) => {
    throw new EngineError('cancelled', 'cancelled while waiting for the registry', { cause: error })
  })
}

/** A whole small body. @throws invalid_argument when it is larger than `limit`, unavailable when it breaks or trickles */
export async function readBody(answer: Answer, limit: number, what: string): Promise<Buffer> {
  const announced = Number(answer.headers['content-length'] ?? 0)
  const tooLarge = () => new EngineError('invalid_argument', `${what} from ${answer.url.host} is larger than ${limit} bytes; it is refused`)
  const chunks: Buffer[] = []
  let size = 0
  try {
    if (announced > limit) throw tooLarge()
    for await (const chunk of paced(answer.body, answer.url.host)) {
      size += chunk.length
      if (size > limit) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    answer.body.destroy()
    throw error instanceof EngineError ? error : connectionError(error, answer.url.host)
  }
  return Buffer.concat(chunks)
}
