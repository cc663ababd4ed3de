import type { EngineEvent, EventCursor } from '@berth/contract/event'
import type { WireFailure } from './failure.ts'
import { holdHostChannel } from './sockets.ts'

export interface EventHandlers {
  items(events: EngineEvent[]): void
  /** Events between the last seen and now are gone: read again what is shown. */
  reset(): void
  refused?(error: WireFailure): void
}

/** The host's events from now on, without a gap over reconnections or with a `reset`. Gives back the function that ends it. */
export function openEventStream(hostId: string, filter: { types?: EngineEvent['type'][] }, handlers: EventHandlers): () => void {
  const { channel, release } = holdHostChannel(hostId)
  let cursor: EventCursor | undefined
  const stream = channel.add<'events.open'>({
    event: 'events.open',
    attempt: () => ({ ...(cursor ? { cursor } : {}), ...(filter.types ? { types: filter.types } : {}) }),
    opened: (now) => {
      cursor ??= now
    },
    refused: (error) => handlers.refused?.(error),
    sink: {
      'events.items': (events) => {
        const last = events.at(-1)
        if (last) cursor = { epoch: last.epoch, sequence: last.sequence }
        handlers.items(events)
      },
      'events.reset': (now) => {
        cursor = now
        handlers.reset()
      },
    },
  })
  return () => {
    stream.close()
    release()
  }
}
