import type { PruneResult } from '@berth/contract/image'
import type { ContentStore } from '../content/content-store.ts'
import type { Digest } from '../oci/digest.ts'
import { chainsOf, type ImageRecord, type ImageStore } from './image-store.ts'
import { hasLabel, type ListingRooms, timeOf, untilTime } from './listing.ts'
import { namesOf } from './removal.ts'

export interface PruneOptions {
  dangling: boolean
  until?: string
  labels: string[]
  notLabels: string[]
  dryRun: boolean
}

/** What a prune would remove, children before their parents, and what each gives back. Decides only. @throws invalid_argument (until) */
export function planPrune(
  rooms: ListingRooms & { content: Pick<ContentStore, 'size'> },
  options: PruneOptions,
): { images: ImageRecord[]; removed: PruneResult['removed']; reclaimedBytes: number } {
  const { store } = rooms
  const before = options.until === undefined ? Number.POSITIVE_INFINITY : untilTime(options.until)
  const used = new Set([...rooms.users()].map((user) => user.imageId))
  const gone = new Set<Digest>()
  const plan: ImageRecord[] = []
  const mayGo = (image: ImageRecord) => {
    const { labels } = image.document.config
    const tagged = store.references(image.id).some((reference) => reference.tag !== null)
    return (
      !gone.has(image.id) &&
      !used.has(image.id) &&
      !(options.dangling && tagged) &&
      timeOf(image) < before &&
      options.labels.every((filter) => hasLabel(labels, filter)) &&
      !options.notLabels.some((filter) => hasLabel(labels, filter)) &&
      store.children(image.id).every((child) => gone.has(child.id))
    )
  }
  // A parent may go once its children are on the list: repeat until nothing is added.
  for (let added = true; added; ) {
    added = false
    for (const image of store.images().filter(mayGo)) {
      gone.add(image.id)
      plan.push(image)
      added = true
    }
  }
  const { perImage, total } = reclaim(rooms, plan)
  const removed = plan.map((image) => ({
    id: image.id,
    name: namesOf(store.references(image.id)).tags[0] ?? '<none>',
    sizeBytes: perImage.get(image.id) ?? 0,
  }))
  return { images: plan, removed, reclaimedBytes: total }
}

/** Bytes of layers and blobs that only images of the list have; what several of the list share is counted with the last of them. */
function reclaim(
  rooms: ListingRooms & { content: Pick<ContentStore, 'size'> },
  plan: ImageRecord[],
): { perImage: Map<Digest, number>; total: number } {
  const going = new Set(plan.map((image) => image.id))
  const needed = new Set<Digest>()
  for (const image of rooms.store.images()) if (!going.has(image.id)) for (const part of partsOf(rooms, image).keys()) needed.add(part)
  const perImage = new Map<Digest, number>()
  let total = 0
  for (const image of [...plan].reverse()) {
    let own = 0
    for (const [part, bytes] of partsOf(rooms, image)) {
      if (needed.has(part)) continue
      needed.add(part)
      own += bytes
    }
    perImage.set(image.id, own)
    total += own
  }
  return { perImage, total }
}

/** Everything an image keeps on the disk: unpacked layers (by diffId) and blobs (by digest). A plain layer is both, under one name. */
function partsOf(rooms: ListingRooms & { content: Pick<ContentStore, 'size'> }, image: ImageRecord): Map<string, number> {
  const parts = new Map<string, number>()
  for (const [at, chainId] of chainsOf(image).entries()) parts.set(`layer ${image.layers[at]?.diffId}`, rooms.snapshots.layerBytes(chainId))
  for (const digest of [image.id, image.manifest.digest, ...image.layers.map((layer) => layer.digest)])
    parts.set(digest, rooms.content.size(digest) ?? 0)
  return parts
}

/** Blobs and stacks that images need; a prune or removal keeps these. */
export function rootsOf(store: ImageStore): { digests: Set<Digest>; chainIds: Set<Digest> } {
  const digests = new Set<Digest>()
  const chains = new Set<Digest>()
  for (const image of store.images()) {
    for (const digest of [image.id, image.manifest.digest, ...image.layers.map((layer) => layer.digest)]) digests.add(digest)
    for (const chainId of chainsOf(image)) chains.add(chainId)
  }
  for (const { reference } of store.allReferences()) if (reference.digest !== null) digests.add(reference.digest)
  return { digests, chainIds: chains }
}
