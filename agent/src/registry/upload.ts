import { type Readable, Transform } from 'node:stream'
import { EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { requireBeyondLink } from './http.ts'
import type { Connection } from './registry-client.ts'
import { answerError } from './registry-error.ts'

const uploadAttempts = 3

/**
 * Puts one blob into a repository: not at all if it is there, by cross-repository mount if the server has it elsewhere, else by one upload.
 * A broken upload is begun again, three times.
 */
export async function uploadBlob(
  connection: Connection,
  blob: { digest: Digest; sizeBytes: number; open: () => Readable; mountFrom?: string },
  on: { signal?: AbortSignal; sent?: (bytes: number) => void },
): Promise<'uploaded' | 'mounted' | 'exists'> {
  const { path } = connection
  const scopes = [`repository:${path}:pull,push`, ...(blob.mountFrom ? [`repository:${blob.mountFrom}:pull`] : [])]
  const subject = { doing: `pushing to ${connection.source.host}/${path}`, name: path }
  const head = await connection.send({ method: 'HEAD', path: `/v2/${path}/blobs/${blob.digest}`, signal: on.signal }, scopes)
  await head.body.dump().catch(() => {})
  if (head.status === 200) return 'exists'
  for (let attempt = 1; ; attempt++) {
    const mount = blob.mountFrom ? `?${new URLSearchParams({ mount: blob.digest, from: blob.mountFrom })}` : ''
    const begun = await connection.send(
      { method: 'POST', path: `/v2/${path}/blobs/uploads/${mount}`, headers: { 'content-length': '0' }, signal: on.signal },
      scopes,
    )
    if (begun.status === 201) {
      await begun.body.dump().catch(() => {})
      return 'mounted'
    }
    if (begun.status !== 202) throw await answerError(begun, subject)
    await begun.body.dump().catch(() => {})
    const target = uploadTarget(begun.headers.location, begun.url, blob.digest)
    try {
      const answer = await connection.send(
        {
          method: 'PUT',
          path: target,
          headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.sizeBytes) },
          body: () => counted(blob.open(), on.sent),
          signal: on.signal,
          headersTimeoutMs: 300_000, // the server may hash and move the whole blob before it answers
          attempts: 1,
        },
        scopes,
      )
      if (answer.status !== 201 && answer.status !== 204) throw await answerError(answer, subject)
      await answer.body.dump().catch(() => {})
      return 'uploaded'
    } catch (error) {
      const again = error instanceof EngineError && error.code === 'unavailable' && attempt < uploadAttempts && !on.signal?.aborted
      if (!again) throw error
    }
  }
}

/** The upload's address with the digest added. @throws permission_denied (this machine's own link), unavailable (no address, not protected) */
function uploadTarget(location: string | string[] | undefined, base: URL, digest: Digest): URL {
  const text = Array.isArray(location) ? location[0] : location
  try {
    if (!text) throw new Error('no Location')
    const url = new URL(text, base)
    requireBeyondLink(base, url)
    if (url.protocol !== 'https:' && (url.protocol !== 'http:' || base.protocol === 'https:'))
      throw new Error(`the address ${url.protocol}//${url.host} is not protected`)
    url.searchParams.set('digest', digest)
    return url
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('unavailable', `${base.host} began an upload but names no usable address for it`, { cause: error })
  }
}

function counted(source: Readable, sent?: (bytes: number) => void): Readable {
  if (!sent) return source
  let total = 0
  const meter = new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, next) {
      total += chunk.length
      sent(total)
      next(null, chunk)
    },
  })
  source.once('error', (error) => meter.destroy(error))
  return source.pipe(meter)
}
