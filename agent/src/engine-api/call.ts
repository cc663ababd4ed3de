import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Engine } from '../engine.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'

/** API versions that are answered; paths without one mean the newest. */
export const apiVersion = '1.50'
export const minApiVersion = '1.24'

/** A request for a raw connection (`Upgrade: tcp`): the socket and the bytes that came right behind the head. */
export interface Upgrade {
  socket: Duplex
  head: Buffer
}

/** One request on its way to the handler of its noun. */
export interface Call {
  engine: Engine
  log: Logger
  request: IncomingMessage
  response: ServerResponse
  /** Present when the client asked for an upgrade; then `response` must not be used. */
  upgrade: Upgrade | null
  /** Minor number of the API version that the client speaks, e.g. 41. */
  minor: number
  /** Groups of the route's pattern, percent-decoded. */
  params: string[]
  query: URLSearchParams
  /** Aborted when the client goes away before the answer is complete. */
  signal: AbortSignal
}

export type Handler = (call: Call) => Promise<void>
/** Method, pattern of the path without version, handler. */
export type Route = readonly [method: string, pattern: RegExp, handler: Handler]

const bodyLimit = 16 * 1024 * 1024

/** The whole body, at most 16 MiB. @throws invalid_argument */
export async function readBody(call: Call): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of call.request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new EngineError('invalid_argument', `the request body is larger than ${bodyLimit} bytes; send less`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A JSON object from bytes; an empty body is `{}`. @throws invalid_argument */
export function parseObject(body: Buffer): Record<string, unknown> {
  const text = body.toString('utf8').trim()
  if (text === '' || text === 'null') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EngineError('invalid_argument', `invalid JSON: ${goJsonError(text, (error as Error).message)}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('invalid_argument', 'the request body must be a JSON object')
  return value as Record<string, unknown>
}

/** What Go's decoder says of broken JSON; scripts and suites match on it. */
function goJsonError(text: string, message: string): string {
  if (/Unexpected end/.test(message)) return 'unexpected EOF'
  const at = Number(/at position (\d+)/.exec(message)?.[1])
  if (at >= text.length) return 'unexpected EOF'
  if (Number.isNaN(at)) return message
  if (/after JSON/.test(message)) return 'unexpected content after JSON'
  return `invalid character '${text[at]}' looking for beginning of ${/property name/.test(message) ? 'object key string' : 'value'}`
}

/** A JSON object from the body, which must be there and say that it is one. @throws invalid_argument */
export async function readObject(call: Call): Promise<Record<string, unknown>> {
  const body = await readBody(call)
  if (body.length === 0) throw new EngineError('invalid_argument', 'invalid JSON: got EOF while reading request body')
  checkContentType(call, body)
  return parseObject(body)
}

/** As Docker: what a browser's form could send is not taken for a command. @throws invalid_argument */
export function checkContentType(call: Call, body: Buffer): void {
  const type = call.request.headers['content-type'] ?? ''
  if (body.length > 0 && !/^application\/json\s*(;|$)/i.test(type))
    throw new EngineError('invalid_argument', `Content-Type specified (${type}) must be 'application/json'`)
}

/** Answers with JSON. */
export function sendJson(call: Call, status: number, body: unknown): void {
  sendJsonText(call, status, Buffer.from(`${JSON.stringify(body)}\n`))
}

/** Answers with what is JSON already: one write, with its length. */
export function sendJsonText(call: Call, status: number, text: Buffer): void {
  call.response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length })
  call.response.end(text)
}

export function sendEmpty(call: Call, status: number): void {
  call.response.writeHead(status, status === 204 || status === 304 ? {} : { 'Content-Length': 0 })
  call.response.end()
}

/** Docker's booleans in queries: 1, true, True, t, yes … are true; absent, empty, 0, false, no, none are not. */
export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name)
  if (value === null) return fallback
  return !['', '0', 'no', 'false', 'none', 'f'].includes(value.trim().toLowerCase())
}

/** An integer from the query, or undefined. @throws invalid_argument */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (!/^-?\d+$/.test(value))
    throw new EngineError(
      'invalid_argument',
      `strconv.Atoi: parsing "${value}": invalid syntax (query parameter ${name} must be a whole number)`,
    )
  return Number(value)
}

/** Writes to a response or socket and waits while its buffer is full. Resolves false when the peer is gone. */
export function writeOut(target: NodeJS.WritableStream & { destroyed?: boolean }, bytes: Uint8Array | string): Promise<boolean> {
  if (target.destroyed) return Promise.resolve(false)
  if (target.write(bytes)) return Promise.resolve(true)
  return new Promise((resolve) => {
    const done = (alive: boolean) => () => {
      target.off('drain', onDrain)
      target.off('close', onClose)
      target.off('error', onClose)
      resolve(alive)
    }
    const onDrain = done(true)
    const onClose = done(false)
    target.once('drain', onDrain)
    target.once('close', onClose)
    target.once('error', onClose)
  })
}

/** Docker tells of every prune, also of one that found nothing. */
export function tellPruned(call: Call, type: 'container' | 'network' | 'volume', reclaimedBytes: number): void {
  call.engine.events.publish({ type, action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimedBytes) } })
}

/** A body that is streamed; flushes the head at once, so that a client that waits for it goes on. */
export function beginStream(call: Call, contentType: string): void {
  call.response.writeHead(200, { 'Content-Type': contentType })
  call.response.flushHeaders()
}
