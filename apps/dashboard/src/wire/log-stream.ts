import type { LogRecord } from '@berth/contract/log'
import type { EndReason, openLogs } from '@berth/contract/stream'
import type * as z from 'zod'
import type { WireFailure } from './failure.ts'
import { holdHostChannel } from './sockets.ts'

export type LogStreamInput = Omit<z.input<typeof openLogs>, 'stream'>
export interface LogHandlers {
  /** In order, each record once, over any number of reconnections. The next batches wait until the promise is kept (four may be under way). */
  records(records: LogRecord[]): void | Promise<void>
  /** Where the log begins and ends now; after every (re)opening. */
  opened?(range: { startOffset: number; endOffset: number }): void
  lost?(): void
  ended?(reason: EndReason, message: string): void
  refused?(error: WireFailure): void
}

/** Follows one container's log. Gives back the function that ends it. */
export function openLogStream(hostId: string, input: LogStreamInput, handlers: LogHandlers): () => void {
  const { channel, release } = holdHostChannel(hostId)
  let next: number | undefined
  const stream = channel.add<'logs.open'>({
    event: 'logs.open',
    attempt: () => (next === undefined ? input : { ...input, tail: null, since: undefined, fromOffset: next }),
    opened: (range) => {
      // A log that is empty so far resumes at its end, not at "the last 500 lines" of what was written meanwhile.
      next ??= input.tail === 0 ? range.endOffset : undefined
      handlers.opened?.(range)
    },
    lost: () => handlers.lost?.(),
    refused: (error) => handlers.refused?.(error),
    ended: (reason, detail) => handlers.ended?.(reason, detail.message),
    sink: {
      'logs.batch': (records, ack) => {
        const from = next
        const fresh = from === undefined ? records : records.filter((record) => record.offset >= from)
        const last = fresh.at(-1)
        if (last) next = last.next
        const taken = fresh.length > 0 ? handlers.records(fresh) : undefined
        if (taken) void taken.then(ack, ack)
        else ack()
      },
    },
  })
  return () => {
    stream.close()
    release()
  }
}
