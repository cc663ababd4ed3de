import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http'
import { type FleetNoun, fleetNouns } from '../../wire/dashboard-events.ts'
import type { Principal } from '../access/access.ts'
import { dashboardPermissions } from '../access/dashboard-permissions.ts'
import type { ApiContext, ApiRooms } from '../api/context.ts'
import { fleetInput } from '../api/host-routers.ts'
import { requireDashboardPermission } from '../api/procedure.ts'
import { dashboardRouter } from '../api/router.ts'
import { answerAuditExport } from '../audit/export-answer.ts'
import { ServerError, wireErrorOf } from '../errors.ts'
import { relayData } from '../relay/relay-data.ts'
import { answerTrpcErrors, relayTrpc } from '../relay/relay-trpc.ts'
import type { Settings } from '../settings.ts'
import { answerError, answerJson } from './answer.ts'
import { authenticate, type Identity } from './authenticate.ts'
import { limitBodyTime, readBody, requireShortBody } from './body.ts'
import { isLoopback, originOf, plainAddress } from './request-origin.ts'
import { setPagePolicy, setSecurityHeaders } from './security-headers.ts'
import type { StaticFiles } from './static-files.ts'
import { Turns } from './turns.ts'

export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>
const fleetProcedure = new RegExp(`^fleet\\.(${fleetNouns.join('|')})$`)
const mostBodyBytes = 1024 * 1024
const mostEnrolBytes = 32 * 1024
const mostUrl = 16 * 1024

/** Every HTTP request: security headers, the way to HTTPS, then the API here or the pages of Next.js. */
export function createHandler(
  rooms: ApiRooms,
  settings: Settings,
  identity: Identity,
  { pages, files, development }: { pages: PageHandler; files: StaticFiles; development: boolean },
) {
  const turns = new Turns()
  return (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof ServerError)) rooms.log.error({ err: error, url: request.url?.slice(0, 200) }, 'a request failed')
      answerError(response, error)
    })
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = originOf(request, settings)
    setSecurityHeaders(response, { secure: origin.secure })
    if ((request.url?.length ?? 0) > mostUrl) throw new ServerError('invalid_argument', 'the address is too long')
    if (!URL.canParse(request.url ?? '/', 'http://dashboard')) throw new ServerError('invalid_argument', 'the address cannot be read')
    const url = new URL(request.url ?? '/', 'http://dashboard')
    if (sendToHttps(request, response, url, origin.secure)) return
    if (!url.pathname.startsWith('/api/') && url.pathname !== '/healthz') {
      if (files(request, response, url.pathname)) return
      setPagePolicy(request, response, development)
      await pages(request, response)
      return
    }
    await serveApi(request, response, url)
  }

  /** Passwords do not travel in the clear: plain HTTP is for this machine and for proxies that the settings name. */
  function sendToHttps(request: IncomingMessage, response: ServerResponse, url: URL, secure: boolean): boolean {
    const peer = plainAddress(request.socket.remoteAddress ?? '')
    if (secure || settings.plainHttp || isLoopback(peer) || settings.trustedProxies.includes(peer)) return false
    const host = request.headers.host
    if (!host || url.pathname.startsWith('/api/'))
      throw new ServerError('permission_denied', 'plain HTTP is for this machine alone; use https:// on the same port')
    response.writeHead(308, { location: `https://${host}${url.pathname}${url.search}` })
    response.end()
    return true
  }

  async function serveApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname } = url
    if (pathname === '/healthz') {
      answerJson(response, 200, { status: 'ok', uptimeSeconds: Math.round(process.uptime()) })
      return
    }
    if (pathname === '/api/enrol') {
      if (request.method !== 'POST') throw new ServerError('invalid_argument', 'hosts join with POST')
      limitBodyTime(request)
      answerJson(
        response,
        200,
        await rooms.enrolment.enrol(jsonOf(await readBody(request, mostEnrolBytes)), originOf(request, settings).from),
      )
      return
    }
    if (pathname === '/api/agent') return serveAgent(request, response)
    const relayed = /^\/api\/hosts\/([0-9a-f]{16})\/(trpc|data)\/(.+)$/.exec(pathname)
    if (pathname.startsWith('/api/trpc/')) return serveTrpc(request, response, pathname.slice('/api/trpc/'.length))
    if (relayed) return serveRelay(request, response, url, relayed[1] as string, relayed[2] as 'trpc' | 'data')
    if (pathname === '/api/audit/export' && request.method === 'GET')
      return answerAuditExport(rooms, await authenticate(request, settings, identity, 'http'), url, response)
    throw new ServerError('not_found', `there is nothing at ${pathname.slice(0, 200)}`)
  }

  /** The agent for a host that is about to join; its token is the ticket. */
  async function serveAgent(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') throw new ServerError('invalid_argument', 'the agent is fetched with GET')
    const token = /^Bearer (\S{1,256})$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    await rooms.enrolment.requireWaiting(token, originOf(request, settings).from)
    const archive = await rooms.agentArchive.read()
    if (!archive) throw new ServerError('not_found', 'this dashboard has no packed agent; start it with npm start, which makes one')
    response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': archive.sizeBytes, 'cache-control': 'no-store' })
    await pipeline(archive.stream, response).catch((error: NodeJS.ErrnoException) => {
      // Whoever asked has gone; the command at the other end says so.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    })
  }

  async function serveTrpc(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const batch = new URL(request.url ?? '/', 'http://dashboard').searchParams.get('batch') === '1'
    limitBodyTime(request)
    const wantsList = !batch && request.method === 'GET' && fleetProcedure.test(path)
    if (wantsList) await turns.take()
    let context: ApiContext
    try {
      const principal = await authenticate(request, settings, identity, 'http')
      requireJson(request)
      requireShortBody(request, mostBodyBytes)
      context = {
        rooms,
        principal,
        request,
        response,
        origin: originOf(request, settings),
        userAgent: String(request.headers['user-agent'] ?? ''),
        found: { person: null },
      }
    } catch (error) {
      answerTrpcErrors(response, wireErrorOf(error), path.split(','), batch)
      return
    }
    if (wantsList) return serveFleet(context, path)
    await nodeHTTPRequestHandler({
      router: dashboardRouter,
      req: request,
      res: response,
      path,
      maxBodySize: mostBodyBytes,
      createContext: async () => context,
      responseMeta: () => ({ headers: { 'cache-control': 'no-store' } }),
    })
  }

  /** The merged lists alone in a request: the same answer as the router's, without taking the text apart and together again. */
  async function serveFleet({ principal, request, response }: ApiContext, path: string): Promise<void> {
    const noun = path.slice('fleet.'.length) as FleetNoun
    try {
      requireDashboardPermission(rooms, principal, dashboardPermissions[`fleet.${noun}`])
      const text = new URL(request.url ?? '/', 'http://dashboard').searchParams.get('input')
      const input = fleetInput.safeParse(text ? jsonOf(Buffer.from(text)) : undefined)
      if (!input.success) throw new ServerError('invalid_argument', 'host: must be a host id')
      const list = await rooms.fleet.listText(noun, principal as Principal, input.data.host)
      const parts = [Buffer.from('{"result":{"data":'), ...list, Buffer.from('}}')]
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': parts.reduce((sum, part) => sum + part.length, 0),
        'cache-control': 'no-store',
      })
      response.cork()
      for (const part of parts) response.write(part)
      response.end()
    } catch (error) {
      if (response.headersSent || !(error instanceof ServerError)) throw error
      answerTrpcErrors(response, wireErrorOf(error), [path], false)
    }
  }

  async function serveRelay(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    hostId: string,
    kind: 'trpc' | 'data',
  ): Promise<void> {
    try {
      const principal = await authenticate(request, settings, identity, 'http')
      if (!principal) throw new ServerError('unauthenticated', 'you are not signed in, or your session has ended; sign in')
      if (kind === 'data') await relayData(rooms, principal, hostId, url, request, response)
      else {
        requireJson(request)
        limitBodyTime(request)
        await relayTrpc(rooms, principal, hostId, url, request, response)
      }
    } catch (error) {
      if (kind === 'data' || response.headersSent || !(error instanceof ServerError)) throw error
      const path = url.pathname.split('/trpc/')[1] ?? ''
      answerTrpcErrors(response, wireErrorOf(error), path.split(','), url.searchParams.get('batch') === '1')
    }
  }
}

/** A form of another site can send text, but not JSON without asking first. */
function requireJson(request: IncomingMessage): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const length = request.headers['content-length']
  if (length === '0' || (length === undefined && request.headers['transfer-encoding'] === undefined)) return
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new ServerError('invalid_argument', 'the body must be application/json')
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new ServerError('invalid_argument', 'the body is not JSON')
  }
}
