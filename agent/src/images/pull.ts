import type { Platform } from '@berth/contract/image'
import type { RegistryAuth } from '@berth/contract/registry'
import type { ContentStore, Lease } from '../content/content-store.ts'
import { codeOf, EngineError } from '../errors.ts'
import { chainIds, type Digest, digestOf, shortId } from '../oci/digest.ts'
import { type ImageDocument, parseImageConfig } from '../oci/image-config.ts'
import { chooseManifest, type Descriptor, imageLimits, type Manifest, parseManifest } from '../oci/manifest.ts'
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform } from '../oci/platform.ts'
import { familiar, familiarName, parseReference, type Reference } from '../oci/reference.ts'
import type { OperationContext } from '../operations/operations.ts'
import { downloadBlob } from '../registry/blob-download.ts'
import type { RegistryClient, RemoteManifest, Repository } from '../registry/registry-client.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import type { LayerFetcher } from './fetch-layer.ts'
import { chainsOf, type ImageStore } from './image-store.ts'
import { eachLimited } from './progress.ts'

/** As many layers at once as Docker takes. */
const parallelLayers = 3

export interface PullRooms {
  store: ImageStore
  content: ContentStore
  snapshots: Snapshots
  registry: RegistryClient
  layers: LayerFetcher
}

export interface PullInput {
  reference: string
  platform?: string
  allTags?: boolean
}

export interface PulledImage {
  id: Digest
  reference: string
  digest: Digest
  changed: boolean
}

/**
 * Pulls a tag, a digest, or all tags. When it resolves, blobs, records and references are durable; the layers are unpacked.
 * @throws what the registry says, data_loss (verification), invalid_argument (hostile image), cancelled; nothing becomes visible then, downloaded parts
 *   stay for the next try
 */
export async function pullImage(
  rooms: PullRooms,
  input: PullInput,
  auth: RegistryAuth | null,
  context: OperationContext,
): Promise<PulledImage> {
  const parsed = parseReference(input.reference)
  const wanted = input.platform ? parsePlatform(input.platform) : null
  if (!input.allTags)
    return pullOne(rooms, parsed.tag === null && parsed.digest === null ? { ...parsed, tag: 'latest' } : parsed, wanted, auth, context)
  if (parsed.tag !== null || parsed.digest !== null)
    throw new EngineError('invalid_argument', "tag can't be used with --all-tags/-a; give the repository alone")
  const pulled: PulledImage[] = []
  for await (const tag of allTags(rooms.registry.origin(parsed, auth)))
    pulled.push(await pullOne(rooms, { ...parsed, tag }, wanted, auth, context))
  const last = pulled.at(-1)
  if (!last) throw new EngineError('not_found', `${familiarName(parsed)} has no tags`)
  return { ...last, reference: familiarName(parsed), changed: pulled.some((image) => image.changed) }
}

/** Every tag of a repository, page by page. */
export async function* allTags(repository: Repository): AsyncGenerator<string> {
  let last: string | undefined
  for (let page = 0; page < 1000; page++) {
    const { names, next } = await repository.tags({ limit: 500, last })
    yield* names
    if (next === null || next === last) return
    last = next
  }
}

async function pullOne(
  rooms: PullRooms,
  reference: Reference,
  wanted: Platform | null,
  auth: RegistryAuth | null,
  context: OperationContext,
): Promise<PulledImage> {
  const shown = familiar(reference)
  const lease = rooms.content.lease()
  try {
    const repositories = rooms.registry.sources(reference, auth)
    const { found, used } = await firstManifest(repositories, reference, context.signal)
    context.progress({
      id: reference.digest ? shown : (reference.tag ?? ''),
      status: `Pulling from ${reference.path}`,
    })
    const { manifest, own, above } = await forPlatform(used, found, wanted ?? hostPlatform(), shown, context.signal)
    const configBytes = await fetchConfig(rooms.content, used, manifest.config, lease, shown, context.signal)
    const document = parseImageConfig(configBytes, shown)
    checkImage(document, manifest, wanted, shown)
    const whole = holdWhole(rooms, manifest.config.digest, lease)
    if (whole) {
      for (const layer of manifest.layers) context.progress({ id: shortId(layer.digest), status: 'Already exists' })
    } else {
      await fetchLayers(rooms, manifest, document, used, lease, context)
      await linkLayers(rooms, manifest, document, context.signal)
    }
    for (const { digest } of [own, ...above]) lease.hold(digest)
    await Promise.all([configBytes, own.bytes, ...above.map(({ bytes }) => bytes)].map((bytes) => rooms.content.put(bytes)))
    const changed = await record(rooms.store, reference, found.digest, { manifest, own, configBytes, document, whole })
    context.progress({ status: `Digest: ${found.digest}` })
    context.progress({ status: changed ? `Status: Downloaded newer image for ${shown}` : `Status: Image is up to date for ${shown}` })
    return { id: manifest.config.digest, reference: shown, digest: found.digest, changed }
  } finally {
    lease.release()
  }
}

/** The manifest from the first source that has it, and the sources from there on, for its blobs. */
async function firstManifest(
  repositories: Repository[],
  reference: Reference,
  signal: AbortSignal,
): Promise<{ found: RemoteManifest; used: Repository[] }> {
  const what = reference.digest ?? reference.tag ?? 'latest'
  for (const [at, repository] of repositories.entries()) {
    try {
      return { found: await repository.manifest(what, signal), used: repositories.slice(at) }
    } catch (error) {
      // A mirror that is down, has not got it or misbehaves is passed over; the origin's word is final.
      if (at === repositories.length - 1 || codeOf(error) === 'cancelled' || signal.aborted) throw error
    }
  }
  throw new EngineError('internal', `no source for ${familiar(reference)}`)
}

/** Goes down from an index to the manifest of a platform. Every step is by digest, and an index that leads back to itself is at its end. */
async function forPlatform(repositories: Repository[], found: RemoteManifest, platform: Platform, shown: string, signal: AbortSignal) {
  const above: RemoteManifest[] = []
  let own = found
  for (;;) {
    const parsed = parseManifest(own.bytes, own.mediaType, shown)
    if (parsed.kind === 'manifest') return { manifest: parsed, own, above }
    above.push(own)
    const entry = chooseManifest(parsed, platform, shown)
    if (above.length > imageLimits.indexDepth || above.some(({ digest }) => digest === entry.digest)) {
      throw new EngineError('invalid_argument', `the index of ${shown} nests indexes too deeply or leads back to itself; it is refused`)
    }
    own = await fetchManifest(repositories, entry, shown, signal)
  }
}

async function fetchManifest(repositories: Repository[], entry: Descriptor, shown: string, signal: AbortSignal): Promise<RemoteManifest> {
  for (const [at, repository] of repositories.entries()) {
    try {
      const manifest = await repository.manifest(entry.digest, signal)
      if (manifest.bytes.length !== entry.size) {
        throw new EngineError('data_loss', `a manifest of ${shown} has ${manifest.bytes.length} bytes, but its index says ${entry.size}`)
      }
      return manifest
    } catch (error) {
      if (at === repositories.length - 1 || signal.aborted) throw error
    }
  }
  throw new EngineError('internal', `no source for ${shown}`)
}

async function fetchConfig(
  content: ContentStore,
  repositories: Repository[],
  config: Descriptor,
  lease: Lease,
  shown: string,
  signal: AbortSignal,
): Promise<Buffer> {
  lease.hold(config.digest)
  if (content.has(config.digest)) return content.read(config.digest, imageLimits.configBytes)
  if (config.size > imageLimits.configBytes) {
    throw new EngineError(
      'invalid_argument',
      `the configuration of ${shown} is larger than ${imageLimits.configBytes} bytes; it is refused`,
    )
  }
  const chunks: Buffer[] = []
  for await (const chunk of downloadBlob(repositories, { digest: config.digest, sizeBytes: config.size }, 0, signal)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (digestOf(bytes) !== config.digest)
    throw new EngineError('data_loss', `the configuration of ${shown} does not match its digest ${config.digest}; it was thrown away`)
  return bytes
}

function checkImage(document: ImageDocument, manifest: Manifest, wanted: Platform | null, shown: string): void {
  if (document.platform.os !== 'linux')
    throw new EngineError('invalid_argument', `${shown} is an image for "${document.platform.os}", which cannot run on Linux`)
  if (document.diffIds.length !== manifest.layers.length) {
    throw new EngineError(
      'invalid_argument',
      `${shown} has ${manifest.layers.length} layers, but its configuration names ${document.diffIds.length}; it is refused`,
    )
  }
  if (wanted && !choosePlatform([{ platform: document.platform, value: true }], wanted)) {
    throw new EngineError(
      'not_found',
      `image ${shown} is for ${formatPlatform(document.platform)}, there is none for ${formatPlatform(wanted)}`,
    )
  }
}

/** Whether the image is here whole, perhaps in another compression or from an archive: the same configuration means the same files. Holds it, if so. */
function holdWhole({ store, content, snapshots }: PullRooms, id: Digest, lease: Lease): boolean {
  const image = store.get(id)
  if (!image) return false
  const chains = chainsOf(image)
  const parts = [image.manifest.digest, ...image.layers.map((layer) => layer.digest)]
  for (const held of [...parts, ...chains, ...image.layers.map((layer) => layer.diffId)]) lease.hold(held)
  return parts.every((digest) => content.has(digest)) && chains.every((chainId) => snapshots.has(chainId))
}

async function fetchLayers(
  rooms: PullRooms,
  manifest: Manifest,
  document: ImageDocument,
  repositories: Repository[],
  lease: Lease,
  context: OperationContext,
): Promise<void> {
  const wanted = new Map<Digest, { digest: Digest; sizeBytes: number; diffId: Digest }>()
  for (const [at, layer] of manifest.layers.entries()) {
    wanted.set(layer.digest, { digest: layer.digest, sizeBytes: layer.size, diffId: document.diffIds[at] as Digest })
  }
  for (const chainId of chainIds(document.diffIds)) lease.hold(chainId)
  for (const layer of wanted.values()) {
    lease.hold(layer.digest)
    lease.hold(layer.diffId)
    context.progress({ id: shortId(layer.digest), status: rooms.layers.isHere(layer) ? 'Already exists' : 'Pulling fs layer' })
  }
  const missing = [...wanted.values()].filter((layer) => !rooms.layers.isHere(layer))
  for (const layer of missing.slice(parallelLayers)) context.progress({ id: shortId(layer.digest), status: 'Waiting' })
  // One failure cancels the others, so that the answer does not wait for gigabytes nobody wants any more.
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  await eachLimited(missing, parallelLayers, async (layer) => {
    try {
      await rooms.layers.fetch(layer, repositories, { signal, progress: context.progress })
    } catch (error) {
      stop.abort(error)
      throw error
    }
  })
}

async function linkLayers(
  { content, snapshots }: PullRooms,
  manifest: Manifest,
  document: ImageDocument,
  signal: AbortSignal,
): Promise<void> {
  let parent: Digest | null = null
  for (const [at, chainId] of chainIds(document.diffIds).entries()) {
    const blobPath = content.path((manifest.layers[at] as Descriptor).digest)
    await snapshots.unpack({ parent, chainId, diffId: document.diffIds[at] as Digest, blobPath }, { signal })
    parent = chainId
  }
}

/** Writes the image and its references; the image first, so that no reference ever points at nothing. @returns whether the reference is new or moved */
async function record(
  store: ImageStore,
  reference: Reference,
  topDigest: Digest,
  parts: { manifest: Manifest; own: RemoteManifest; configBytes: Buffer; document: ImageDocument; whole: boolean },
): Promise<boolean> {
  const { manifest, own, configBytes, document, whole } = parts
  const id = manifest.config.digest
  // One that is here but has lost parts is described anew by what was just fetched.
  if (!whole) {
    await store.put({
      id,
      manifest: { digest: own.digest, mediaType: manifest.mediaType, sizeBytes: own.bytes.length },
      configBytes: configBytes.length,
      layers: manifest.layers.map((layer, at) => ({
        digest: layer.digest,
        mediaType: layer.mediaType,
        sizeBytes: layer.size,
        diffId: document.diffIds[at] as Digest,
      })),
      parentId: store.get(id)?.parentId ?? null,
      document,
    })
  }
  const changed = store.lookup(reference) !== id
  const byDigest = { ...reference, tag: null, digest: topDigest }
  const byTag = reference.digest === null && changed ? store.point(reference, id) : null
  await Promise.all([byTag, store.lookup(byDigest) === id ? null : store.point(byDigest, id)])
  return changed
}
