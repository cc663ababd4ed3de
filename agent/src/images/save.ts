/**
 * `docker save`: one archive that is an OCI image layout (`oci-layout`, `index.json`, `blobs/`) and has Docker's `manifest.json` and `repositories`, so
 * that either reader finds its own.
 */
import type { Readable } from 'node:stream'
import type { ContentStore } from '../content/content-store.ts'
import { EngineError } from '../errors.ts'
import { type Digest, hexOf } from '../oci/digest.ts'
import { canonical, familiar, familiarName, parseReference, type Reference } from '../oci/reference.ts'
import type { ImageRecord, ImageStore } from './image-store.ts'

interface Selected {
  image: ImageRecord
  references: Reference[]
}

/**
 * Opens the archive as a stream. The images are held by a lease until the stream has closed.
 * @throws not_found before anything is streamed; the stream fails with data_loss if a blob was changed on the disk
 */
export async function saveImages(
  rooms: { store: ImageStore; content: ContentStore },
  names: string[],
  signal?: AbortSignal,
): Promise<Readable> {
  if (names.length === 0) throw new EngineError('invalid_argument', 'name at least one image to save')
  const selected = select(rooms.store, names)
  const { pack: createPack } = await import('tar-stream')
  const lease = rooms.content.lease()
  const sizes = new Map<Digest, number>()
  for (const { image } of selected) {
    for (const [digest, size] of [
      ...image.layers.map((layer) => [layer.digest, layer.sizeBytes] as const),
      [image.id, image.configBytes] as const,
      [image.manifest.digest, image.manifest.sizeBytes] as const,
    ]) {
      if (!rooms.content.has(digest)) throw new EngineError('data_loss', `image ${image.id} lacks its content ${digest}; pull it again`)
      lease.hold(digest)
      sizes.set(digest, size)
    }
  }
  const pack = createPack({ highWaterMark: 1024 * 1024 } as never)
  pack.once('close', () => lease.release())
  signal?.addEventListener('abort', () => pack.destroy(new EngineError('cancelled', 'saving was cancelled')), { once: true })
  const write = async () => {
    const text = (name: string, value: unknown) => pack.entry({ name, mtime: new Date(0), mode: 0o644 }, JSON.stringify(value))
    for (const name of ['blobs/', 'blobs/sha256/']) pack.entry({ name, type: 'directory', mtime: new Date(0), mode: 0o755 })
    for (const [digest, size] of sizes) await writeBlob(pack, rooms.content, digest, size)
    text('index.json', indexOf(selected))
    text('manifest.json', dockerManifest(selected))
    text('oci-layout', { imageLayoutVersion: '1.0.0' })
    text('repositories', repositories(selected))
    pack.finalize()
  }
  write().catch((error) => pack.destroy(error))
  return pack as unknown as Readable
}

type Pack = import('tar-stream').Pack

function writeBlob(pack: Pack, content: ContentStore, digest: Digest, size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = pack.entry({ name: `blobs/sha256/${hexOf(digest)}`, size, mtime: new Date(0), mode: 0o644 }, (error) =>
      error ? reject(error) : resolve(),
    )
    const source = content.stream(digest)
    source.once('error', reject)
    pack.once('close', () => {
      source.destroy()
      reject(new EngineError('cancelled', 'the reader of the archive left'))
    })
    source.pipe(entry)
  })
}

/** Each image once, with every name it was asked for by; a repository without a tag stands for all its tags. */
function select(store: ImageStore, names: string[]): Selected[] {
  const found = new Map<Digest, Selected>()
  const add = (image: ImageRecord, reference: Reference | null) => {
    const entry = found.get(image.id) ?? { image, references: [] }
    found.set(image.id, entry)
    if (reference?.tag && !entry.references.some((other) => canonical(other) === canonical(reference))) entry.references.push(reference)
  }
  for (const name of names) {
    const all = tagsOfRepository(store, name)
    for (const { reference, imageId } of all) {
      const tagged = store.get(imageId)
      if (tagged) add(tagged, reference)
    }
    if (all.length > 0) continue
    const { image, reference } = store.resolve(name)
    add(image, reference?.digest === null ? reference : null)
  }
  return [...found.values()]
}

/** Every tag of a repository that is named without one; empty for anything else. */
function tagsOfRepository(store: ImageStore, name: string): { reference: Reference; imageId: Digest }[] {
  if (name.includes('@') || name.lastIndexOf(':') > name.lastIndexOf('/') || /^[0-9a-f]{64}$/.test(name)) return []
  return store
    .allReferences()
    .filter(({ reference }) => reference.tag !== null && familiarName(reference) === familiarName(parseLoosely(name)))
}

/** An id prefix is a well-formed name too; what is neither names nothing here and is told by resolve. */
function parseLoosely(name: string): Pick<Reference, 'domain' | 'path'> {
  try {
    return parseReference(name)
  } catch {
    return { domain: '', path: '' }
  }
}

function indexOf(selected: Selected[]): unknown {
  const manifests = selected.flatMap(({ image, references }) => {
    const descriptor = {
      mediaType: image.manifest.mediaType,
      digest: image.manifest.digest,
      size: image.manifest.sizeBytes,
      platform: image.document.platform,
    }
    if (references.length === 0) return [descriptor]
    return references.map((reference) => ({
      ...descriptor,
      annotations: { 'io.containerd.image.name': canonical(reference), 'org.opencontainers.image.ref.name': reference.tag },
    }))
  })
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }
}

function dockerManifest(selected: Selected[]): unknown {
  const saved = new Set(selected.map(({ image }) => image.id))
  return selected.map(({ image, references }) => ({
    Config: `blobs/sha256/${hexOf(image.id)}`,
    RepoTags: references.length ? references.map(familiar) : null,
    Layers: image.layers.map((layer) => `blobs/sha256/${hexOf(layer.digest)}`),
    ...(image.parentId !== null && saved.has(image.parentId) ? { Parent: image.parentId } : {}),
  }))
}

/** What Docker before 1.10 read; still written by Docker, still looked for by some scripts. */
function repositories(selected: Selected[]): Record<string, Record<string, string>> {
  const table: Record<string, Record<string, string>> = {}
  for (const { image, references } of selected) {
    for (const reference of references) {
      const name = familiarName(reference)
      table[name] = { ...table[name], [reference.tag as string]: hexOf(image.layers.at(-1)?.digest ?? image.id) }
    }
  }
  return table
}
