import type { IncomingMessage } from 'node:http'
import { ServerError } from '../errors.ts'

const mostBodyMs = 30_000

/** The whole body. @throws ServerError `resource_exhausted` when it is longer than `most`; the rest is not read */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  requireShortBody(request, most)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > most) throw tooLong(most)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** By what the request announces; one that announces nothing is counted while it is read. @throws ServerError `resource_exhausted` */
export function requireShortBody(request: IncomingMessage, most: number): void {
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong(most)
}

/** For bodies that fit into a moment: one that dribbles in is cut off, so that slow clients cannot hold on to everything. */
export function limitBodyTime(request: IncomingMessage, ms = mostBodyMs): void {
  if (request.complete) return
  const timer = setTimeout(() => request.destroy(new Error('the body came too slowly')), ms)
  timer.unref()
  for (const event of ['end', 'close'] as const) request.once(event, () => clearTimeout(timer))
}

function tooLong(most: number): ServerError {
  return new ServerError('resource_exhausted', `the request is longer than ${Math.floor(most / 1024)} KiB`)
}
