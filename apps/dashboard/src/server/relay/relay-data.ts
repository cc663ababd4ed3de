import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Principal } from '../access/access.ts'
import type { AuditIntent } from '../audit/audit.ts'
import { ServerError, wireErrorOf } from '../errors.ts'
import { dataPolicy } from '../http/security-headers.ts'
import { askerFor } from './asker.ts'
import { isAudited, permissionOfDataRoute } from './host-permissions.ts'
import type { RelayRooms } from './relay-trpc.ts'

/** What of an agent's answer reaches the browser. */
const passedOn = ['content-type', 'content-length', 'content-disposition', 'x-berth-operation', 'x-berth-entries', 'last-modified'] as const

/**
 * `/api/hosts/<id>/data/<route>`: bulk bytes in both directions, streamed; nothing is gathered. What comes from a container is never a document here: it is sent as a
 * download, sandboxed, whatever type it claims. Written down before the bytes flow, recorded with the outcome of the agent's answer.
 */
export async function relayData(
  rooms: RelayRooms,
  principal: Principal,
  hostId: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = url.pathname.split('/data/')[1] ?? ''
  const { needed, name } = permissionOfDataRoute(request.method ?? '', route)
  const host = rooms.hosts.get(hostId)
  const detail = Object.fromEntries(url.searchParams)
  const beginning = {
    actor: principal,
    host,
    action: `data.${name}`,
    subject: rooms.fleet.named(hostId, Object.values(detail).slice(0, 2).join(' ')),
    detail,
  }
  let intent: AuditIntent | null = null
  const abort = new AbortController()
  response.on('close', () => !response.writableEnded && abort.abort())
  try {
    rooms.access.require(principal, hostId, needed)
    if (isAudited(needed)) intent = await rooms.audit.begin(beginning)
    const hasBody = request.method === 'PUT' || request.method === 'POST'
    const headers: Record<string, string> = {}
    for (const header of ['content-type', 'content-length'] as const)
      if (hasBody && request.headers[header]) headers[header] = request.headers[header] as string
    const answer = await rooms.links.get(hostId).request(askerFor(rooms.access, principal, hostId), {
      method: request.method as 'GET',
      path: `/data/${route}${url.search}`,
      headers,
      body: hasBody ? request : null,
      signal: abort.signal,
    })
    await intent?.settle(answer.statusCode < 400 ? 'ok' : `http ${answer.statusCode}`)
    const out: Record<string, string> = { 'cache-control': 'no-store', 'content-security-policy': dataPolicy }
    for (const header of passedOn) {
      const value = answer.headers[header]
      if (typeof value === 'string') out[header] = value
    }
    if (answer.statusCode < 400 && request.method === 'GET' && !out['content-disposition']?.startsWith('attachment'))
      out['content-disposition'] = 'attachment'
    response.writeHead(answer.statusCode, out)
    await pipeline(answer.body, response)
  } catch (error) {
    if (response.headersSent) {
      // A body that breaks off must not look whole.
      response.destroy()
      return
    }
    const wire = wireErrorOf(error)
    if (intent) await intent.settle(wire.code, wire.message)
    else if (isAudited(needed)) await rooms.audit.append({ ...beginning, outcome: wire.code, message: wire.message })
    throw error instanceof ServerError ? error : new ServerError('internal', wire.message, { cause: error })
  }
}
