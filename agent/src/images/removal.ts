/**
 * What `rmi` does, as Docker does it: a name takes off that name, an id takes off every name within one repository, the last name takes the image, its
 * untagged parents and the layers that nobody else has. Conflicts are found before anything is changed.
 */
import type { RemovedImage } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import { type Digest, shortId } from '../oci/digest.ts'
import { canonical, canonicalName, familiar, type Reference } from '../oci/reference.ts'
import { chainsOf, type ImageRecord, type ImageStore } from './image-store.ts'

export interface ImageUser {
  imageId: string
  containerId: string
  running: boolean
}

export interface RemovalRooms {
  store: ImageStore
  users: () => Iterable<ImageUser>
  /** Stacks below active snapshots and whatever else keeps layers of a removed image. */
  keepsLayer: (chainId: Digest) => boolean
  untagged: (image: ImageRecord, reference: Reference) => void
  deleted: (image: ImageRecord) => void
}

type Hardness = 'cannot be forced' | 'must be forced'

/** Removes by name or id. Layers and blobs are collected by the caller. @throws not_found, failed_precondition with Docker's sentences */
export async function removeImage(rooms: RemovalRooms, text: string, options: { force: boolean; prune: boolean }): Promise<RemovedImage[]> {
  const { store } = rooms
  const { image, reference } = store.resolve(text)
  const lines: RemovedImage[] = []
  const references = store.references(image.id)
  let quiet = false
  if (reference) {
    const user = firstUser(rooms, image.id)
    if (!options.force && isSingle(references) && user) {
      throw conflict(
        `unable to remove repository reference "${text}" (must force) - container ${shortId(user.containerId)} is using its referenced image ${shortId(image.id)}`,
      )
    }
    await untag(rooms, image, reference, lines)
    await untagOrphanDigests(rooms, image, reference, lines)
    if (store.references(image.id).length > 0) return lines
    quiet = true
  } else {
    const problem = findConflict(rooms, image, { force: options.force, references: references.length > 0 && !isSingle(references) })
    if (problem) throw problem.error
    for (const name of tagsFirst(references)) await untag(rooms, image, name, lines)
  }
  await deleteImage(rooms, image, lines, { ...options, quiet })
  return lines
}

/** At most one tag, and all within one repository. */
function isSingle(references: readonly Reference[]): boolean {
  const tags = references.filter((reference) => reference.tag !== null)
  return references.length <= 1 || (tags.length <= 1 && new Set(references.map(canonicalName)).size === 1)
}

function firstUser(rooms: RemovalRooms, id: Digest, running?: boolean): ImageUser | undefined {
  return [...rooms.users()].find((user) => user.imageId === id && (running === undefined || user.running === running))
}

function findConflict(
  rooms: RemovalRooms,
  image: ImageRecord,
  look: { force: boolean; references: boolean },
): { error: EngineError; used: boolean } | null {
  const say = (hardness: Hardness, reason: string, used: boolean) => ({
    error: conflict(`unable to delete ${shortId(image.id)} (${hardness}) - ${reason}`),
    used,
  })
  if (rooms.store.children(image.id).length > 0) return say('cannot be forced', 'image has dependent child images', false)
  const running = firstUser(rooms, image.id, true)
  if (running) return say('cannot be forced', `image is being used by running container ${shortId(running.containerId)}`, true)
  if (look.force) return null
  if (look.references) return say('must be forced', 'image is referenced in multiple repositories', false)
  const stopped = firstUser(rooms, image.id, false)
  return stopped ? say('must be forced', `image is being used by stopped container ${shortId(stopped.containerId)}`, true) : null
}

async function untag(rooms: RemovalRooms, image: ImageRecord, reference: Reference, lines: RemovedImage[]): Promise<void> {
  const name = reference.digest === null ? reference : { ...reference, tag: null }
  await rooms.store.unpoint(name)
  lines.push({ untagged: familiar(name) })
  rooms.untagged(image, name)
}

/** When the last tag of a repository goes, its digests go with it. */
async function untagOrphanDigests(rooms: RemovalRooms, image: ImageRecord, removed: Reference, lines: RemovedImage[]): Promise<void> {
  if (removed.digest !== null) return
  const sameRepository = rooms.store.references(image.id).filter((reference) => canonicalName(reference) === canonicalName(removed))
  if (sameRepository.some((reference) => reference.tag !== null)) return
  for (const reference of sameRepository) await untag(rooms, image, reference, lines)
}

/** The record and its lines; quiet: an image that is still needed stays, without an error. */
async function deleteImage(
  rooms: RemovalRooms,
  image: ImageRecord,
  lines: RemovedImage[],
  options: { force: boolean; prune: boolean; quiet: boolean },
): Promise<void> {
  const { store } = rooms
  const left = store.references(image.id)
  const problem = findConflict(rooms, image, { force: options.force, references: left.length > 1 })
  if (problem) {
    if (options.quiet && (problem.used || left.length > 0 || store.children(image.id).length > 0)) return
    throw problem.error
  }
  for (const reference of tagsFirst(left)) await untag(rooms, image, reference, lines)
  const stacks = chainsOf(image).reverse()
  await store.remove(image.id)
  rooms.deleted(image)
  lines.push({ deleted: image.id })
  const needed = new Set(store.images().flatMap(chainsOf))
  for (const chainId of stacks) if (!needed.has(chainId) && !rooms.keepsLayer(chainId)) lines.push({ deleted: chainId })
  const parent = options.prune && image.parentId ? store.get(image.parentId) : undefined
  if (parent && store.references(parent.id).length === 0)
    await deleteImage(rooms, parent, lines, { force: false, prune: true, quiet: true })
}

/** The order in which they are reported. */
function tagsFirst(references: readonly Reference[]): Reference[] {
  return [...references].sort((a, b) => Number(a.tag === null) - Number(b.tag === null))
}

function conflict(text: string): EngineError {
  return new EngineError('failed_precondition', `conflict: ${text}`)
}

/** The names of an image that a reference list shows: tags and digests apart. */
export function namesOf(references: readonly Reference[]): { tags: string[]; digests: string[] } {
  const tags = references.filter((reference) => reference.digest === null).map(familiar)
  const digests = references.filter((reference) => reference.digest !== null).map(familiar)
  return { tags: [...new Set(tags)].sort(), digests: [...new Set(digests)].sort() }
}

export function sameReference(a: Reference, b: Reference): boolean {
  return canonical(a) === canonical(b)
}
