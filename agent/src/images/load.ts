/**
 * `docker load`: archives of Docker (`manifest.json`) and OCI image layouts (`index.json`), compressed or not. The archive is unpacked by berth-unpack into
 * a private directory; from there files become blobs by rename. Everything in it is hostile: names are resolved inside that directory only, and nothing
 * but regular files is opened.
 */
import { createHash } from 'node:crypto'
import { constants, readFileSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, mkdtemp, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Platform } from '@berth/contract/image'
import * as z from 'zod'
import type { ContentStore, Lease } from '../content/content-store.ts'
import { diskError, isMissing } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { chainIds, type Digest, digestOf, hexOf, shortId } from '../oci/digest.ts'
import { type ImageDocument, parseImageConfig } from '../oci/image-config.ts'
import { buildManifest, check, type Descriptor, descriptorSchema, imageLimits, mediaTypes, parseManifest } from '../oci/manifest.ts'
import { choosePlatform, formatPlatform, hostPlatform } from '../oci/platform.ts'
import { canonical, familiar, parseTagged, type Reference } from '../oci/reference.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import type { ImageRecord, ImageStore } from './image-store.ts'
import { layerTypeOf } from './import.ts'
import { eachLimited, PartProgress } from './progress.ts'

export interface LoadRooms {
  store: ImageStore
  content: ContentStore
  snapshots: Snapshots
  /** Directory for unpacking, on the content's file system. */
  workDir: string
  /** Path of berth-unpack. */
  program: string
}

const maxArchiveBytes = 256 * 1024 ** 3
const maxJsonBytes = 8 * 1024 * 1024

const dockerEntries = z
  .array(
    z.object({
      Config: z.string().max(4096),
      RepoTags: z.array(z.string().max(1024)).max(1000).nullish(),
      Layers: z.array(z.string().max(4096)).max(imageLimits.layers).nullish(),
      Parent: z.string().max(4096).nullish(),
    }),
  )
  .max(1000)
const ociIndex = z.object({ manifests: z.array(descriptorSchema).max(imageLimits.indexEntries) })

/** One image of an archive, its layers not yet read. */
interface Found {
  configBytes: Buffer
  document: ImageDocument
  /** Path inside the archive, and the digest where the archive promises one. */
  layers: { path: string; digest: Digest | null }[]
  manifestBytes: Buffer | null
  references: Reference[]
  /** Id of the image that it was made from, where the archive says so. */
  parent?: string
}

/** @throws invalid_argument (not an image archive, hostile, broken), data_loss (a blob differs from its digest); nothing is visible then */
export async function loadImages(
  rooms: LoadRooms,
  archive: Readable,
  context: OperationContext,
  platform?: Platform,
): Promise<{ references: string[]; ids: string[] }> {
  await mkdir(rooms.workDir, { recursive: true, mode: 0o700 })
  const root = await realpath(await mkdtemp(join(rooms.workDir, 'load-')))
  const lease = rooms.content.lease()
  try {
    archive.on('error', () => {}) // runProgram reports it; a second report later must not take the agent down
    await runProgram(rooms.program, ['apply', '--target', root, '--max-bytes', String(maxArchiveBytes), '--max-entries', '200000'], {
      stdin: archive,
      signal: context.signal,
    })
    const files = new ArchiveFiles(root)
    const found = await findImages(files, platform)
    const blobs: Blobs = new Map()
    const records: { image: Found; record: ImageRecord }[] = []
    const loaded: { references: string[]; ids: string[] } = { references: [], ids: [] }
    for (const image of found) {
      const record = await takeImage(rooms, files, image, blobs, lease, context)
      if (rooms.store.get(record.id) !== record) await rooms.store.put(record)
      records.push({ image, record })
      for (const reference of image.references) {
        const before = rooms.store.lookup(reference)
        if (before !== null && before !== record.id)
          context.progress({
            text: `The image ${familiar(reference)} already exists, renaming the old one with ID ${before} to empty string\n`,
          })
        if (before !== record.id) await rooms.store.point(reference, record.id)
        loaded.references.push(familiar(reference))
        context.progress({ text: `Loaded image: ${familiar(reference)}\n` })
      }
      if (image.references.length === 0) context.progress({ text: `Loaded image ID: ${record.id}\n` })
      loaded.ids.push(record.id)
    }
    for (const { image, record } of records) await adoptParent(rooms.store, record, image.parent)
    return loaded
  } finally {
    lease.release()
    await runProgram(rooms.program, ['delete-tree', '--dir', root])
  }
}

/** What an archive says of an image's parent counts if the parent is here and the image can have been made from it. */
async function adoptParent(store: ImageStore, record: ImageRecord, claimed: string | undefined): Promise<void> {
  const parent = claimed === undefined ? undefined : store.get(claimed as Digest)
  if (!parent || parent.id === record.id || store.get(record.id)?.parentId) return
  const startsWith = (all: readonly unknown[], first: readonly unknown[]) =>
    first.every((one, at) => JSON.stringify(one) === JSON.stringify(all[at]))
  const { history, diffIds } = record.document
  const shorter = parent.document.history.length < history.length
  if (!shorter || !startsWith(history, parent.document.history) || !startsWith(diffIds, parent.document.diffIds)) return
  await store.put({ ...record, parentId: parent.id })
}

/** Regular files of an unpacked archive, by names that the archive chose. */
class ArchiveFiles {
  private readonly root: string
  /** Answers so far: a file that became a blob is no longer there, but other names may lead to it. */
  private readonly resolved = new Map<string, string | null>()

  constructor(root: string) {
    this.root = root
  }

  /** The real path of a name; links are followed inside the archive only. null when it is not there. @throws invalid_argument */
  async path(name: string): Promise<string | null> {
    const known = this.resolved.get(name)
    if (known !== undefined) return known
    const path = await this.resolve(name)
    this.resolved.set(name, path)
    return path
  }

  private async resolve(name: string): Promise<string | null> {
    const refused = () =>
      new EngineError(
        'invalid_argument',
        `the archive names the file "${name.slice(0, 200)}", which is not a plain file inside it; it is refused`,
      )
    if (name === '' || name.includes('\0') || name.startsWith('/') || name.split('/').includes('..')) throw refused()
    let real: string
    try {
      real = await realpath(join(this.root, name))
    } catch (error) {
      if (isMissing(error)) return null
      throw refused()
    }
    if (!real.startsWith(`${this.root}/`) || !(await lstat(real)).isFile()) throw refused()
    return real
  }

  /** @throws invalid_argument when missing or larger than `limit` */
  async read(name: string, limit: number): Promise<Buffer> {
    const path = await this.path(name)
    if (path === null) throw new EngineError('invalid_argument', `the archive lacks the file "${name.slice(0, 200)}"; it is incomplete`)
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      if ((await file.stat()).size > limit)
        throw new EngineError('invalid_argument', `"${name.slice(0, 200)}" in the archive is larger than ${limit} bytes; it is refused`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  }

  async readBlob(digest: Digest, limit: number): Promise<Buffer> {
    const bytes = await this.read(blobName(digest), limit)
    if (digestOf(bytes) !== digest) throw changed(digest)
    return bytes
  }
}

const blobName = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`

async function findImages(files: ArchiveFiles, platform: Platform | undefined): Promise<Found[]> {
  const hasDocker = (await files.path('manifest.json')) !== null
  const hasOci = (await files.path('index.json')) !== null
  if (!hasDocker && !hasOci)
    throw new EngineError(
      'invalid_argument',
      'the archive holds neither manifest.json nor index.json: it is not an image archive (for a root file system use import)',
    )
  const oci = hasOci ? await ociImages(files, hasDocker, platform ?? hostPlatform()) : []
  const all = hasDocker ? await dockerImages(files, oci) : oci
  const found = platform ? all.filter(({ document }) => choosePlatform([{ platform: document.platform, value: true }], platform)) : all
  if (platform && found.length === 0) {
    const held = [...new Set(all.map(({ document }) => formatPlatform(document.platform)))].join(', ') || 'none that runs on Linux'
    throw new EngineError('not_found', `requested platform (${formatPlatform(platform)}) not found: the archive holds ${held}`)
  }
  for (const image of found) for (const layer of image.layers) await files.path(layer.path)
  if (found.length === 0) throw new EngineError('invalid_argument', 'the archive holds no image for this machine')
  return found
}

/** @param lenient Docker's manifest.json says what there is; the index then only lends its manifests */
async function ociImages(files: ArchiveFiles, lenient: boolean, platform: Platform): Promise<Found[]> {
  const index = check(ociIndex, jsonOf(await files.read('index.json', maxJsonBytes), 'index.json'), 'index.json of the archive')
  const byManifest = new Map<Digest, Found>()
  for (const entry of index.manifests) {
    const found = byManifest.get(entry.digest) ?? (await ociImage(files, entry, 0, lenient, platform))
    if (!found) continue
    byManifest.set(entry.digest, found)
    const name = nameOf(entry)
    if (name && !found.references.some((other) => canonical(other) === canonical(name))) found.references.push(name)
  }
  return [...byManifest.values()]
}

async function ociImage(
  files: ArchiveFiles,
  entry: Descriptor,
  depth: number,
  lenient: boolean,
  platform: Platform,
): Promise<Found | null> {
  if (depth > imageLimits.indexDepth)
    throw new EngineError('invalid_argument', 'an index of the archive nests too deeply or leads back to itself; it is refused')
  if ((await files.path(blobName(entry.digest))) === null && lenient) return null
  const bytes = await files.readBlob(entry.digest, imageLimits.manifestBytes)
  const parsed = parseManifest(bytes, entry.mediaType, `archive content ${shortId(entry.digest)}`)
  if (parsed.kind === 'index') {
    const chosen =
      choosePlatform(
        parsed.manifests.map((value) => ({ platform: value.platform ?? null, value })),
        platform,
      ) ?? (parsed.manifests.length === 1 ? parsed.manifests[0] : undefined)
    return chosen ? ociImage(files, chosen, depth + 1, lenient, platform) : null
  }
  const configBytes = await files.readBlob(parsed.config.digest, imageLimits.configBytes)
  const layers = parsed.layers.map((layer) => ({ path: blobName(layer.digest), digest: layer.digest }))
  return { configBytes, document: parseImageConfig(configBytes, 'an image of the archive'), layers, manifestBytes: bytes, references: [] }
}

async function dockerImages(files: ArchiveFiles, oci: Found[]): Promise<Found[]> {
  const entries = check(
    dockerEntries,
    jsonOf(await files.read('manifest.json', maxJsonBytes), 'manifest.json'),
    'manifest.json of the archive',
  )
  const found: Found[] = []
  for (const entry of entries) {
    const configBytes = await files.read(entry.Config, imageLimits.configBytes)
    const document = parseImageConfig(configBytes, 'an image of the archive')
    const same = oci.find((image) => image.configBytes.equals(configBytes))
    const layers = (entry.Layers ?? []).map((path) => ({ path, digest: null }))
    found.push({
      configBytes,
      document,
      layers: same?.layers ?? layers,
      manifestBytes: same?.manifestBytes ?? null,
      references: (entry.RepoTags ?? []).map(parseTagged),
      ...(entry.Parent ? { parent: entry.Parent } : {}),
    })
  }
  return found
}

/** Full names only: a bare tag in `ref.name` names no repository. */
function nameOf(entry: Descriptor): Reference | null {
  for (const key of ['io.containerd.image.name', 'org.opencontainers.image.ref.name']) {
    const text = entry.annotations?.[key]
    if (!text || (key !== 'io.containerd.image.name' && !/[/:]/.test(text))) continue
    try {
      const reference = parseTagged(text)
      if (reference.digest === null) return reference
    } catch {
      // An annotation is free text; one that is no reference names nothing.
    }
  }
  return null
}

interface Blob {
  digest: Digest
  sizeBytes: number
  mediaType: string
}

/** By the archive's name and by the real path of their files. */
type Blobs = Map<string, Promise<Blob>>

/** A layer's file in the archive, and what the image says of it. */
type LayerFile = Found['layers'][number] & { diffId: Digest }

/** While one layer waits for the disk another is unpacked. */
const layersAtOnce = 2

/** Brings an image's blobs into the content store and its layers onto the disk. */
async function takeImage(
  rooms: LoadRooms,
  files: ArchiveFiles,
  found: Found,
  blobs: Blobs,
  lease: Lease,
  context: OperationContext,
): Promise<ImageRecord> {
  const { document, configBytes } = found
  const id = digestOf(configBytes)
  const existing = rooms.store.get(id)
  if (document.platform.os !== 'linux')
    throw new EngineError('invalid_argument', `the archive holds an image for "${document.platform.os}", which cannot run on Linux`)
  if (document.diffIds.length !== found.layers.length) {
    throw new EngineError(
      'invalid_argument',
      `an image of the archive has ${found.layers.length} layers, but its configuration names ${document.diffIds.length}; it is refused`,
    )
  }
  const chains = chainIds(document.diffIds)
  for (const held of [id, ...document.diffIds, ...chains, ...(existing?.layers.map((layer) => layer.digest) ?? [])]) lease.hold(held)
  // What is here already is not read again, as long as it is complete.
  if (
    existing &&
    (chains.length === 0 || rooms.snapshots.has(chains.at(-1) as Digest)) &&
    existing.layers.every((layer) => rooms.content.has(layer.digest))
  )
    return existing
  const wanted = found.layers.map((layer, at) => ({ ...layer, diffId: document.diffIds[at] as Digest }))
  await eachLimited(wanted, layersAtOnce, async (layer) => void (await takeLayer(rooms, files, layer, blobs, lease, context)))
  const layers: ImageRecord['layers'] = []
  for (const [at, { path, diffId }] of wanted.entries()) {
    const blob = await (blobs.get(path) as Promise<Blob>)
    await rooms.snapshots.unpack(
      { parent: chains[at - 1] ?? null, chainId: chains[at] as Digest, diffId, blobPath: rooms.content.path(blob.digest) },
      { signal: context.signal },
    )
    layers.push({ ...blob, diffId })
  }
  const manifestBytes =
    found.manifestBytes ??
    buildManifest(
      { digest: id, size: configBytes.length },
      layers.map(({ mediaType, digest, sizeBytes }) => ({ mediaType, digest, size: sizeBytes })),
    )
  lease.hold(digestOf(manifestBytes))
  await rooms.content.put(configBytes)
  const manifest = await rooms.content.put(manifestBytes)
  const { mediaType } = parseManifest(manifestBytes, mediaTypes.ociManifest, 'the archive')
  return { id, manifest: { ...manifest, mediaType }, configBytes: configBytes.length, layers, parentId: null, document }
}

/** Brings a layer's blob into the content store and its files onto the disk, once for a file however many names and images lead to it. */
async function takeLayer(
  rooms: LoadRooms,
  files: ArchiveFiles,
  layer: LayerFile,
  blobs: Blobs,
  lease: Lease,
  context: OperationContext,
): Promise<Blob> {
  const path = await files.path(layer.path)
  if (path === null)
    throw new EngineError('invalid_argument', `the archive lacks the layer "${layer.path.slice(0, 200)}"; it is incomplete`)
  const blob = blobs.get(layer.path) ?? blobs.get(path) ?? readLayer(rooms, path, layer, lease, context)
  blobs.set(layer.path, blob)
  blobs.set(path, blob)
  return blob
}

async function readLayer(rooms: LoadRooms, path: string, layer: LayerFile, lease: Lease, context: OperationContext): Promise<Blob> {
  const progress = new PartProgress(context, shortId(layer.diffId))
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(512)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    const mediaType = layerTypeOf(head.subarray(0, bytesRead), `layer "${layer.path.slice(0, 200)}"`)
    const stop = followPosition(file, (at) => progress.show('Loading layer', at, size))
    try {
      // The disk takes the blob while the processor unpacks it.
      const [digest, flushed] = await Promise.allSettled([unpackAndHash(rooms, file, layer, context.signal), file.datasync()])
      if (digest.status === 'rejected') throw digest.reason
      if (flushed.status === 'rejected') throw diskError(flushed.reason, path)
      if (layer.digest !== null && digest.value !== layer.digest) throw changed(layer.digest)
      lease.hold(digest.value)
      const blob = { ...(await rooms.content.adopt(path, digest.value)), mediaType }
      progress.show('Load complete')
      return blob
    } finally {
      stop()
    }
  } finally {
    await file.close()
  }
}

const changed = (digest: Digest) => new EngineError('data_loss', `content ${digest} in the archive was changed; it is refused`)

/** Unpacking reads every byte and answers with the digest; a layer that is here already is only hashed. */
async function unpackAndHash(rooms: LoadRooms, file: FileHandle, layer: LayerFile, signal: AbortSignal): Promise<Digest> {
  try {
    const applied = await rooms.snapshots.unpackStream(layer.diffId, { fd: file.fd }, { signal })
    return applied?.digest ?? (await hashOf(file))
  } catch (error) {
    // The digest's verdict comes before the archive's: changed bytes are changed, whatever they unpack to.
    if (layer.digest !== null && !signal.aborted && (await hashOf(file)) !== layer.digest) throw changed(layer.digest)
    throw error
  }
}

async function hashOf(file: FileHandle): Promise<Digest> {
  const hash = createHash('sha256')
  const stream = file.createReadStream({ start: 0, highWaterMark: 1024 * 1024, autoClose: false })
  for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

/** Tells now and then how far the program that reads `file` has come: it shares our position in it. Ends when what it answers is called. */
function followPosition(file: FileHandle, tell: (position: number) => void): () => void {
  const timer = setInterval(() => {
    const position = /^pos:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${file.fd}`, 'utf8'))?.[1]
    tell(Number(position ?? 0))
  }, 250)
  return () => clearInterval(timer)
}

function jsonOf(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new EngineError('invalid_argument', `${what} of the archive is not valid JSON`, { cause: error })
  }
}
