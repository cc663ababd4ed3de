import type { ImageConfig, Platform } from '@berth/contract/image'
import type { ContentStore, Lease } from '../content/content-store.ts'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { buildImageConfig, type ImageDocument } from '../oci/image-config.ts'
import { buildManifest, imageLimits, mediaTypes } from '../oci/manifest.ts'
import { parseTagged } from '../oci/reference.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { chainsOf, type ImageRecord, type ImageStore } from './image-store.ts'
import type { NewImage } from './images.ts'

export interface WriteRooms {
  store: ImageStore
  content: ContentStore
  snapshots: Pick<Snapshots, 'has' | 'referred'>
}

/** Makes an image of a parent and new layers, which must be in the content store and committed. The same input and times give the same id. */
export async function createImage(rooms: WriteRooms, image: NewImage, reference: string): Promise<{ id: Digest }> {
  const { store } = rooms
  const name = reference ? parseTagged(reference) : null
  const parent = image.parent === null ? null : store.get(image.parent)
  if (parent === undefined) throw new EngineError('not_found', `No such image: ${image.parent}`)
  const layers = [...(parent?.layers ?? []), ...image.layers]
  if (layers.length > imageLimits.layers)
    throw new EngineError(
      'failed_precondition',
      `max depth exceeded: the image would have more than ${imageLimits.layers} layers; squash it or start from another base`,
    )
  const now = new Date().toISOString()
  const document = documentOf(
    image,
    parent ?? null,
    layers.map((layer) => layer.diffId),
    now,
  )
  const lease = rooms.content.lease()
  try {
    const record = await writeDocuments(rooms, document, layers, parent?.id ?? null, lease)
    const top = chainsOf(record).at(-1)
    if (top && !rooms.snapshots.has(top)) throw new EngineError('failed_precondition', `the layers of the new image are not here: ${top}`)
    if (!store.get(record.id)) await store.put(record)
    for (const layer of image.layers) rooms.snapshots.referred(layer.digest)
    if (name) await store.point(name, record.id)
    return { id: record.id }
  } finally {
    lease.release()
  }
}

/** Stores configuration and manifest; answers the record, which the caller writes. */
export async function writeDocuments(
  rooms: { content: ContentStore },
  document: ImageDocument,
  layers: ImageRecord['layers'],
  parentId: Digest | null,
  lease: Lease,
): Promise<ImageRecord> {
  const configBytes = buildImageConfig(document)
  const id = digestOf(configBytes)
  const manifestBytes = buildManifest(
    { digest: id, size: configBytes.length },
    layers.map(({ mediaType, digest, sizeBytes }) => ({ mediaType, digest, size: sizeBytes })),
  )
  for (const digest of [id, digestOf(manifestBytes), ...layers.flatMap((layer) => [layer.digest, layer.diffId])]) lease.hold(digest)
  for (const { digest } of layers)
    if (!rooms.content.has(digest)) throw new EngineError('failed_precondition', `content ${digest} of the new image is not here`)
  await rooms.content.put(configBytes)
  const manifest = await rooms.content.put(manifestBytes)
  return {
    id,
    manifest: { ...manifest, mediaType: mediaTypes.ociManifest },
    configBytes: configBytes.length,
    layers,
    parentId,

    document,
  }
}

function documentOf(image: NewImage, parent: ImageRecord | null, diffIds: Digest[], now: string): ImageDocument {
  const history = image.history.map((entry) => ({
    createdAt: entry.createdAt ?? now,
    createdBy: entry.createdBy,
    author: entry.author ?? '',
    comment: entry.comment ?? '',
    emptyLayer: entry.emptyLayer,
  }))
  return {
    createdAt: history.at(-1)?.createdAt ?? now,
    author: image.author ?? parent?.document.author ?? '',
    comment: image.comment ?? '',
    platform: image.platform satisfies Platform,
    config: image.config satisfies ImageConfig,
    diffIds,
    ...(image.madeBy ? { madeBy: image.madeBy } : {}),
    history: [...(parent?.document.history ?? []), ...history],
  }
}
