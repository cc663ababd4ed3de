import { chmod, chown, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Engine } from '../engine.ts'
import { codeOf, EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { archiveRoutes } from './archive.ts'
import { attachRoutes } from './attach.ts'
import { attachWebsocketRoutes } from './attach-websocket.ts'
import { buildRoutes } from './build.ts'
import { apiVersion, type Call, minApiVersion, type Route } from './call.ts'
import { containerRoutes } from './containers.ts'
import { eventRoutes } from './events.ts'
import { failure } from './failure.ts'
import { imageRoutes } from './images.ts'
import { logRoutes } from './logs.ts'
import { networkRoutes } from './networks.ts'
import { statsRoutes } from './stats.ts'
import { systemRoutes } from './system.ts'
import { unsupportedRoutes } from './unsupported.ts'
import { volumeRoutes } from './volumes.ts'

/** The Docker Engine API: translation only. First match wins; fixed paths stand before those with a name in them. */
export const routes: readonly Route[] = [
  ...systemRoutes,
  ...containerRoutes,
  ...attachRoutes,
  ...attachWebsocketRoutes,
  ...logRoutes,
  ...statsRoutes,
  ...archiveRoutes,
  ...imageRoutes,
  ...buildRoutes,
  ...volumeRoutes,
  ...networkRoutes,
  ...eventRoutes,
  ...unsupportedRoutes,
]

const serverName = 'Berth (linux)'

const minorOf = (version: string) => Number(version.split('.')[1])

/** Takes `/v1.41` off the path. @throws invalid_argument with Docker's sentences for a version that is not spoken */
export function splitVersion(path: string): { path: string; minor: number } {
  const match = /^\/v(\d+)\.(\d+)(\/.*)$/.exec(path)
  if (!match) return { path, minor: minorOf(apiVersion) }
  const asked = `${match[1]}.${match[2]}`
  if (Number(match[1]) > 1 || Number(match[2]) > minorOf(apiVersion))
    throw new EngineError('invalid_argument', `client version ${asked} is too new. Maximum supported API version is ${apiVersion}`)
  if (Number(match[1]) < 1 || Number(match[2]) < minorOf(minApiVersion))
    throw new EngineError(
      'invalid_argument',
      `client version ${asked} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    )
  return { path: match[3] as string, minor: Number(match[2]) }
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '')
  } catch (error) {
    throw new EngineError('invalid_argument', `the path has a broken percent sequence: ${part}`, { cause: error })
  }
}

function find(method: string, path: string): { route: Route; params: string[] } {
  for (const route of routes) {
    if (route[0] !== method && route[0] !== '*') continue
    const match = route[1].exec(path)
    if (match)
      return {
        route,
        params: match
          .slice(1)
          .filter((part) => part !== undefined)
          .map(decode),
      }
  }
  throw new EngineError('not_found', 'page not found')
}

/** An error on a connection that has left HTTP's hands. */
function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { status, body } = failure(error)
  const text = `${JSON.stringify(body)}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
}

/** As on every answer of Docker's. */
const everyAnswer = new Map([
  ['Api-Version', apiVersion],
  ['Docker-Experimental', 'false'],
  ['Ostype', 'linux'],
  ['Server', serverName],
])

/** Whether a client has gone away. Most requests are answered before anybody asks, and then there is no signal either. */
class Gone {
  is = false
  #controller: AbortController | null = null

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.is) this.#controller.abort(clientGone)
    return this.#controller.signal
  }

  set(): void {
    this.is = true
    this.#controller?.abort(clientGone)
  }
}

/** One for all requests: each is aborted when it has ended, and an exception of its own with its stack would cost more than a small answer. */
const clientGone = new DOMException('the client has gone', 'AbortError')

/** Serves one request, upgraded or not; never throws. */
async function serve(
  engine: Engine,
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
  upgrade: Call['upgrade'],
): Promise<void> {
  const gone = new Gone()
  const target = upgrade ? upgrade.socket : response
  target.once('close', () => gone.set())
  target.once('error', () => gone.set())
  try {
    response.setHeaders(everyAnswer)
    const url = new URL(request.url ?? '/', 'http://engine')
    const { path, minor } = splitVersion(url.pathname)
    const { route, params } = find(request.method ?? 'GET', path)
    const call: Call = {
      engine,
      log,
      request,
      response,
      upgrade,
      minor,
      params,
      query: url.searchParams,
      get signal() {
        return gone.signal
      },
    }
    await route[2](call)
  } catch (error) {
    if (gone.is) return
    if (codeOf(error) === 'internal')
      log.error({ err: error, method: request.method, path: request.url }, 'a request of a docker client failed')
    if (upgrade) return refuseUpgrade(upgrade.socket, error)
    if (response.headersSent) {
      // Too late for a status: a broken connection says that this is not all.
      response.destroy()
      return
    }
    const { status, body } = failure(error)
    const text = `${JSON.stringify(body)}\n`
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
    // An unread body (a large context that was refused) must not keep the connection.
    request.resume()
  }
}

/** A socket file that nobody answers on is a leftover and is removed; one that answers belongs to somebody. @throws already_exists */
async function clearSocket(path: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (alive) throw new EngineError('already_exists', `something listens on ${path} already; stop it, or set BERTH_RUN to another directory`)
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

export interface EngineApi {
  /** Stops taking connections and ends those that are open; what they started goes on. */
  close(): Promise<void>
}

/**
 * Listens on the unix socket. Whoever may write to it is root on this host, as with Docker: mode 0660, root and `group`.
 * @param group numeric group id, or null for root alone (0600)
 * @throws already_exists if another program serves the socket
 */
export async function serveEngineApi(engine: Engine, log: Logger, socketPath: string, group: number | null): Promise<EngineApi> {
  const server: Server = createServer(
    { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 60_000, noDelay: true },
    (request, response) => {
      void serve(engine, log, request, response, null)
    },
  )
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined)
    const response = new ServerResponse(request)
    // Routes that do not take the connection over answer on it as if nothing had been asked.
    response.assignSocket(socket as Socket)
    response.shouldKeepAlive = false
    response.once('finish', () => socket.end())
    // h2c is BuildKit's; everything else that asks for an upgrade is attach and exec.
    void serve(engine, log, request, response, { socket, head })
  })
  const open = new Set<Duplex>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await clearSocket(socketPath)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new EngineError('unavailable', `cannot listen on ${socketPath}: ${error.message}`, { cause: error })),
      )
      server.listen(socketPath, resolve)
    })
  } finally {
    process.umask(mask)
  }
  if (group !== null) {
    await chown(socketPath, 0, group)
    await chmod(socketPath, 0o660)
  }
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
