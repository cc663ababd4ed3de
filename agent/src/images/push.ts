import { open } from 'node:fs/promises'
import type { RegistryAuth } from '@berth/contract/registry'
import * as z from 'zod'
import type { ContentStore, Lease } from '../content/content-store.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { type Digest, shortId } from '../oci/digest.ts'
import { buildManifest, isPlainLayer, mediaTypes } from '../oci/manifest.ts'
import { canonicalName, familiar, familiarName, parseReference, type Reference } from '../oci/reference.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { RegistryClient, Repository } from '../registry/registry-client.ts'
import type { ImageRecord, ImageStore } from './image-store.ts'
import { noSuchImage } from './image-store.ts'
import { eachLimited, PartProgress } from './progress.ts'

const parallelLayers = 5

export interface PushRooms {
  store: ImageStore
  content: ContentStore
  registry: RegistryClient
  /** Path of berth-unpack. */
  program: string
}

const compressAnswer = z.object({ digest: z.string(), diffId: z.string() })

type Layer = ImageRecord['layers'][number]

/**
 * Pushes a tag, or all tags of a repository. Layers that the registry has are skipped, those it has in another repository are mounted, plain ones (made
 * here) are compressed first and recorded so, which the next push and `save` profit from.
 */
export async function pushImage(
  rooms: PushRooms,
  input: { reference: string; allTags?: boolean },
  auth: RegistryAuth | null,
  context: OperationContext,
): Promise<{ digest: Digest; sizeBytes: number }> {
  const parsed = parseReference(input.reference)
  if (parsed.digest !== null) throw new EngineError('invalid_argument', 'cannot push a digest reference; push a tag')
  context.progress({ status: `The push refers to repository [${canonicalName(parsed)}]` })
  if (!input.allTags) return pushOne(rooms, { ...parsed, tag: parsed.tag ?? 'latest' }, auth, context)
  if (parsed.tag !== null) throw new EngineError('invalid_argument', "tag can't be used with --all-tags/-a; give the repository alone")
  const tags = rooms.store
    .allReferences()
    .filter(({ reference }) => canonicalName(reference) === canonicalName(parsed) && reference.digest === null)
  let last: { digest: Digest; sizeBytes: number } | null = null
  for (const { reference } of tags) last = await pushOne(rooms, reference, auth, context)
  if (!last) throw new EngineError('not_found', `An image does not exist locally with the tag: ${familiarName(parsed)}`)
  return last
}

async function pushOne(
  rooms: PushRooms,
  reference: Reference,
  auth: RegistryAuth | null,
  context: OperationContext,
): Promise<{ digest: Digest; sizeBytes: number }> {
  const { store, content } = rooms
  const id = store.lookup(reference)
  const image = id ? store.get(id) : undefined
  if (!image)
    throw new EngineError(
      'not_found',
      `An image does not exist locally with the tag: ${familiarName(reference)}${reference.tag === 'latest' ? '' : `:${reference.tag}`}`,
    )
  const repository = rooms.registry.origin(reference, auth)
  const lease = content.lease()
  try {
    for (const layer of image.layers) lease.hold(layer.digest)
    lease.hold(image.manifest.digest)
    lease.hold(image.id)
    const layers = new Map<Digest, Layer>()
    for (const layer of image.layers) context.progress({ id: shortId(layer.diffId), status: 'Preparing' })
    const unique = [...new Map(image.layers.map((layer) => [layer.digest, layer])).values()]
    await eachLimited(unique, parallelLayers, async (layer) => {
      layers.set(layer.digest, await pushLayer(rooms, layer, reference, repository, lease, context))
    })
    const travelling = image.layers.map((layer) => layers.get(layer.digest) as Layer)
    const packed = await recordPacked(rooms, image, travelling)
    const config = { digest: image.id, sizeBytes: image.configBytes, open: () => content.stream(image.id) }
    await repository.push(config, { signal: context.signal })
    const manifest = await content.read(packed.manifest.digest)
    const digest = await repository.putManifest(reference.tag as string, manifest, packed.manifest.mediaType, context.signal)
    await store.point({ ...reference, tag: null, digest }, image.id)
    context.progress({ status: `${reference.tag}: digest: ${digest} size: ${manifest.length}` })
    context.progress({ aux: { Tag: reference.tag, Digest: digest, Size: manifest.length } })
    return { digest, sizeBytes: manifest.length }
  } finally {
    lease.release()
  }
}

/** @returns the layer as it travelled: compressed, where it is kept plain */
async function pushLayer(
  rooms: PushRooms,
  layer: Layer,
  reference: Reference,
  repository: Repository,
  lease: Lease,
  context: OperationContext,
): Promise<Layer> {
  const progress = new PartProgress(context, shortId(layer.diffId))
  if (isPlainLayer(layer.mediaType)) progress.show('Compressing')
  const packed = isPlainLayer(layer.mediaType) ? await compress(rooms, layer, lease, context.signal) : layer
  const blob = {
    digest: packed.digest,
    sizeBytes: packed.sizeBytes,
    open: () => rooms.content.stream(packed.digest),
    mountFrom: repositoryWith(rooms.store, packed.digest, reference),
  }
  const how = await repository.push(blob, { signal: context.signal, sent: (bytes) => progress.show('Pushing', bytes, packed.sizeBytes) })
  progress.show(
    { uploaded: 'Pushed', mounted: `Mounted from ${blob.mountFrom?.replace(/^library\//, '')}`, exists: 'Layer already exists' }[how],
  )
  return packed
}

/** Another repository of the same registry that was pulled from or pushed to with this layer. */
function repositoryWith(store: ImageStore, digest: Digest, target: Reference): string | undefined {
  const owners = new Set(
    store
      .images()
      .filter((image) => image.layers.some((layer) => layer.digest === digest))
      .map((image) => image.id),
  )
  return store
    .allReferences()
    .find(
      ({ reference, imageId }) =>
        reference.digest !== null && reference.domain === target.domain && reference.path !== target.path && owners.has(imageId),
    )?.reference.path
}

/** Compresses a plain layer by the native program: its compressor is several times faster than Node's. */
async function compress(rooms: PushRooms, layer: Layer, lease: Lease, signal: AbortSignal): Promise<Layer> {
  const draft = await rooms.content.draft()
  try {
    const source = await open(rooms.content.path(layer.digest), 'r')
    const target = await open(draft.path, 'wx', 0o600)
    const options = { stdin: { fd: source.fd }, stdout: { fd: target.fd }, answerFd: true, signal }
    const { answer } = await runProgram(rooms.program, ['compress', '--compress', 'gzip'], options).finally(() =>
      Promise.all([source.close(), target.close()]),
    )
    const { digest, diffId } = compressAnswer.parse(JSON.parse(answer))
    if (diffId !== layer.digest)
      throw new EngineError('data_loss', `content ${layer.digest} was changed on the disk; make or load the image again`)
    lease.hold(digest)
    const { sizeBytes } = await draft.commit(digest)
    return { ...layer, digest, sizeBytes, mediaType: mediaTypes.ociLayerGzip }
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** An image whose layers were compressed gets a manifest that says so; its plain blobs are then nobody's. */
async function recordPacked(rooms: PushRooms, image: ImageRecord, layers: Layer[]): Promise<ImageRecord> {
  if (layers.every((layer, at) => layer.digest === image.layers[at]?.digest) && rooms.content.has(image.manifest.digest)) return image
  const bytes = buildManifest(
    { digest: image.id, size: image.configBytes },
    layers.map((layer) => ({ mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes })),
  )
  const { digest, sizeBytes } = await rooms.content.put(bytes)
  const current = rooms.store.get(image.id)
  if (!current) throw noSuchImage(familiar({ domain: '', path: image.id, tag: null, digest: null }))
  const packed = { ...current, layers, manifest: { digest, sizeBytes, mediaType: mediaTypes.ociManifest } }
  await rooms.store.put(packed)
  return packed
}
