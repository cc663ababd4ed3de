import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { claimHeader } from '@berth/contract/claim'
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http'
import { Server as SocketServer } from 'socket.io'
import type { Engine } from '../engine.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { createClaimVerifier } from './claims.ts'
import type { Caller } from './context.ts'
import { serveData } from './data/serve-data.ts'
import { answerError, answerJson } from './http-answer.ts'
import { type Identity, readIdentity } from './identity.ts'
import { metricsText } from './metrics.ts'
import { serveRenewal } from './renewal.ts'
import { agentRouter } from './router.ts'
import { serveStreams } from './streams/serve-streams.ts'

export interface ApiServer {
  /** Where it listens, for the log. */
  addresses: string[]
  close(): Promise<void>
}

/** Root on this machine. */
const local: Caller = { user: 'local', userName: 'root@localhost', role: 'admin', from: 'unix socket', via: 'local', expires: null }

/**
 * tRPC under `/trpc/`, socket.io under `/socket.io/`, bulk bytes under `/data/`, `/metrics` and `/healthz`: on `$BERTH_RUN/agent.sock` (0600: its peer is root)
 * and, once the host has joined a dashboard, on the mutual TLS port. A host that has not joined listens on no port.
 * @throws unavailable when an address is in use
 */
export async function openApi(engine: Engine, log: Logger): Promise<ApiServer> {
  const { config } = engine
  let remote: Door | null = null
  const replaceIdentity = async (next: Identity) => {
    await remote?.close()
    remote = await openRemoteDoor(engine, log, next, replaceIdentity)
    log.info({ address: remote.address, hostId: next.hostId }, 'serving the dashboard')
  }
  const reload = async () => {
    const found = readIdentity(config.dataRoot)
    if (found) await replaceIdentity(found)
  }
  const doors: Door[] = [await openLocalDoor(engine, log, reload)]
  if (config.metricsPort) doors.push(await openMetricsDoor(engine, config.metricsPort))
  if (readIdentity(config.dataRoot)) await reload()
  else log.info('this host has joined no dashboard; run berth-agent join to do so')
  return {
    get addresses() {
      return [...doors, ...(remote ? [remote] : [])].map((door) => door.address)
    },
    async close() {
      await Promise.all([...doors, ...(remote ? [remote] : [])].map((door) => door.close()))
    },
  }
}

interface Door {
  address: string
  close(): Promise<void>
}

/** @param reload takes the identity on disk, after `berth-agent join` */
async function openLocalDoor(engine: Engine, log: Logger, reload: () => Promise<void>): Promise<Door> {
  const path = join(engine.config.runRoot, 'agent.sock')
  await rm(path, { force: true })
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/identity/reload') {
      reload().then(
        () => answerJson(response, 200, {}),
        (error) => {
          log.error({ err: error }, 'the new identity could not be taken')
          answerError(response, error)
        },
      )
      return
    }
    answer(engine, log, request, response, () => local)
  })
  const sockets = attachStreams(server, engine, log, { claimed: false, caller: () => local })
  // The socket must never be there with a wider mode, not even for a moment.
  const mask = process.umask(0o177)
  try {
    await listen(server, { path })
  } finally {
    process.umask(mask)
  }
  await chmod(path, 0o600)
  return { address: `unix://${path}`, close: () => shut(server, sockets) }
}

async function openRemoteDoor(engine: Engine, log: Logger, identity: Identity, replace: (next: Identity) => Promise<void>): Promise<Door> {
  const claims = createClaimVerifier(identity.claimKey, identity.hostId)
  const server = createTlsServer(
    {
      key: identity.key,
      cert: identity.certificate,
      ca: identity.authority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      // Renewal changes the identity under this very connection: answered first, done after.
      if (serveRenewal(engine.config.dataRoot, identity, request, response, () => claims.verify(request.headers[claimHeader]), replace))
        return
      answer(engine, log, request, response, () => claims.verify(request.headers[claimHeader]))
    },
  )
  server.on('secureConnection', (socket: TLSSocket) => {
    // The authority signs agents too: only a certificate made for a client may come in, not another host's.
    if (!socket.getPeerCertificate().ext_key_usage?.includes('1.3.6.1.5.5.7.3.2')) socket.destroy()
  })
  server.on('tlsClientError', (error, socket) =>
    log.warn({ from: socket.remoteAddress, reason: error.message }, 'a connection without a certificate of the dashboard was refused'),
  )
  const sockets = attachStreams(server, engine, log, { claimed: true, caller: (claim) => claims.verify(claim) })
  await listen(server, { host: engine.config.host, port: engine.config.port })
  return { address: `https://${engine.config.host}:${engine.config.port}`, close: () => shut(server, sockets) }
}

/** For a monitoring program on this machine: numbers only, loopback only. */
async function openMetricsDoor(engine: Engine, port: number): Promise<Door> {
  const server = createServer((request, response) => {
    servePlain(engine, request, response).then(
      (served) => served || answerJson(response, 404, { code: 'not_found', message: 'only /metrics and /healthz are here' }),
      (error) => answerError(response, error),
    )
  })
  await listen(server, { host: '127.0.0.1', port })
  return { address: `http://127.0.0.1:${port}`, close: () => shut(server, null) }
}

function attachStreams(server: Server, engine: Engine, log: Logger, authenticate: Parameters<typeof serveStreams>[3]): SocketServer {
  const sockets = new SocketServer(server, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: 1_048_576,
    pingInterval: 5_000,
    pingTimeout: 5_000,
    perMessageDeflate: false,
  })
  serveStreams(sockets, engine, log, authenticate)
  return sockets
}

function answer(engine: Engine, log: Logger, request: IncomingMessage, response: ServerResponse, identify: () => Caller): void {
  route(engine, log, request, response, identify).catch((error) => {
    if (!(error instanceof EngineError)) log.error({ err: error, url: request.url }, 'a request failed')
    answerError(response, error)
  })
}

async function route(
  engine: Engine,
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
  identify: () => Caller,
): Promise<void> {
  if (await servePlain(engine, request, response)) return
  const url = new URL(request.url ?? '/', 'http://agent')
  const caller = identify()
  if (url.pathname.startsWith('/data/')) return serveData({ engine, caller }, url, request, response)
  if (!url.pathname.startsWith('/trpc/')) throw new EngineError('not_found', `there is nothing at ${url.pathname}`)
  await nodeHTTPRequestHandler({
    router: agentRouter,
    req: request,
    res: response,
    path: url.pathname.slice('/trpc/'.length),
    maxBodySize: 4 * 1024 * 1024,
    createContext: () => ({ engine, caller }),
    onError({ error, path }) {
      if (error.code === 'INTERNAL_SERVER_ERROR')
        log.error({ err: error.cause ?? error, procedure: path, user: caller.user }, 'a procedure failed')
    },
  })
}

/** `/healthz` and `/metrics`; true when it was one of them. */
async function servePlain(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  if (request.url === '/healthz') {
    answerJson(response, 200, { status: 'ok', uptimeSeconds: Math.round(process.uptime()) })
    return true
  }
  // A scraper may be set to add parameters.
  if (request.url?.split('?')[0] !== '/metrics') return false
  const text = await metricsText(engine)
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text)
  return true
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const place = 'path' in where ? where.path : `${where.host}:${where.port}`
      reject(
        new EngineError(
          'unavailable',
          `cannot listen on ${place}: ${error.code === 'EADDRINUSE' ? 'another program is listening there' : error.message}`,
          { cause: error },
        ),
      )
    })
    server.listen(where, resolve)
  })
}

/** Lets nobody new in, then ends every connection. */
async function shut(server: Server, sockets: SocketServer | null): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await sockets?.close()
  server.closeAllConnections()
  await closed
}
