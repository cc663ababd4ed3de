import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access, Principal } from '../access/access.ts'
import type { Audit, AuditBeginning, AuditIntent } from '../audit/audit.ts'
import { errorStatus, ServerError, wireErrorOf } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { HostRecord, Hosts } from '../hosts/hosts.ts'
import { closingIfUnread } from '../http/answer.ts'
import { readBody } from '../http/body.ts'
import { readAnswer } from '../links/agent-link.ts'
import type { Links } from '../links/links.ts'
import { askerFor } from './asker.ts'
import { isAudited, permissionOfProcedure, subjectOf } from './host-permissions.ts'

export interface RelayRooms {
  access: Access
  audit: Audit
  hosts: Hosts
  links: Links
  /** Says things by their names: the subject of an audit line; its detail keeps the ids. */
  fleet: Pick<Fleet, 'named'>
}

const mostBodyBytes = 4 * 1024 * 1024
const mostBatch = 32

/** One procedure of a request. */
interface Call {
  name: string
  input: unknown
}

/**
 * `/api/hosts/<id>/trpc/<procedure[,procedure…]>`: checks each procedure of the batch against the table, forwards the request as it is with a signed claim, gives the
 * answer back as it is, and records every change, which is written down before it is forwarded. One procedure that is not allowed refuses the batch before anything is forwarded.
 */
export async function relayTrpc(
  rooms: RelayRooms,
  principal: Principal,
  hostId: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const procedures = decodeURIComponent(url.pathname.split('/trpc/')[1] ?? '').split(',')
  const batch = url.searchParams.get('batch') === '1'
  const host = rooms.hosts.get(hostId)
  let calls: Call[] = procedures.map((name) => ({ name, input: undefined }))
  const intents = new Map<number, AuditIntent>()
  try {
    if (request.method !== 'GET' && request.method !== 'POST')
      throw new ServerError('invalid_argument', 'procedures are asked with GET or POST')
    if (procedures.length > mostBatch || (!batch && procedures.length > 1))
      throw new ServerError('invalid_argument', 'too many procedures in one request')
    const needed = procedures.map(permissionOfProcedure)
    const body = request.method === 'POST' ? await readBody(request, mostBodyBytes) : null
    calls = inputsOf(procedures, batch, body ? body.toString('utf8') : url.searchParams.get('input'))
    for (const one of needed) rooms.access.require(principal, hostId, one)
    for (const [index, call] of calls.entries())
      if (isAudited(needed[index] ?? 'admin')) intents.set(index, await rooms.audit.begin(beginningOf(rooms, principal, host, call)))
    const answer = await rooms.links.get(hostId).request(askerFor(rooms.access, principal, hostId), {
      method: request.method,
      path: `/trpc/${procedures.join(',')}${url.search}`,
      headers: body ? { 'content-type': 'application/json' } : {},
      body,
      signal: abortedBy(request, response),
    })
    const text = await readAnswer(answer.body, host.name)
    if (intents.size > 0) {
      const outcomes = outcomesOf(text, batch)
      for (const [index, intent] of intents) {
        const { outcome, message } = outcomes[index] ?? { outcome: 'unknown', message: 'the host gave an answer that cannot be read' }
        await intent.settle(outcome, message)
      }
    }
    response.writeHead(answer.statusCode, {
      'content-type': 'application/json',
      'content-length': text.byteLength,
      'cache-control': 'no-store',
    })
    response.end(text)
  } catch (error) {
    const wire = wireErrorOf(error)
    for (const [index, call] of calls.entries()) {
      if (!isKnown(call.name) || !isAudited(permissionOfProcedure(call.name))) continue
      const intent = intents.get(index)
      if (intent) await intent.settle(wire.code, wire.message)
      else await rooms.audit.append({ ...beginningOf(rooms, principal, host, call), outcome: wire.code, message: wire.message })
    }
    if (!(error instanceof ServerError)) throw error
    answerTrpcErrors(response, wire, procedures, batch)
  }
}

function beginningOf({ fleet }: RelayRooms, actor: Principal, { id, name }: HostRecord, call: Call): AuditBeginning {
  return { actor, host: { id, name }, action: call.name, subject: fleet.named(id, subjectOf(call.input)), detail: call.input }
}

function isKnown(name: string): boolean {
  try {
    permissionOfProcedure(name)
    return true
  } catch {
    return false
  }
}

/** tRPC's error envelope, once per procedure of a batch. */
export function answerTrpcErrors(
  response: ServerResponse,
  error: ReturnType<typeof wireErrorOf>,
  procedures: readonly string[],
  batch: boolean,
): void {
  const { trpc, http } = errorStatus[error.code]
  const one = (path: string) => ({
    error: { message: error.message, code: -32000, data: { code: trpc, httpStatus: http, path, errorCode: error.code } },
  })
  const text = JSON.stringify(batch ? procedures.map(one) : one(procedures[0] ?? ''))
  response.writeHead(http, { 'content-type': 'application/json', 'cache-control': 'no-store', ...closingIfUnread(response) })
  response.end(text)
}

/** The inputs of a request in tRPC's HTTP form; a batch names them by position. */
function inputsOf(procedures: readonly string[], batch: boolean, text: string | null): Call[] {
  let parsed: unknown
  try {
    parsed = text === null || text === '' ? undefined : JSON.parse(text)
  } catch {
    throw new ServerError('invalid_argument', 'the input is not JSON')
  }
  if (!batch) return [{ name: procedures[0] ?? '', input: parsed }]
  const byPosition = (parsed ?? {}) as Record<string, unknown>
  return procedures.map((name, index) => ({ name, input: byPosition[String(index)] }))
}

function outcomesOf(text: Buffer, batch: boolean): { outcome: string; message?: string }[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.toString('utf8'))
  } catch {
    return []
  }
  const all = batch && Array.isArray(parsed) ? parsed : [parsed]
  return all.map((one: { error?: { message?: string; data?: { errorCode?: string } } } | null) =>
    one?.error ? { outcome: one.error.data?.errorCode ?? 'internal', message: one.error.message ?? '' } : { outcome: 'ok' },
  )
}

/** A browser that goes away ends its questions; a command that has been sent goes on at the agent. */
function abortedBy(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const abort = new AbortController()
  if (request.method === 'GET') response.on('close', () => !response.writableEnded && abort.abort())
  return abort.signal
}
