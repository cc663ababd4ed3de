/**
 * One layer from a registry: its bytes go to the content store and, at the same time, to berth-unpack, so that the files are there when the last byte is.
 * What an interrupted pull left is read back first and only the rest is fetched.
 */
import { Readable } from 'node:stream'
import type { ContentStore } from '../content/content-store.ts'
import type { Ingest } from '../content/ingest.ts'
import { codeOf } from '../errors.ts'
import { type Digest, shortId } from '../oci/digest.ts'
import type { OperationContext } from '../operations/operations.ts'
import { downloadBlob } from '../registry/blob-download.ts'
import type { Repository } from '../registry/registry-client.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { Lanes, PartProgress } from './progress.ts'

/** Of all pulls together: more at once only share the line, and each costs a connection, a program and its memory. */
const layersAtOnce = 6

export interface LayerToFetch {
  digest: Digest
  sizeBytes: number
  diffId: Digest
}

/** Fetches layers; two pulls that need one layer at once share one download. */
export class LayerFetcher {
  private readonly inFlight = new Map<Digest, Promise<void>>()
  private readonly lanes = new Lanes(layersAtOnce)
  private readonly content: ContentStore
  private readonly snapshots: Snapshots

  constructor(content: ContentStore, snapshots: Snapshots) {
    this.content = content
    this.snapshots = snapshots
  }

  isHere({ digest, diffId }: LayerToFetch): boolean {
    return this.content.has(digest) && this.snapshots.hasLayer(diffId)
  }

  /** After it the blob and the unpacked layer are here, both verified. The caller's lease holds both. */
  async fetch(
    layer: LayerToFetch,
    repositories: readonly Repository[],
    context: Pick<OperationContext, 'progress' | 'signal'>,
  ): Promise<void> {
    const progress = new PartProgress(context, shortId(layer.digest))
    for (let running = this.inFlight.get(layer.digest); running; running = this.inFlight.get(layer.digest)) {
      progress.show('Waiting')
      // Its failure (or cancel) is not ours; then we fetch.
      await running.catch(() => {})
    }
    if (this.isHere(layer)) return progress.show('Already exists')
    const work = this.lanes.run(
      () =>
        this.content.has(layer.digest)
          ? this.unpackOnly(layer, progress, context.signal)
          : this.download(layer, repositories, progress, context.signal),
      context.signal,
    )
    this.inFlight.set(layer.digest, work)
    try {
      await work
    } finally {
      this.inFlight.delete(layer.digest)
    }
    progress.show('Pull complete')
  }

  private async unpackOnly(layer: LayerToFetch, progress: PartProgress, signal: AbortSignal): Promise<void> {
    progress.show('Extracting', layer.sizeBytes, layer.sizeBytes)
    await this.snapshots.unpackStream(layer.diffId, this.content.stream(layer.digest), { signal })
  }

  private async download(
    layer: LayerToFetch,
    repositories: readonly Repository[],
    progress: PartProgress,
    signal: AbortSignal,
  ): Promise<void> {
    const ingest = await this.content.ingest(layer.digest, layer.sizeBytes)
    const resumed = ingest.offset > 0
    try {
      await this.transfer(ingest, layer, repositories, progress, signal)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'data_loss' || code === 'invalid_argument') {
        await ingest.discard()
        // What an earlier life left may be what is broken: once more from the beginning.
        if (resumed && code === 'data_loss') return this.download(layer, repositories, progress, signal)
      } else if (code === 'resource_exhausted' || codeOf(signal.reason) === 'resource_exhausted') {
        // A full disk: half a layer kept for later would keep it full.
        await ingest.discard()
      } else await ingest.suspend()
      throw error
    }
  }

  private async transfer(
    ingest: Ingest,
    layer: LayerToFetch,
    repositories: readonly Repository[],
    progress: PartProgress,
    signal: AbortSignal,
  ): Promise<void> {
    const unpacking = new Unpacking(this.snapshots, layer.diffId, signal)
    try {
      for await (const chunk of ingest.readBack()) await unpacking.feed(chunk)
      for await (const chunk of downloadBlob(repositories, layer, ingest.offset, signal)) {
        await Promise.all([ingest.write(chunk), unpacking.feed(chunk)])
        progress.show('Downloading', ingest.offset, layer.sizeBytes)
      }
      progress.show('Verifying Checksum')
      unpacking.end()
      // The digest's verdict comes before the archive's: damaged bytes are damaged, whatever they unpack to.
      await ingest.commit()
      progress.show('Download complete')
      progress.show('Extracting', layer.sizeBytes, layer.sizeBytes)
      await unpacking.result()
    } catch (error) {
      await unpacking.abandon(error)
      throw error
    }
  }
}

/** berth-unpack at the other end of a stream. Its failure stops the feeding, not the feeder: the digest must still be judged. */
class Unpacking {
  private readonly source = new Readable({ read: () => this.wake?.(), highWaterMark: 1024 * 1024 })
  private readonly done: Promise<unknown>
  private wake: (() => void) | null = null
  private over = false

  constructor(snapshots: Snapshots, diffId: Digest, signal: AbortSignal) {
    this.source.on('error', () => {})
    this.source.once('close', () => this.wake?.())
    this.done = snapshots.hasLayer(diffId) ? Promise.resolve() : snapshots.unpackStream(diffId, this.source, { signal })
    const finish = () => {
      this.over = true
      this.wake?.()
    }
    this.done.then(finish, finish)
  }

  async feed(chunk: Uint8Array): Promise<void> {
    if (this.over || this.source.destroyed || this.source.push(chunk)) return
    await new Promise<void>((resolve) => {
      this.wake = resolve
    })
    this.wake = null
  }

  end(): void {
    if (!this.source.destroyed) this.source.push(null)
  }

  async result(): Promise<void> {
    await this.done
  }

  /** Stops the program and waits until it is gone. */
  async abandon(error: unknown): Promise<void> {
    this.source.destroy(error instanceof Error ? error : new Error(String(error)))
    await this.done.catch(() => {})
  }
}
