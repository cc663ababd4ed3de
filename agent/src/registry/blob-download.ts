import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { paced } from './paced.ts'
import type { Repository } from './registry-client.ts'
import { connectionError } from './registry-error.ts'

const attemptsWithoutProgress = 5
/** An attempt that brings less than this brought nothing: a server that ends after each byte would hold a pull for ever. */
const leastProgressBytes = 64 * 1024

/**
 * The bytes of a blob from `start` to its end, across broken connections, servers that do not resume, and several servers (mirrors first). Bytes are never
 * repeated to the caller. Does not verify: the writer does.
 * @param sizeBytes the size that the manifest promises; a body that ends earlier is resumed, one that goes on is cut off
 * A server that trickles, or ends after a few bytes again and again, counts as one that does not answer.
 * @throws the last server's error when no server gets any further
 */
export async function* downloadBlob(
  repositories: readonly Repository[],
  blob: { digest: Digest; sizeBytes: number },
  start: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let offset = start
  let failures = 0
  let at = 0
  while (offset < blob.sizeBytes || blob.sizeBytes === 0) {
    const repository = repositories[at % repositories.length] as Repository
    const before = offset
    try {
      const { body, skip } = await repository.blob(blob.digest, offset, signal)
      let toSkip = skip
      try {
        for await (const chunk of paced(body, repository.host)) {
          if (toSkip >= chunk.length) {
            toSkip -= chunk.length
            continue
          }
          const bytes = toSkip > 0 ? chunk.subarray(toSkip) : chunk
          toSkip = 0
          if (offset + bytes.length > blob.sizeBytes) {
            throw new EngineError(
              'data_loss',
              `${repository.host} sends more of ${blob.digest} than the ${blob.sizeBytes} bytes it announced; it is refused`,
            )
          }
          offset += bytes.length
          yield bytes
        }
      } finally {
        body.destroy()
      }
      if (blob.sizeBytes === 0 || offset === blob.sizeBytes) return
      throw new EngineError('unavailable', `${repository.host} ended ${blob.digest} after ${offset} of ${blob.sizeBytes} bytes`)
    } catch (error) {
      if (signal?.aborted) throw new EngineError('cancelled', 'the download was cancelled', { cause: error })
      const failure = error instanceof EngineError ? error : connectionError(error, repository.host)
      if (codeOf(failure) === 'data_loss' || codeOf(failure) === 'cancelled') throw failure
      failures = offset - before >= leastProgressBytes ? 0 : failures + 1
      const permanent = codeOf(failure) !== 'unavailable'
      const others = at % repositories.length < repositories.length - 1
      if (failures > 0 && others) at += 1
      else if (permanent || failures >= attemptsWithoutProgress) throw failure
      else await sleep(Math.min(200 * 2 ** failures, 5000), undefined, { signal }).catch(() => {})
    }
  }
}
