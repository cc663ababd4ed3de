import type { IncomingMessage } from 'node:http'
import { ServerError } from '../errors.ts'

/** The whole body. @throws ServerError `resource_exhausted` when it is longer than `most`; the rest is not read */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > most) throw tooLong(most)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > most) throw tooLong(most)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function tooLong(most: number): ServerError {
  return new ServerError('resource_exhausted', `the request is longer than ${Math.floor(most / 1024)} KiB`)
}
