import type { ServerResponse } from 'node:http'
import { errorStatus, wireErrorOf } from '../errors.ts'
import { dataPolicy } from './security-headers.ts'

/** One JSON document, never cached, never a page. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'content-security-policy': dataPolicy,
    // Whatever of a body was not read is not waited for.
    ...closingIfUnread(response),
  })
  response.end(text)
}

/** The header that ends the connection when a body has not been read to its end: the rest would be read for nothing. */
export function closingIfUnread({ req }: ServerResponse): { connection?: string } {
  return req.method !== 'GET' && req.method !== 'HEAD' && !req.complete ? { connection: 'close' } : {}
}

/** `{ code, message }` with the table's status; an answer that has begun is broken off, so that nobody takes half for whole. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const wire = wireErrorOf(error)
  answerJson(response, errorStatus[wire.code].http, wire)
}
