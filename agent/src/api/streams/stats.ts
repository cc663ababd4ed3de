import { openStats } from '@berth/contract/stream'
import type * as z from 'zod'
import { isBehind, type OpenStream, type StreamContext } from './open-stream.ts'

export const input = openStats

/** One message per second from the one sampler that all viewers share. */
export function open(context: StreamContext, request: z.infer<typeof openStats>): { value: null; open: OpenStream } {
  const { engine, socket, stream } = context
  const containers = request.containers === 'all' ? request.containers : request.containers.map((name) => engine.containers.resolveId(name))
  const leave = engine.stats.subscribe({ containers, host: request.host }, (items) => {
    if (isBehind(socket)) {
      context.end('slow', { message: 'samples were read too slowly; open the stream again' })
      return
    }
    const slim = items.containers.map(({ id, point, sample }) => (request.full ? { id, point, sample } : { id, point }))
    socket.emit('stats.items', stream, { containers: slim, host: items.host })
  })
  return { value: null, open: { stop: leave } }
}
