import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { diskError } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'

/** A blob on its way in. Exactly one of commit, suspend and discard ends it. */
export interface Ingest {
  readonly digest: Digest
  /** Bytes here so far, those of an earlier interrupted try included. */
  readonly offset: number
  readonly sizeBytes: number | null
  /** Appends; resolves when the file has taken it. @throws data_loss when more comes than announced, resource_exhausted (disk) */
  write(chunk: Uint8Array): Promise<void>
  /** The bytes that are here already, to feed somebody who needs the whole from the beginning. */
  readBack(): AsyncIterable<Buffer>
  /** Forgets what is here: the next write is at offset 0 (a server that does not resume). */
  restart(): Promise<void>
  /** Verifies size and digest, flushes and gives the blob its name. @throws data_loss, and then nothing is kept */
  commit(): Promise<void>
  /** Closes and keeps the bytes for a later resume. */
  suspend(): Promise<void>
  /** Closes and removes. */
  discard(): Promise<void>
}

export interface IngestOptions {
  digest: Digest
  sizeBytes: number | null
  /** Renames the finished file to its name. */
  publish: (from: string, digest: Digest, sizeBytes: number) => Promise<void>
  closed: () => void
}

const chunkBytes = 1024 * 1024
/** The disk begins to write after so many new bytes, so that the flush at the end finds little left to do. */
const flushEvery = 16 * 1024 * 1024

/** Opens or creates the partial file; what is there already is read once to continue its hash. */
export async function openIngest(path: string, options: IngestOptions): Promise<Ingest> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    return await FileIngest.resume(path, handle, options)
  } catch (error) {
    await handle.close()
    throw error
  }
}

class FileIngest implements Ingest {
  offset = 0
  private hash: Hash = createHash('sha256')
  private open = true
  private flushedTo = 0
  private flushing: Promise<void> | null = null
  private readonly path: string
  private readonly handle: FileHandle
  private readonly options: IngestOptions

  private constructor(path: string, handle: FileHandle, options: IngestOptions) {
    this.path = path
    this.handle = handle
    this.options = options
  }

  static async resume(path: string, handle: FileHandle, options: IngestOptions): Promise<FileIngest> {
    const ingest = new FileIngest(path, handle, options)
    const { size } = await handle.stat()
    if (options.sizeBytes !== null && size > options.sizeBytes) await handle.truncate(0)
    else {
      for await (const chunk of ingest.blocks(size)) ingest.hash.update(chunk)
      ingest.offset = size
    }
    return ingest
  }

  get digest(): Digest {
    return this.options.digest
  }
  get sizeBytes(): number | null {
    return this.options.sizeBytes
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { sizeBytes, digest } = this.options
    if (sizeBytes !== null && this.offset + chunk.length > sizeBytes) {
      throw new EngineError(
        'data_loss',
        `content ${digest} is longer than the ${sizeBytes} bytes that were announced; the source is broken or hostile`,
      )
    }
    try {
      let done = 0
      while (done < chunk.length) {
        const { bytesWritten } = await this.handle.write(chunk, done, chunk.length - done, this.offset + done)
        done += bytesWritten
      }
    } catch (error) {
      throw diskError(error, this.path)
    }
    this.hash.update(chunk)
    this.offset += chunk.length
    if (this.offset - this.flushedTo >= flushEvery && !this.flushing) this.flushAhead()
  }

  /** Its failure is not lost: the flush of commit meets the same disk. */
  private flushAhead(): void {
    this.flushedTo = this.offset
    const done = () => {
      this.flushing = null
    }
    this.flushing = this.handle.datasync().then(done, done)
  }

  readBack(): AsyncIterable<Buffer> {
    return this.blocks(this.offset)
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0)
    this.hash = createHash('sha256')
    this.offset = 0
  }

  async commit(): Promise<void> {
    const { sizeBytes, digest } = this.options
    const actual = `sha256:${this.hash.digest('hex')}`
    if ((sizeBytes !== null && this.offset !== sizeBytes) || actual !== digest) {
      await this.discard()
      const why = sizeBytes !== null && this.offset !== sizeBytes ? `${this.offset} of ${sizeBytes} bytes came` : `it is ${actual}`
      throw new EngineError('data_loss', `content ${digest} failed verification: ${why}; it was thrown away`)
    }
    try {
      await this.flushing
      await this.handle.sync()
      await this.options.publish(this.path, digest, this.offset)
    } catch (error) {
      throw diskError(error, this.path)
    } finally {
      await this.close()
    }
  }

  async suspend(): Promise<void> {
    if (this.offset === 0) await this.discard()
    else await this.close()
  }

  async discard(): Promise<void> {
    if (!this.open) return
    await rm(this.path, { force: true })
    await this.close()
  }

  private async close(): Promise<void> {
    if (!this.open) return
    this.open = false
    await this.flushing
    await this.handle.close().finally(this.options.closed)
  }

  private async *blocks(end: number): AsyncIterable<Buffer> {
    for (let at = 0; at < end; ) {
      const { bytesRead, buffer } = await this.handle.read(
        Buffer.allocUnsafe(Math.min(chunkBytes, end - at)),
        0,
        Math.min(chunkBytes, end - at),
        at,
      )
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }
}
