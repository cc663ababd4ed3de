import { EventEmitter } from 'node:events'
import { Agent as HttpsAgent } from 'node:https'
import { connect as tlsConnect } from 'node:tls'
import { claimHeader } from '@berth/contract/claim'
import { renewalRoutes } from '@berth/contract/enrol'
import type { WireError } from '@berth/contract/error'
import type { ServerEvents } from '@berth/contract/stream'
import { type SystemInfo, systemInfo } from '@berth/contract/system'
import { io, type Socket } from 'socket.io-client'
import { type Dispatcher, Pool } from 'undici'
import { ServerError } from '../errors.ts'
import { type AgentCertificate, type Authority, isDue } from '../hosts/authority.ts'
import type { HostRecord } from '../hosts/hosts.ts'
import type { Log } from '../log.ts'
import { type Asker, dashboardAsker } from './asker.ts'
import { dialFailureInWords, tlsOptionsFor } from './tls-identity.ts'
import { UpstreamStreams } from './upstream-streams.ts'

export type LinkState = Parameters<ServerEvents['host.state']>[0]
interface LinkEvents {
  state: [state: LinkState]
  /** New system information. */
  system: [system: SystemInfo]
}

/** A host that answers nothing for this long is away: well within the promised 10 s. */
const awayAfterMs = 7_000
const heartbeatMs = 2_500
const dialTimeoutMs = 4_000
const retryMs = [300, 700, 1_500, 2_500] as const
const claimLifeSeconds = 60
/** A claim is signed anew after this long, so that it never arrives stale. */
const claimReuseMs = 25_000
const renewCheckMs = 6 * 3_600_000
const mostAnswerBytes = 64 * 1024 * 1024

/**
 * The link to one host: the only place that knows how an agent is reached. It dials, keeps one connection for what flows and a small pool for requests, watches
 * the heartbeat, signs claims, and renews the host's certificate. An agent that dials us would be another implementation of this class's public face.
 */
export class AgentLink extends EventEmitter<LinkEvents> {
  readonly streams: UpstreamStreams
  private current: LinkState
  private pool: Pool | null = null
  private socket: Socket | null = null
  private closed = false
  private lastAnswer = 0
  /** The same by a clock that nobody sets: whether a host is silent must not depend on somebody's correcting the time. */
  private heardAt = 0
  private attempts = 0
  private timer: NodeJS.Timeout | undefined
  private readonly claims = new Map<string, { text: string; expires: number }>()
  private renewChecked = 0

  constructor(
    private host: HostRecord,
    private readonly authority: Authority,
    private readonly log: Log,
    private readonly keepCertificate: (certificate: AgentCertificate) => Promise<void>,
  ) {
    super()
    this.setMaxListeners(0)
    this.current = {
      state: host.revokedAt ? 'revoked' : 'away',
      since: new Date().toISOString(),
      lastSeenAt: host.lastSeenAt?.toISOString() ?? null,
      message: '',
    }
    this.streams = new UpstreamStreams(
      (asker) => this.claim(asker),
      (event, error) => this.log.warn({ host: this.host.name, event, err: error }, 'a host sent something that cannot be read'),
    )
  }

  get hostId(): string {
    return this.host.id
  }

  get state(): LinkState {
    return this.lastAnswer > 0 ? { ...this.current, lastSeenAt: new Date(this.lastAnswer).toISOString() } : this.current
  }

  /** Begins to dial, and goes on until close. */
  open(): void {
    if (!this.host.revokedAt) void this.dial()
  }

  /** Forgets every connection. The link cannot be opened again. */
  async close(state: 'revoked' | 'away' = 'away'): Promise<void> {
    if (this.closed) return
    this.closed = true
    clearTimeout(this.timer)
    this.setState(state, state === 'revoked' ? 'this host was revoked' : 'the dashboard let go of this host')
    await this.disconnect(new Error('the link was closed'))
  }

  /**
   * One HTTP request to the agent in somebody's name. The answer's body is a stream that the caller reads or destroys.
   * @throws ServerError `unavailable` when the host is away or does not answer
   */
  async request(
    asker: Asker,
    options: {
      method: Dispatcher.HttpMethod
      path: string
      headers?: Record<string, string>
      body?: Dispatcher.DispatchOptions['body']
      signal?: AbortSignal
    },
  ): Promise<Dispatcher.ResponseData> {
    const { pool } = this
    if (!pool || this.current.state !== 'online') throw this.unavailable()
    try {
      const headers = { ...options.headers, [claimHeader]: this.claim(asker) }
      const answer = await pool.request({
        method: options.method,
        path: options.path,
        headers,
        body: options.body ?? null,
        signal: options.signal ?? null,
      })
      this.heard()
      return answer
    } catch (cause) {
      if (options.signal?.aborted) throw new ServerError('cancelled', 'the request was cancelled', { cause })
      throw new ServerError(
        'unavailable',
        `host "${this.host.name}" did not answer: ${dialFailureInWords(cause, this.host.address, this.host.port)}`,
        { cause },
      )
    }
  }

  /** A question of the agent's router. @throws ServerError with the agent's own code and sentence, or `unavailable` */
  async query(asker: Asker, procedure: string, input: unknown): Promise<unknown> {
    const path = `/trpc/${procedure}${input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`}`
    const { body } = await this.request(asker, { method: 'GET', path })
    return resultOf(JSON.parse((await readAnswer(body, this.host.name)).toString('utf8')))
  }

  unavailable(): ServerError {
    const { state, message } = this.current
    const why = message ? `: ${message}` : ''
    if (state === 'revoked') return new ServerError('unavailable', `host "${this.host.name}" was revoked; let it join again`)
    return new ServerError('unavailable', `host "${this.host.name}" is away${why}`)
  }

  private claim(asker: Asker): string {
    const key = JSON.stringify(asker)
    const now = Date.now()
    const known = this.claims.get(key)
    // Not one that looks too far ahead, either: the clock may have been set back since.
    const left = known ? known.expires * 1000 - now : 0
    if (known && left > claimLifeSeconds * 1000 - claimReuseMs && left <= claimLifeSeconds * 1000) return known.text
    if (this.claims.size > 500) this.claims.clear()
    // One second is left to the other clock, though agents allow for more.
    const expires = Math.floor(now / 1000) + claimLifeSeconds - 1
    const text = this.authority.signClaim({ host: this.host.id, ...asker, expires })
    this.claims.set(key, { text, expires })
    return text
  }

  private async dial(): Promise<void> {
    if (this.closed) return
    this.attempts += 1
    const tls = tlsOptionsFor(this.host, this.authority)
    const { address, port } = this.host
    // Sessions are not resumed: each connection verifies the certificate and the pinned key.
    const pool = new Pool(`https://${address.includes(':') ? `[${address}]` : address}:${port}`, {
      connect: { ...tls, timeout: dialTimeoutMs, maxCachedSessions: 0, autoSelectFamily: true },
      connections: 24,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 20_000,
    })
    this.pool = pool
    try {
      await ping(pool)
      this.socket = await this.connectSocket()
      this.streams.attach(this.socket)
      this.heard()
      this.attempts = 0
      this.setState('online', '')
      this.beat()
      void this.afterConnect()
    } catch (error) {
      if (this.closed) return
      await this.lost(dialFailureInWords(error, address, port))
    }
  }

  private connectSocket(): Promise<Socket> {
    const { address, port } = this.host
    const agent = new HttpsAgent({ keepAlive: false })
    agent.createConnection = () => tlsConnect({ host: address, port, ...tlsOptionsFor(this.host, this.authority) })
    const socket = io(`https://${address.includes(':') ? `[${address}]` : address}:${port}`, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: dialTimeoutMs,
      // The type is the browser's; Node's transport hands it to the WebSocket's request.
      agent: agent as unknown as string,
    })
    return new Promise((resolve, reject) => {
      socket.once('connect', () => {
        socket.on('disconnect', (reason) => {
          if (this.socket === socket) void this.lost(`the connection ended (${reason})`)
        })
        resolve(socket)
      })
      socket.once('connect_error', (error) => {
        socket.disconnect()
        reject((error as Error & { description?: { error?: Error } }).description?.error ?? error)
      })
    })
  }

  /** What is asked once per connection. A host that answers pings but not this stays online: its own message says why. */
  private async afterConnect(): Promise<void> {
    try {
      await this.refreshSystem()
      await this.renewIfDue()
    } catch (error) {
      this.log.warn({ host: this.host.name, reason: (error as Error).message }, 'the host is reachable but did not answer as expected')
    }
  }

  /** Reads the agent's system information again. */
  async refreshSystem(): Promise<void> {
    const parsed = systemInfo.safeParse(await this.query(dashboardAsker, 'system.info', undefined))
    if (!parsed.success)
      throw new ServerError('internal', `the agent's system information has the wrong shape: ${parsed.error.issues[0]?.path.join('.')}`)
    this.emit('system', parsed.data)
  }

  private heard(): void {
    this.lastAnswer = Date.now()
    this.heardAt = performance.now()
  }

  private beat(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      const { pool } = this
      if (!pool || this.closed || this.current.state !== 'online') return
      ping(pool).then(
        () => {
          this.heard()
          if (Math.abs(Date.now() - this.renewChecked) > renewCheckMs) void this.afterConnect()
          this.beat()
        },
        (error) => {
          if (this.closed || this.pool !== pool || this.current.state !== 'online') return
          const silent = performance.now() - this.heardAt
          if (silent >= awayAfterMs - heartbeatMs) void this.lost(dialFailureInWords(error, this.host.address, this.host.port))
          else this.beat()
        },
      )
    }, heartbeatMs)
    this.timer.unref()
  }

  private async lost(message: string): Promise<void> {
    clearTimeout(this.timer)
    this.setState('away', message)
    await this.disconnect(new Error(message))
    if (this.closed) return
    this.timer = setTimeout(() => void this.dial(), retryMs[Math.min(this.attempts, retryMs.length - 1)])
    this.timer.unref()
  }

  private async disconnect(reason: Error): Promise<void> {
    const { pool, socket } = this
    this.pool = null
    this.socket = null
    this.streams.detach()
    socket?.removeAllListeners()
    socket?.disconnect()
    await pool?.destroy(reason)
  }

  private setState(state: LinkState['state'], message: string): void {
    if (this.current.state === state && this.current.message === message) return
    const since = this.current.state === state ? this.current.since : new Date().toISOString()
    this.current = {
      state,
      since,
      lastSeenAt: this.lastAnswer > 0 ? new Date(this.lastAnswer).toISOString() : this.current.lastSeenAt,
      message,
    }
    this.log.info({ host: this.host.name, state, reason: message || undefined }, 'link')
    this.emit('state', this.state)
  }

  /** Long before it expires the host gets a new certificate for the key that it has. */
  private async renewIfDue(): Promise<void> {
    this.renewChecked = Date.now()
    const { certificateEnd, joinedAt } = this.host
    const third = (certificateEnd.getTime() - joinedAt.getTime()) / 3
    if (certificateEnd.getTime() - Date.now() > Math.min(third, 30 * 86_400_000)) return
    await this.renew()
  }

  /** Renews now. @throws ServerError when the host does not play its part; it keeps the certificate it has */
  async renew(): Promise<void> {
    const asker: Asker = { ...dashboardAsker, role: 'admin' }
    const [csrMethod, csrPath] = renewalRoutes.csr.split(' ') as [Dispatcher.HttpMethod, string]
    const [putMethod, putPath] = renewalRoutes.certificate.split(' ') as [Dispatcher.HttpMethod, string]
    const asked = await this.request(asker, { method: csrMethod, path: csrPath })
    const answer = JSON.parse((await readAnswer(asked.body, this.host.name)).toString('utf8')) as { csr?: unknown; message?: string }
    if (typeof answer.csr !== 'string')
      throw new ServerError('unavailable', `host "${this.host.name}" gave no certificate request: ${answer.message ?? asked.statusCode}`)
    const certificate = await this.authority.certifyAgent(answer.csr, this.host.id)
    if (certificate.keyFingerprint !== this.host.keyFingerprint)
      throw new ServerError(
        'permission_denied',
        `host "${this.host.name}" asked for a certificate for another key than its own; let it join again`,
      )
    const body = JSON.stringify({
      certificate: certificate.certificate,
      authority: this.authority.certificate,
      claimKey: this.authority.claimKey,
      hostId: this.host.id,
    })
    const put = await this.request(asker, { method: putMethod, path: putPath, headers: { 'content-type': 'application/json' }, body })
    await put.body.dump()
    if (put.statusCode !== 200)
      throw new ServerError('unavailable', `host "${this.host.name}" did not take its new certificate (status ${put.statusCode})`)
    this.host = { ...this.host, certificateEnd: certificate.end, serial: certificate.serial }
    await this.keepCertificate(certificate)
    this.log.info({ host: this.host.name, until: certificate.end }, 'the certificate of a host was renewed')
  }

  /** The record changed in a way that does not concern how the host is reached. */
  rename(host: HostRecord): void {
    this.host = host
  }

  /** Whether our own certificate is due; the link then dials anew with the next one. */
  ownCertificateIsDue(): boolean {
    return isDue(this.authority.client().certificate)
  }
}

async function ping(pool: Pool): Promise<void> {
  const { statusCode, body } = await pool.request({ method: 'GET', path: '/healthz', signal: AbortSignal.timeout(dialTimeoutMs) })
  await body.dump()
  if (statusCode !== 200) throw new Error(`the agent's health answer has status ${statusCode}`)
}

/** A host is believed about itself, not trusted with our memory. @throws ServerError `resource_exhausted` */
export async function readAnswer(body: AsyncIterable<Buffer>, hostName: string, most = mostAnswerBytes): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > most)
      throw new ServerError('resource_exhausted', `host "${hostName}" answered with more than ${most / 1024 / 1024} MiB; ask for less`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** tRPC's envelope. @throws ServerError with the agent's code and sentence */
export function resultOf(answer: unknown): unknown {
  const { result, error } = answer as {
    result?: { data?: unknown }
    error?: { message?: string; data?: { errorCode?: WireError['code'] } }
  }
  if (error) throw new ServerError(error.data?.errorCode ?? 'internal', error.message ?? 'the agent failed')
  return result?.data
}
