import type { LogRecord } from '@berth/contract/log'
import { openLogs } from '@berth/contract/stream'
import type * as z from 'zod'
import { endOfError, type OpenStream, type StreamContext } from './open-stream.ts'

export const input = openLogs

const batchSize = 500
const mostUnderWay = 4
/** A reader that acknowledges nothing for so long is cut off with its offset. */
const patienceMs = 30_000

/** A container's log from the tail, an offset or a time on. Batches wait for acknowledgements; the reader that stops is cut off with the offset at which it may resume. */
export function open(
  context: StreamContext,
  request: z.infer<typeof openLogs>,
): { value: { startOffset: number; endOffset: number }; open: OpenStream } {
  const { engine, socket, stream } = context
  const container = engine.containers.resolveId(request.container)
  const window = new SendWindow(mostUnderWay, patienceMs)
  let offset = request.fromOffset ?? 0

  async function deliver(records: LogRecord[]): Promise<void> {
    for (let begin = 0; begin < records.length; begin += batchSize) {
      const batch = records.slice(begin, begin + batchSize)
      await window.take()
      const next = batch.at(-1)?.next ?? offset
      socket.emit('logs.batch', stream, batch, () => {
        offset = Math.max(offset, next)
        window.give()
      })
    }
  }

  const { stream: _, container: __, ...query } = request
  const follower = engine.logs.follow({ ...query, container }, deliver)
  offset = Math.max(offset, request.fromOffset ?? follower.startOffset)
  follower.done.then(
    (how) => how === 'ended' && context.end('ended', { message: 'the container has ended and its log was read to the end', offset }),
    (error: unknown) => {
      if (error instanceof SlowReader) context.end('slow', { message: error.message, offset })
      else {
        const { reason, message } = endOfError(error)
        context.end(reason, { message, offset })
      }
    },
  )
  return {
    value: { startOffset: follower.startOffset, endOffset: follower.endOffset },
    open: {
      stop() {
        window.close()
        follower.stop()
      },
    },
  }
}

class SlowReader extends Error {}
class Closed extends Error {}

/** Counts batches under way; `take` waits for room, but not for ever. */
class SendWindow {
  #free: number
  #wake: ((error?: Error) => void) | null = null
  #closed = false
  readonly #patienceMs: number
  constructor(size: number, patience: number) {
    this.#free = size
    this.#patienceMs = patience
  }

  async take(): Promise<void> {
    if (this.#closed) throw new Closed('the stream was closed')
    if (this.#free === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new SlowReader('the log was read too slowly; resume at the offset')), this.#patienceMs)
        this.#wake = (error) => {
          clearTimeout(timer)
          this.#wake = null
          if (error) reject(error)
          else resolve()
        }
      })
    }
    this.#free -= 1
  }

  give(): void {
    this.#free += 1
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.(new Closed('the stream was closed'))
  }
}
