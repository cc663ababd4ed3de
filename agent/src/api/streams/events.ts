import type { EngineEvent } from '@berth/contract/event'
import { openEvents } from '@berth/contract/stream'
import type * as z from 'zod'
import { isBehind, type OpenStream, type StreamContext } from './open-stream.ts'

export const input = openEvents

/** Events as they happen, after those behind the cursor. Answers the position from which live events follow. */
export function open(
  context: StreamContext,
  { cursor, types }: z.infer<typeof openEvents>,
): { value: { epoch: string; sequence: number }; open: OpenStream } {
  const { engine, socket, stream } = context
  let waiting: EngineEvent[] = []
  // One packet for what happens in one turn of the event loop: a prune of 200 containers is one message, not 200.
  const flush = () => {
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    if (isBehind(socket)) context.end('slow', { message: 'events were read too slowly; open the stream again with the last cursor' })
    else socket.emit('events.items', stream, batch)
  }
  const listener = (event: EngineEvent) => {
    if (types && !types.includes(event.type)) return
    waiting.push(event)
    if (waiting.length === 1) setImmediate(flush)
  }
  const reset = () => socket.emit('events.reset', stream, engine.events.cursor())
  const leave = engine.events.subscribe(listener, cursor && { cursor, reset })
  return {
    value: engine.events.cursor(),
    open: {
      stop() {
        leave()
        waiting = []
      },
    },
  }
}
