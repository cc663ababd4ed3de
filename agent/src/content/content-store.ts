/**
 * Blobs by digest, laid out as an OCI image layout's `blobs/sha256`. A blob under its final name is complete, verified and on the disk; anything else is
 * in `ingest/`, where an interrupted download waits to be resumed.
 *
 * INVARIANTS: a blob is never changed. Its name appears by rename, after a flush of its bytes. What a lease holds is not collected; a caller takes the
 * lease before it asks `has`, and gives it back when a record refers to the blob.
 */
import { constants, createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { diskError, ensureDirectory, isMissing, isTemporary, namesIn, removeTemporary, sharedSync, temporaryName } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf, hexOf, isDigest } from '../oci/digest.ts'
import { type Ingest, openIngest } from './ingest.ts'

/** Keeps digests (and chain ids) from being collected until it is released. */
export interface Lease {
  hold(digest: Digest): void
  release(): void
}

export interface ContentStore {
  /** Where a blob is or would be. */
  path(digest: Digest): string
  has(digest: Digest): boolean
  /** Bytes of a blob; null when it is not here. */
  size(digest: Digest): number | null
  digests(): Digest[]
  totalBytes(): number
  /** A whole small blob (manifest, configuration). @throws not_found, data_loss when the disk changed it, resource_exhausted beyond maxBytes */
  read(digest: Digest, maxBytes?: number): Promise<Buffer>
  /** A blob as a stream, from `start`. @throws not_found */
  stream(digest: Digest, start?: number): Readable
  /** Stores a small blob; nothing is written when it is here. */
  put(bytes: Uint8Array): Promise<{ digest: Digest; sizeBytes: number }>
  /** Begins or resumes writing the blob `digest`. One writer per digest at a time. @throws failed_precondition when there is another */
  ingest(digest: Digest, sizeBytes: number | null): Promise<Ingest>
  /** A file for a blob whose digest is known only at its end. `commit` verifies nothing: the writer hashed what it wrote. */
  draft(): Promise<Draft>
  /** Makes a finished file of the same file system a blob, by flush and rename. Verifies nothing: the caller hashed it. */
  adopt(file: string, digest: Digest): Promise<{ digest: Digest; sizeBytes: number }>
  lease(): Lease
  /** Whether a lease holds a digest or chain id. */
  isHeld(digest: Digest): boolean
  /** Removes blobs neither in `keep` nor held, and downloads abandoned for a week; returns the bytes given back. */
  sweep(keep: ReadonlySet<Digest>): Promise<number>
}

export interface Draft {
  path: string
  commit(digest: Digest): Promise<{ digest: Digest; sizeBytes: number }>
  discard(): Promise<void>
}

const abandonedAfterMs = 7 * 24 * 3600 * 1000

/** Opens the store below `dataRoot`/content. Costs one stat per blob. */
export async function createContentStore(options: { dataRoot: string }): Promise<ContentStore> {
  const root = join(options.dataRoot, 'content')
  const blobs = join(root, 'blobs', 'sha256')
  const ingests = join(root, 'ingest')
  await ensureDirectory(blobs)
  await ensureDirectory(ingests)
  await removeTemporary(blobs)
  await removeTemporary(ingests)
  const sizes = new Map<Digest, number>()
  for (const name of await namesIn(blobs)) {
    if (isDigest(`sha256:${name}`)) sizes.set(`sha256:${name}`, (await stat(join(blobs, name))).size)
  }
  const syncBlobs = sharedSync(blobs)
  const held = new Map<Digest, number>()
  const writing = new Set<Digest>()
  const removing = new Map<Digest, Promise<void>>()
  const path = (digest: Digest) => join(blobs, hexOf(digest))
  const need = (digest: Digest): number => {
    const size = sizes.get(digest)
    if (size === undefined) throw new EngineError('not_found', `content ${digest} is not here`)
    return size
  }
  /** Gives a finished, flushed file its name. */
  const publish = async (from: string, digest: Digest, sizeBytes: number) => {
    await removing.get(digest)
    try {
      await rename(from, path(digest))
      await syncBlobs()
    } catch (error) {
      throw diskError(error, path(digest))
    }
    sizes.set(digest, sizeBytes)
  }
  const adopt = async (file: string, digest: Digest) => {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { size: sizeBytes } = await handle.stat()
      if (sizes.has(digest)) await unlink(file)
      else {
        await handle.sync()
        await publish(file, digest, sizeBytes)
      }
      return { digest, sizeBytes }
    } catch (error) {
      throw diskError(error, file)
    } finally {
      await handle.close()
    }
  }

  return {
    path,
    adopt,
    has: (digest) => sizes.has(digest),
    size: (digest) => sizes.get(digest) ?? null,
    digests: () => [...sizes.keys()],
    totalBytes: () => [...sizes.values()].reduce((sum, size) => sum + size, 0),
    async read(digest, maxBytes = 8 * 1024 * 1024) {
      if (need(digest) > maxBytes) throw new EngineError('resource_exhausted', `content ${digest} is larger than ${maxBytes} bytes`)
      const bytes = await readFile(path(digest))
      if (digestOf(bytes) !== digest)
        throw new EngineError('data_loss', `content ${digest} was changed on the disk; remove the image and pull it again`)
      return bytes
    },
    stream(digest, start = 0) {
      need(digest)
      return createReadStream(path(digest), { start, highWaterMark: 256 * 1024 })
    },
    async put(bytes) {
      const digest = digestOf(bytes)
      if (!sizes.has(digest)) {
        const file = temporaryName(path(digest))
        await writeFile(file, bytes, { mode: 0o600, flag: 'wx', flush: true }).catch(async (error) => {
          await rm(file, { force: true })
          throw diskError(error, file)
        })
        await publish(file, digest, bytes.length)
      }
      return { digest, sizeBytes: bytes.length }
    },
    async ingest(digest, sizeBytes) {
      if (writing.has(digest)) throw new EngineError('failed_precondition', `content ${digest} is being written already`)
      writing.add(digest)
      try {
        return await openIngest(join(ingests, hexOf(digest)), { digest, sizeBytes, publish, closed: () => writing.delete(digest) })
      } catch (error) {
        writing.delete(digest)
        throw diskError(error, ingests)
      }
    },
    async draft() {
      const file = join(ingests, `.draft.${process.pid}.${Date.now()}.${Math.random().toString(36).slice(2)}.tmp`)
      const discard = () => unlink(file).catch((error) => (isMissing(error) ? undefined : Promise.reject(error)))
      return {
        path: file,
        commit: (digest) => adopt(file, digest),
        discard,
      }
    },
    lease() {
      const own = new Set<Digest>()
      return {
        hold(digest) {
          if (own.has(digest)) return
          own.add(digest)
          held.set(digest, (held.get(digest) ?? 0) + 1)
        },
        release() {
          for (const digest of own) {
            const count = (held.get(digest) ?? 1) - 1
            if (count > 0) held.set(digest, count)
            else held.delete(digest)
          }
          own.clear()
        },
      }
    },
    isHeld: (digest) => held.has(digest),
    async sweep(keep) {
      let freed = 0
      const gone: Promise<void>[] = []
      for (const [digest, size] of [...sizes]) {
        if (keep.has(digest) || held.has(digest)) continue
        sizes.delete(digest)
        freed += size
        const removal = unlink(path(digest))
          .catch((error) => (isMissing(error) ? undefined : Promise.reject(error)))
          .finally(() => removing.delete(digest))
        removing.set(digest, removal)
        gone.push(removal)
      }
      await Promise.all(gone)
      for (const name of await namesIn(ingests)) {
        const file = join(ingests, name)
        const digest = `sha256:${name}`
        if (isTemporary(name) || writing.has(digest) || held.has(digest)) continue
        const { mtimeMs, size } = await stat(file)
        if (Date.now() - mtimeMs < abandonedAfterMs && Date.now() >= mtimeMs) continue
        await unlink(file)
        freed += size
      }
      return freed
    },
  }
}
