import type { ServerResponse } from 'node:http'
import { codeOf, messageOf } from '../errors.ts'
import { errorTable } from './error-table.ts'

/** One JSON document. */
export function answerJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

/** `{ code, message }` with the table's status; a body that has begun is broken off instead, so that nobody takes half for whole. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy(error instanceof Error ? error : new Error(String(error)))
    return
  }
  const code = codeOf(error)
  answerJson(response, errorTable[code].http, { code, message: messageOf(error) }, { connection: 'close' })
}
