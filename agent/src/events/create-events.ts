import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { EngineEvent } from '@berth/contract/event'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { openEventLog } from './event-log.ts'
import type { Events } from './events.ts'
import { nanosOf, parseTime, rfc3339 } from './time.ts'

const ringSize = 8192
const linesPerFile = 1000

export interface EventBus extends Events {
  /** Writes what is waiting to the disk. */
  close(): Promise<void>
}

/** Opens the bus of this life: a new epoch, sequence from 1, the last thousand events of earlier lives behind `query`. */
export async function createEvents(options: { dataRoot: string; log?: Logger }): Promise<EventBus> {
  const disk = await openEventLog(join(options.dataRoot, 'events'), linesPerFile, options.log)
  const epoch = randomBytes(8).toString('hex')
  const ring: EngineEvent[] = []
  const listeners = new Set<(event: EngineEvent) => void>()
  let sequence = 0
  let lastNanos = 0n
  const deliver = (listener: (event: EngineEvent) => void, event: EngineEvent) => {
    try {
      listener(event)
    } catch (error) {
      options.log?.error({ reason: messageOf(error), action: event.action }, 'a listener of events failed')
    }
  }
  return {
    publish({ type, action, actorId, attributes }) {
      lastNanos = nextNanos(lastNanos)
      sequence += 1
      const at = rfc3339(lastNanos)
      const event: EngineEvent = { sequence, epoch, at, timeNano: String(lastNanos), type, action, actorId, attributes: attributes ?? {} }
      ring.push(event)
      // Trimmed in strides: shifting an array at every event would cost more than the events.
      if (ring.length >= ringSize * 2) ring.splice(0, ring.length - ringSize)
      disk.append(event)
      for (const listener of [...listeners]) deliver(listener, event)
      return event
    },
    subscribe(listener, from) {
      if (from) {
        const oldest = ring[0]?.sequence ?? sequence + 1
        const known = from.cursor.epoch === epoch && from.cursor.sequence >= oldest - 1 && from.cursor.sequence <= sequence
        if (known) for (const event of ring.slice(from.cursor.sequence - oldest + 1)) deliver(listener, event)
        else from.reset()
      }
      // A wrapper, so that the same function given twice is two subscriptions.
      const own = (event: EngineEvent) => listener(event)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    cursor: () => ({ epoch, sequence }),
    query({ since, until, limit }) {
      const from = since === undefined ? null : parseTime(since)
      const to = until === undefined ? null : parseTime(until)
      const found = [...disk.past, ...ring].filter((event) => {
        const nanos = nanosOf(event.timeNano)
        return (from === null || nanos >= from) && (to === null || nanos <= to)
      })
      return limit === undefined ? found : found.slice(Math.max(0, found.length - limit))
    },
    close: () => disk.flush(),
  }
}

/** The wall clock in nanoseconds, growing by at least one between events unless the clock was set back by more than a second. */
function nextNanos(last: bigint): bigint {
  const now = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)
  return now <= last && last - now < 1_000_000_000n ? last + 1n : now
}
