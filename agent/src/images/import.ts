import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { diskError } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
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

export interface ImportOptions {
  reference: string
  message: string
  changes: string[]
  platform?: string
}

/** A root file system archive (plain, gzip or zstd) as an image of one layer. @throws invalid_argument (not an archive, hostile), resource_exhausted */
export async function importImage(
  rooms: WriteRooms & { snapshots: Snapshots },
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
    const { digest, mediaType } = await receive(archive, draft.path, context)
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

/** Writes the stream to the file, hashing; tells the compression by its first bytes. */
async function receive(archive: Readable, path: string, context: OperationContext): Promise<{ digest: Digest; mediaType: string }> {
  const progress = new PartProgress(context, 'import')
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  let size = 0
  let head = Buffer.alloc(0)
  try {
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      context.signal.throwIfAborted()
      if (head.length < 512) head = Buffer.concat([head, chunk]).subarray(0, 512)
      hash.update(chunk)
      await file.writeFile(chunk)
      size += chunk.length
      progress.show('Importing', size)
    }
  } catch (error) {
    throw diskError(error, path)
  } finally {
    await file.close()
  }
  return { digest: `sha256:${hash.digest('hex')}`, mediaType: layerTypeOf(head, 'the archive') }
}

/** Media type of a layer by its first bytes. @throws invalid_argument for anything but a plain, gzip or zstd archive */
export function layerTypeOf(head: Buffer, what: string): string {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return mediaTypes.ociLayerGzip
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return mediaTypes.ociLayerZstd
  const isTar = head.subarray(257, 262).toString('latin1') === 'ustar' || (head.length === 512 && head.every((byte) => byte === 0))
  if (isTar) return mediaTypes.ociLayer
  throw new EngineError('invalid_argument', `${what} is not a tar archive (plain, gzip or zstd); nothing was imported`)
}
