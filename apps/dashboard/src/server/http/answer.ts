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
  })
  response.end(text)
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
