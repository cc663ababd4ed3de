import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Operation } from '@berth/contract/operation'
import { EngineError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import { answerJson } from '../http-answer.ts'

export interface DataRequest extends ApiContext {
  query: URLSearchParams
  request: IncomingMessage
  response: ServerResponse
  /** Aborted when the client goes away. */
  signal: AbortSignal
}
export type DataHandler = (data: DataRequest) => Promise<void>

/** A query parameter that must be there. @throws invalid_argument */
export function need(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (!value) throw new EngineError('invalid_argument', `the query parameter "${name}" is missing`)
  return value
}

/** Sends a body as it comes; a client that stops reading stops the source. */
export async function sendStream(
  { response, signal }: DataRequest,
  source: NodeJS.ReadableStream,
  headers: { type: string; filename: string },
): Promise<void> {
  response.writeHead(200, {
    'content-type': headers.type,
    'content-disposition': disposition(headers.filename),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  await pipeline(source, response, { signal })
}

/** RFC 6266 with RFC 8187's encoding: names come from containers and may hold anything. */
function disposition(filename: string): string {
  const plain = filename.replace(/[^\w.-]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(filename).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`
}

/**
 * Answers the operation that reads the request's body once the body has been read (or the operation has ended): an answer that overtakes the upload
 * confuses HTTP/1.1 clients.
 */
export async function answerOperation({ request, response }: DataRequest, operation: Operation, ended: Promise<unknown>): Promise<void> {
  const uploaded = new Promise<void>((resolve) => request.once('end', resolve).once('close', resolve))
  await Promise.race([uploaded, ended.catch(() => {})])
  const headers: Record<string, string> = { 'x-berth-operation': operation.id }
  if (!request.complete) headers.connection = 'close'
  answerJson(response, 200, { operation: operation.id }, headers)
}
