import { createPublicKey, verify } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { type Claim, claimHeader } from '@berth/contract/claim'
import type { EnrolAnswer } from '@berth/contract/enrol'
import type { LogRecord } from '@berth/contract/log'
import { type Socket, Server as SocketServer } from 'socket.io'
import { makeRequest } from '../hosts/certificate-request.fixture.ts'

/** What a test makes an agent say. Answers by procedure name; anything else is an empty list. */
export interface Script {
  answers?: Record<string, (input: unknown, claim: Claim | null) => unknown>
  containers?: number
}
/** What reached the agent. */
export interface Seen {
  requests: { path: string; claim: Claim | null; body: string }[]
  opened: { event: string; claim: Claim | null; input: Record<string, unknown> }[]
  closed: string[]
  input: Buffer[]
}
export interface SimulatedAgent {
  port: number
  hostId: string
  /** Of the key that it joined with, DER. */
  publicKeySpki: Buffer
  seen: Seen
  sockets: Set<Socket>
  /** Takes nothing that is typed: no acknowledgement, no echo. */
  deaf: boolean
  /** Sends a message of a stream to the dashboard. */
  say(name: string, ...args: unknown[]): void
  /** Appends lines to the log of every container and sends them as one batch. */
  logLines(...texts: string[]): void
  /** Stops listening and cuts every connection, as a machine that loses power does. */
  stop(): Promise<void>
  /** Listens again on the same port, with what `change` replaces. */
  start(change?: Partial<{ key: string; certificate: string }>): Promise<void>
}

interface Options {
  base: string
  token: string
  name?: string
  engineId?: string
  script?: Script
  /** Instead of enrolling. */
  identity?: { answer: EnrolAnswer; key: string }
}

/** POST /api/enrol as `berth-agent join` does. */
export async function enrol(
  base: string,
  body: Record<string, unknown>,
): Promise<{ status: number; body: EnrolAnswer & { message?: string } }> {
  const response = await fetch(`${base}/api/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as EnrolAnswer & { message?: string } }
}

/**
 * An agent without containers behind it: enrols like a real one, verifies the dashboard's certificate and claims, and speaks the routes and events of the contract. For tests of the
 * dashboard alone and for its benchmarks; what real agents do is tested with real agents.
 */
export async function simulateAgent(options: Options): Promise<SimulatedAgent> {
  const { csr, key, publicKeySpki } = await makeRequest(options.name ?? 'simulated')
  const server = { current: null as Server | null, io: null as SocketServer | null }
  const seen: Seen = { requests: [], opened: [], closed: [], input: [] }
  const sockets = new Set<Socket>()
  const streams = new Map<string, { socket: Socket; event: string }>()
  const log: LogRecord[] = []
  let identity = options.identity
  let port = 0
  let deaf = false

  const claimOf = (text: unknown): Claim | null => {
    const [body, signature] = String(text ?? '').split('.') as [string, string | undefined]
    if (!identity || !signature) return null
    const bytes = Buffer.from(body, 'base64url')
    return verify(null, bytes, createPublicKey(identity.answer.claimKey), Buffer.from(signature, 'base64url'))
      ? (JSON.parse(bytes.toString()) as Claim)
      : null
  }
  const answerOf = (procedure: string, input: unknown, claim: Claim | null): unknown => {
    const own = options.script?.answers?.[procedure]
    if (own) return own(input, claim)
    if (procedure === 'system.info') return simulatedSystem(options.name ?? 'simulated', options.script?.containers ?? 0)
    if (procedure === 'containers.list')
      return Array.from({ length: options.script?.containers ?? 0 }, (_, index) => simulatedContainer(index))
    if (procedure === 'logs.read') return logPage(log, input as { fromOffset?: number; tail?: number | null; limit?: number })
    return []
  }

  const start = async (change: Partial<{ key: string; certificate: string }> = {}): Promise<void> => {
    if (!identity) throw new Error('not enrolled')
    const https = createServer(
      {
        key: change.key ?? identity.key,
        cert: change.certificate ?? identity.answer.certificate,
        ca: identity.answer.authority,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
      },
      (request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', () => {
          const url = new URL(request.url ?? '/', 'http://agent')
          const claim = claimOf(request.headers[claimHeader])
          const body = Buffer.concat(parts).toString()
          if (url.pathname !== '/healthz') seen.requests.push({ path: url.pathname, claim, body })
          response.setHeader('content-type', 'application/json')
          if (url.pathname === '/healthz') return void response.end('{"status":"ok"}')
          if (!claim) {
            response.statusCode = 403
            return void response.end(JSON.stringify({ error: { message: 'no claim', data: { errorCode: 'permission_denied' } } }))
          }
          if (url.pathname.startsWith('/data/')) {
            response.setHeader('content-type', 'text/html')
            return void response.end(request.method === 'GET' ? '<script>alert(1)</script>' : JSON.stringify({ took: body.length }))
          }
          if (url.pathname === '/identity/csr') return void response.end(JSON.stringify({ csr }))
          // Taken, not used: a test may have made it with a clock of its own.
          if (url.pathname === '/identity/certificate') return void response.end('{}')
          const names = decodeURIComponent(url.pathname.slice('/trpc/'.length)).split(',')
          const text = request.method === 'POST' ? body : url.searchParams.get('input')
          const parsed = text ? (JSON.parse(text) as Record<string, unknown>) : undefined
          const batch = url.searchParams.get('batch') === '1'
          const results = names.map((name, index) => ({
            result: { data: answerOf(name, batch ? parsed?.[index] : parsed, claim) ?? null },
          }))
          response.end(JSON.stringify(batch ? results : results[0]))
        })
      },
    )
    https.on('tlsClientError', () => undefined)
    https.on('secureConnection', (socket: TLSSocket) => {
      if (!socket.getPeerCertificate().ext_key_usage?.includes('1.3.6.1.5.5.7.3.2')) socket.destroy()
    })
    const io = new SocketServer(https, { transports: ['websocket'], serveClient: false })
    io.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('disconnect', () => sockets.delete(socket))
      socket.onAny((event: string, ...args: unknown[]) => {
        const claim = claimOf(args.shift())
        const ack = typeof args.at(-1) === 'function' ? (args.pop() as (answer: unknown) => void) : undefined
        if (!claim) return ack?.({ ok: false, error: { code: 'permission_denied', message: 'no claim' } })
        if (event.endsWith('.open')) {
          const input = args[0] as Record<string, unknown> & { stream: string }
          seen.opened.push({ event, claim, input })
          streams.set(input.stream, { socket, event })
          if (event === 'events.open') ack?.({ ok: true, value: { epoch: 'e1', sequence: 0 } })
          else if (event === 'logs.open') {
            ack?.({ ok: true, value: { startOffset: 0, endOffset: log.at(-1)?.next ?? 0 } })
            const missed = log.filter((record) => record.offset >= Number(input.fromOffset ?? 0))
            for (let at = 0; at < missed.length; at += 500)
              socket.emit('logs.batch', input.stream, missed.slice(at, at + 500), () => undefined)
          } else if (event === 'terminal.open') ack?.({ ok: true, value: { terminal: true, cols: 80, rows: 24, writable: true } })
          else ack?.({ ok: true, value: null })
        } else if (event === 'close') {
          seen.closed.push(String(args[0]))
          streams.delete(String(args[0]))
        } else if (event === 'terminal.input' && !deaf) {
          seen.input.push(Buffer.from(args[1] as Uint8Array))
          ack?.({ ok: true, value: null })
          socket.emit('terminal.output', args[0], args[1])
        }
      })
    })
    await new Promise<void>((resolve) => https.listen(port, '127.0.0.1', resolve))
    port = (https.address() as { port: number }).port
    server.current = https
    server.io = io
  }
  const stop = async (): Promise<void> => {
    const { current, io } = server
    server.current = null
    await io?.close()
    current?.closeAllConnections()
    await new Promise<void>((resolve) => (current?.listening ? current.close(() => resolve()) : resolve()))
  }

  if (!identity) {
    // The port must be known before it is told to the dashboard.
    port = await freePort()
    const joined = await enrol(options.base, {
      token: options.token,
      csr,
      hostname: options.name ?? 'simulated',
      port,
      address: '127.0.0.1',
      engineId: options.engineId ?? `engine-${port}`,
      agentVersion: '0',
    })
    if (joined.status !== 200) throw new Error(`could not join: ${joined.body.message}`)
    identity = { answer: joined.body, key }
  }
  await start()
  return {
    get port() {
      return port
    },
    get deaf() {
      return deaf
    },
    set deaf(value) {
      deaf = value
    },
    hostId: identity.answer.hostId,
    publicKeySpki,
    seen,
    sockets,
    say: (name, ...args) => {
      for (const [stream, { socket, event }] of streams)
        if (name.startsWith(`${event.split('.')[0]}.`) || name === 'stream.end') socket.emit(name, stream, ...args)
    },
    logLines: (...texts) => {
      const records = texts.map((text): LogRecord => {
        const offset = log.at(-1)?.next ?? 0
        const record: LogRecord = {
          offset,
          next: offset + text.length + 1,
          at: new Date().toISOString(),
          stream: 'stdout',
          partial: false,
          text,
        }
        log.push(record)
        return record
      })
      for (const [stream, { socket, event }] of streams)
        if (event === 'logs.open') socket.emit('logs.batch', stream, records, () => undefined)
    },
    stop,
    start,
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise<void>((resolve) => probe.close(() => resolve()))
  return port
}

function logPage(log: readonly LogRecord[], query: { fromOffset?: number; tail?: number | null; limit?: number }): unknown {
  const limit = query.limit ?? 1000
  const after = query.fromOffset === undefined ? log : log.filter((record) => record.offset >= (query.fromOffset ?? 0))
  const records =
    query.tail !== null && query.tail !== undefined ? (query.tail === 0 ? [] : after.slice(-query.tail)) : after.slice(0, limit)
  const last = records.at(-1)
  const endOffset = log.at(-1)?.next ?? 0
  return { records, startOffset: 0, endOffset, nextOffset: last && last.next < endOffset ? last.next : null, scanned: 0 }
}

function simulatedSystem(hostname: string, containers: number) {
  return {
    agentVersion: '0.1.0',
    engineId: hostname,
    hostname,
    os: 'Debian',
    osVersion: '12',
    kernel: '6',
    architecture: 'x86_64',
    cpus: 2,
    memoryBytes: 1,
    bootedAt: '',
    startedAt: '',
    dataRoot: '/',
    cgroupVersion: '2',
    controllers: [],
    storageDriver: 'overlay2',
    backingFilesystem: 'extfs',
    securityOptions: [],
    runtime: { name: 'r', version: '0', path: '/' },
    registryMirrors: [],
    insecureRegistries: [],
    counts: { containers, running: containers, paused: 0, stopped: 0, images: 0, volumes: 0, networks: 0 },
    warnings: [],
    features: [],
    policy: { readOnly: false, noExec: false, noHostConsole: true, noPrivileged: false, bindSources: null },
    now: '',
  }
}

function simulatedContainer(index: number) {
  const id = index.toString(16).padStart(64, '0')
  return {
    id,
    name: `container-${index}`,
    image: 'registry.example/team/app:1.2.3',
    imageId: `sha256:${id}`,
    command: ['/usr/bin/app', '--listen', '0.0.0.0:8080'],
    createdAt: '2026-01-01T00:00:00Z',
    state: {
      status: 'running',
      exitCode: 0,
      signal: null,
      oomKilled: false,
      error: '',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: null,
      restartCount: 0,
      pid: 1000 + index,
      health: 'healthy',
    },
    labels: { 'com.example.team': 'payments', 'com.example.tier': 'backend', 'org.opencontainers.image.version': '1.2.3' },
    ports: [{ containerPort: 8080, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 20_000 + index }],
    mounts: [
      {
        type: 'volume',
        name: `data-${index}`,
        source: `/var/lib/berth/volumes/data-${index}`,
        destination: '/data',
        mode: '',
        readOnly: false,
        propagation: '',
      },
    ],
    networks: [{ name: 'bridge', id, ipv4: '172.17.0.2', ipv6: '' }],
    networkMode: 'bridge',
    limits: {},
    restart: { name: 'always', maximumRetryCount: 0 },
    sizeRwBytes: null,
    sizeRootFsBytes: null,
  }
}
