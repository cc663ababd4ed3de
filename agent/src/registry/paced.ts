import { EngineError } from '../errors.ts'

/** Less than this is no download any more: a server that sends a byte now and then would hold a pull, and what waits for it, for ever. */
const slowest = { bytes: 16 * 1024, withinMs: 60_000 }

/**
 * The chunks of a body, as long as they come at a pace that leads to an end. Only the time is counted in which the body is waited for; how long its reader
 * takes is its own affair.
 * @param from the server's name, for the error
 * @param now a clock in milliseconds that is never set
 * @throws unavailable when the body trickles
 */
export async function* paced(
  body: AsyncIterable<Buffer>,
  from: string,
  least: { bytes: number; withinMs: number } = slowest,
  now: () => number = () => performance.now(),
): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]()
  let waitedMs = 0
  let bytes = 0
  try {
    for (;;) {
      const begun = now()
      const { value, done } = await chunks.next()
      if (done) return
      waitedMs += now() - begun
      bytes += value.length
      if (waitedMs >= least.withinMs) {
        if (bytes < least.bytes)
          throw new EngineError(
            'unavailable',
            `${from} sent ${bytes} bytes in ${Math.round(waitedMs / 1000)} seconds, which is too slow; try again later`,
          )
        waitedMs = 0
        bytes = 0
      }
      yield value
    }
  } finally {
    await chunks.return?.()
  }
}
