import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import * as z from 'zod'
import { diskError } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { chainIds, type Digest } from '../oci/digest.ts'
import { emptyImageConfig } from '../oci/image-config.ts'
import { mediaTypes } from '../oci/manifest.ts'
import { hostPlatform, parsePlatform } from '../oci/platform.ts'
import { parseTagged } from '../oci/reference.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { applyChanges } from './changes.ts'
import { PartProgress } from './progress.ts'
import { type WriteRooms, writeDocuments } from './write-image.ts'

const xzMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
const maxPlainBytes = 256 * 1024 ** 3
const compressAnswer = z.object({ digest: z.string() })

export interface ImportOptions {
  reference: string
  message: string
  changes: string[]
  platform?: string
}

/** A root file system archive (plain, gzip, zstd, xz or bzip2) as an image of one layer. @throws invalid_argument (not an archive, hostile), resource_exhausted */
export async function importImage(
  rooms: WriteRooms & { snapshots: Snapshots; program: string },
  archive: Readable,
  options: ImportOptions,
  context: OperationContext,
): Promise<{ id: Digest }> {
  const name = options.reference ? parseTagged(options.reference) : null
  const config = applyChanges(emptyImageConfig(), options.changes)
  const platform = options.platform ? parsePlatform(options.platform) : hostPlatform()
  const lease = rooms.content.lease()
  const draft = await rooms.content.draft()
  try {
    const { digest, mediaType } = await receive(rooms, archive, draft.path, context)
    lease.hold(digest)
    const { sizeBytes } = await draft.commit(digest)
    const diffId = await unpack(rooms, digest, context.signal)
    lease.hold(diffId)
    const [chainId = diffId] = chainIds([diffId])
    lease.hold(chainId)
    await rooms.snapshots.unpack({ parent: null, chainId, diffId, blobPath: rooms.content.path(digest) }, { signal: context.signal })
    const now = new Date().toISOString()
    const comment = options.message || 'Imported from -'
    const history = [{ createdAt: now, createdBy: '', author: '', comment, emptyLayer: false }]
    const document = { createdAt: now, author: '', comment, platform, config, diffIds: [diffId], history }
    const record = await writeDocuments(rooms, document, [{ digest, sizeBytes, mediaType, diffId }], null, lease)
    if (!rooms.store.get(record.id)) await rooms.store.put(record)
    if (name) await rooms.store.point(name, record.id)
    context.progress({ status: record.id })
    return { id: record.id }
  } finally {
    await draft.discard()
    lease.release()
  }
}

/** The archive's files; its diffId comes from the program that unpacks it. */
async function unpack(
  rooms: { content: WriteRooms['content']; snapshots: Snapshots },
  digest: Digest,
  signal: AbortSignal,
): Promise<Digest> {
  const blob = await open(rooms.content.path(digest), 'r')
  try {
    const applied = await rooms.snapshots.unpackStream(null, { fd: blob.fd }, { signal })
    if (!applied) throw new EngineError('internal', 'an unknown layer cannot be here already')
    return applied.diffId
  } finally {
    await blob.close()
  }
}

/**
 * Writes the archive to the draft, ready to be a layer: gzip and zstd as they come; plain ones and compressions that registries do not know are compressed
 * on the way. No other copy is kept.
 */
async function receive(
  rooms: { program: string },
  archive: Readable,
  path: string,
  context: OperationContext,
): Promise<{ digest: Digest; mediaType: string }> {
  const progress = new PartProgress(context, 'import')
  const bytes = watched(archive, context.signal, (size) => progress.show('Importing', size))
  const head = await takeHead(bytes)
  const whole = Readable.from(rejoined(head, bytes), { objectMode: false })
  const foreign = head.subarray(0, 6).equals(xzMagic) || /^BZh[1-9]/.test(head.subarray(0, 4).toString('latin1'))
  const mediaType = foreign ? mediaTypes.ociLayer : layerTypeOf(head, 'the archive')
  const file = await open(path, 'wx', 0o600)
  try {
    if (mediaType === mediaTypes.ociLayer) {
      const args = ['compress', '--compress', 'gzip', '--max-bytes', String(maxPlainBytes)]
      const options = { stdin: whole, stdout: { fd: file.fd }, answerFd: true, signal: context.signal }
      const { answer } = await runProgram(rooms.program, args, options)
      return { digest: compressAnswer.parse(JSON.parse(answer)).digest, mediaType: mediaTypes.ociLayerGzip }
    }
    const hash = createHash('sha256')
    for await (const chunk of whole as AsyncIterable<Buffer>) {
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    return { digest: `sha256:${hash.digest('hex')}`, mediaType }
  } catch (error) {
    throw diskError(error, path)
  } finally {
    await file.close()
  }
}

async function* watched(archive: Readable, signal: AbortSignal, show: (size: number) => void): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    size += chunk.length
    show(size)
    yield chunk
  }
}

/** As many chunks as hold the bytes by which an archive is known. */
async function takeHead(bytes: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0)
  while (head.length < 512) {
    const next = await bytes.next()
    if (next.done) break
    head = Buffer.concat([head, next.value])
  }
  return head
}

async function* rejoined(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* rest
}

/** Media type of a layer by its first bytes. @throws invalid_argument for anything but a plain, gzip or zstd archive */
export function layerTypeOf(head: Buffer, what: string): string {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return mediaTypes.ociLayerGzip
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return mediaTypes.ociLayerZstd
  const isTar =
    head.subarray(257, 262).toString('latin1') === 'ustar' || (head.length >= 512 && head.subarray(0, 512).every((byte) => byte === 0))
  if (isTar) return mediaTypes.ociLayer
  throw new EngineError('invalid_argument', `${what} is not a tar archive, plain or compressed; nothing was imported`)
}
