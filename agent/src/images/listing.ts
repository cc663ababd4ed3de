import type { ImageDetail, ImageHistoryEntry, ImageSummary } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { familiar, familiarName, parseReference, type Reference } from '../oci/reference.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { globMatcher } from './glob.ts'
import { chainsOf, type ImageRecord, type ImageStore } from './image-store.ts'
import { type ImageUser, namesOf } from './removal.ts'

export interface ListingRooms {
  store: ImageStore
  snapshots: Pick<Snapshots, 'layerBytes'>
  users: () => Iterable<ImageUser>
}

/** Bytes of an image's unpacked layers, a layer that occurs twice counted once. */
export function sizeOf(rooms: ListingRooms, image: ImageRecord): number {
  return [...bytesByLayer(rooms, image).values()].reduce((sum, bytes) => sum + bytes, 0)
}

function bytesByLayer(rooms: ListingRooms, image: ImageRecord): Map<Digest, number> {
  return new Map(chainsOf(image).map((chainId, at) => [image.layers[at]?.diffId as Digest, rooms.snapshots.layerBytes(chainId)]))
}

export function summarize(
  rooms: ListingRooms,
  image: ImageRecord,
  extra: { containers?: number; uniqueSizeBytes?: number } = {},
): ImageSummary {
  return {
    id: image.id,
    ...namesOf(rooms.store.references(image.id)),
    createdAt: image.document.createdAt,
    sizeBytes: sizeOf(rooms, image),
    uniqueSizeBytes: extra.uniqueSizeBytes ?? null,
    labels: image.document.config.labels,
    platform: image.document.platform,
    containers: extra.containers ?? [...rooms.users()].filter((user) => user.imageId === image.id).length,
    parentId: image.parentId,
  }
}

export function listImages(
  rooms: ListingRooms,
  options: { all?: boolean; filters?: Record<string, string[]>; withUnique?: boolean },
): ImageSummary[] {
  const { store } = rooms
  const matches = compileFilters(rooms, options.filters ?? {})
  const references = new Map<Digest, Reference[]>()
  for (const { reference, imageId } of store.allReferences()) references.set(imageId, [...(references.get(imageId) ?? []), reference])
  const parents = new Set(store.images().map((image) => image.parentId))
  const shown = store.images().filter((image) => {
    const names = references.get(image.id) ?? []
    const intermediate = names.length === 0 && parents.has(image.id)
    return (options.all || !intermediate) && matches(image, names)
  })
  const counts = new Map<string, number>()
  for (const user of rooms.users()) counts.set(user.imageId, (counts.get(user.imageId) ?? 0) + 1)
  const owners = options.withUnique ? layerOwners(store) : null
  const list = shown.map((image) => {
    const unique = owners
      ? [...bytesByLayer(rooms, image)].reduce((sum, [diffId, bytes]) => sum + (owners.get(diffId) === 1 ? bytes : 0), 0)
      : undefined
    return summarize(rooms, image, { containers: counts.get(image.id) ?? 0, uniqueSizeBytes: unique })
  })
  const patterns = options.filters?.reference
  if (patterns?.length) for (const entry of list) keepMatchingNames(entry, patterns)
  return list.sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))
}

/** In how many images each layer is. */
function layerOwners(store: ImageStore): Map<Digest, number> {
  const owners = new Map<Digest, number>()
  for (const image of store.images()) {
    for (const diffId of new Set(image.layers.map((layer) => layer.diffId))) owners.set(diffId, (owners.get(diffId) ?? 0) + 1)
  }
  return owners
}

type Matches = (image: ImageRecord, names: readonly Reference[]) => boolean

function compileFilters(rooms: ListingRooms, filters: Record<string, string[]>): Matches {
  const tests = Object.entries(filters).map(([name, values]): Matches => {
    if (values.length === 0) return () => true
    switch (name) {
      case 'dangling': {
        const wanted = values.map(parseFlag)
        return (image, names) =>
          wanted.includes(!names.some((reference) => reference.tag !== null) && rooms.store.children(image.id).length === 0)
      }
      case 'label':
        return (image) => values.every((value) => hasLabel(image.document.config.labels, value))
      case 'before':
      case 'since': {
        const at = timeOf(rooms.store.resolve(values[0] as string).image)
        return (image) => (name === 'before' ? timeOf(image) < at : timeOf(image) > at)
      }
      case 'until': {
        const at = untilTime(values[0] as string)
        return (image) => timeOf(image) < at
      }
      case 'reference':
        return (_image, names) => names.some((reference) => values.some((pattern) => matchesPattern(pattern, reference)))
      default:
        throw new EngineError('invalid_argument', `Invalid filter '${name}'`)
    }
  })
  return (image, names) => tests.every((test) => test(image, names))
}

function keepMatchingNames(entry: ImageSummary, patterns: string[]): void {
  const keep = (name: string) => patterns.some((pattern) => matchesPattern(pattern, parseReference(name)))
  entry.tags = entry.tags.filter(keep)
  entry.digests = entry.digests.filter(keep)
}

/** A pattern over the familiar name, with and without its tag. */
export function matchesPattern(pattern: string, reference: Reference): boolean {
  const matches = globMatcher(pattern)
  return matches(familiar(reference)) || matches(familiarName(reference))
}

export function hasLabel(labels: Record<string, string>, filter: string): boolean {
  const equals = filter.indexOf('=')
  return equals < 0 ? filter in labels : labels[filter.slice(0, equals)] === filter.slice(equals + 1)
}

export function timeOf(image: ImageRecord): number {
  return image.document.createdAt ? Date.parse(image.document.createdAt) : 0
}

/** Milliseconds of an `until`: a time, seconds since 1970, or how long ago in Go's words (`24h`, `1h30m`). @throws invalid_argument */
export function untilTime(text: string, now = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    return (
      now -
      [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number), 0)
    )
  }
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw new EngineError(
      'invalid_argument',
      `"${text.slice(0, 64)}" is not a time; use a date, seconds since 1970 or a duration such as 24h`,
    )
  return at
}

function parseFlag(text: string): boolean {
  if (['true', '1', 't', 'TRUE', 'True'].includes(text)) return true
  if (['false', '0', 'f', 'FALSE', 'False'].includes(text)) return false
  throw new EngineError('invalid_argument', `Invalid filter 'dangling=${text.slice(0, 32)}'; use true or false`)
}

export function detail(rooms: ListingRooms, image: ImageRecord): ImageDetail {
  const chains = chainsOf(image)
  return {
    ...summarize(rooms, image),
    config: image.document.config,
    author: image.document.author,
    comment: image.document.comment,
    madeBy: image.document.madeBy,
    layers: image.layers.map((layer, at) => ({
      diffId: layer.diffId,
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: rooms.snapshots.layerBytes(chains[at] as Digest),
    })),
    lastTaggedAt: rooms.store.lastTaggedAt(image.id),
  }
}

/** Newest first. Ids are known of the image itself and of parents that were made here; the others are null. */
export function historyOf(rooms: ListingRooms, image: ImageRecord): ImageHistoryEntry[] {
  const { history } = image.document
  const chains = chainsOf(image)
  const owners = new Map<number, ImageRecord>([[history.length, image]])
  for (let at = image.parentId; at !== null; ) {
    const parent: ImageRecord | undefined = rooms.store.get(at)
    if (!parent) break
    if (!owners.has(parent.document.history.length)) owners.set(parent.document.history.length, parent)
    at = parent.parentId
  }
  let layer = 0
  const entries = history.map((entry, index): ImageHistoryEntry => {
    const owner = owners.get(index + 1)
    const chainId = entry.emptyLayer ? undefined : chains[layer++]
    return {
      id: owner?.id ?? null,
      createdAt: entry.createdAt,
      createdBy: entry.createdBy,
      sizeBytes: chainId ? rooms.snapshots.layerBytes(chainId) : 0,
      comment: entry.comment,
      tags: owner ? namesOf(rooms.store.references(owner.id)).tags : [],
      emptyLayer: entry.emptyLayer,
    }
  })
  return entries.reverse()
}
