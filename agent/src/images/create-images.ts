import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { RegistryAuth } from '@berth/contract/registry'
import type { ContentStore } from '../content/content-store.ts'
import { namesIn } from '../disk/files.ts'
import { EngineError, messageOf } from '../errors.ts'
import type { Events } from '../events/events.ts'
import type { Logger } from '../log.ts'
import { runProgram } from '../native/programs.ts'
import { type Digest, hexOf } from '../oci/digest.ts'
import { familiar, familiarName, parseReference, parseTagged, type Reference } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/registry-client.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { LayerFetcher } from './fetch-layer.ts'
import { chainsOf, type ImageRecord, type ImageStore, openImageStore } from './image-store.ts'
import type { Images } from './images.ts'
import { importImage } from './import.ts'
import { detail, historyOf, type ListingRooms, listImages } from './listing.ts'
import { loadImages } from './load.ts'
import { planPrune, rootsOf } from './prune.ts'
import { pullImage } from './pull.ts'
import { pushImage } from './push.ts'
import { describeRemote, searchImages } from './questions.ts'
import { type ImageUser, removeImage } from './removal.ts'
import { saveImages } from './save.ts'
import { createImage } from './write-image.ts'

export interface ImagesOptions {
  dataRoot: string
  nativeDir: string
  content: ContentStore
  snapshots: Snapshots
  registry: RegistryClient
  events: Events
  /** Credentials that were stored for a registry's domain. */
  credentials: (domain: string) => RegistryAuth | null
  /** The collector; this room adds its roots to it. */
  gc: {
    addRoots(roots: () => { digests: Iterable<string>; chainIds: Iterable<string> }): void
    collect(): Promise<{ reclaimedBytes: number }>
  }
  log?: Logger
}

/** Opens the images below `dataRoot`/images, makes good what a power cut took of their layers, and removes what interrupted loads left. */
export async function createImages(options: ImagesOptions): Promise<Images> {
  const { content, snapshots, registry, events, gc, log } = options
  const program = join(options.nativeDir, 'berth-unpack')
  const workDir = join(options.dataRoot, 'images', 'work')
  const store = await openImageStore(options)
  let users: () => Iterable<ImageUser> = () => []
  const listing: ListingRooms = { store, snapshots, users: () => users() }
  const layers = new LayerFetcher(content, snapshots)
  gc.addRoots(() => rootsOf(store))
  for (const name of await namesIn(workDir)) await runProgram(program, ['delete-tree', '--dir', join(workDir, name)])
  await repair(store, content, snapshots, log)

  const authFor = (reference: Pick<Reference, 'domain'>, given?: RegistryAuth): RegistryAuth | null =>
    given && (given.username || given.identityToken) ? given : options.credentials(reference.domain)
  /** The image's labels travel with the event, so that one can filter by them. */
  const tell = (action: string, actorId: string, attributes: Record<string, string> = {}) => {
    const labels = store.images().find(({ id }) => id === actorId)?.document.config.labels
    void events.publish({ type: 'image', action, actorId, attributes: { ...labels, ...attributes } })
  }
  const collect = () =>
    gc
      .collect()
      .catch((error) => log?.error({ reason: messageOf(error) }, 'unneeded image data could not be removed; the next removal tries again'))
  const removal = {
    store,
    users: () => users(),
    keepsLayer: (chainId: Digest) => content.isHeld(chainId) || snapshots.isBelowActive(chainId),
    untagged: (image: ImageRecord, reference: Reference) => tell('untag', image.id, { name: familiar(reference) }),
    deleted: (image: ImageRecord) => tell('delete', image.id, { name: image.id }),
  }

  return {
    resolve(text) {
      const { image, reference } = store.resolve(text)
      return {
        id: image.id,
        reference: reference ? familiar(reference) : '',
        config: image.document.config,
        platform: image.document.platform,
        chainId: chainsOf(image).at(-1) ?? null,
      }
    },
    descendants(id) {
      const found = new Set<string>()
      const visit = (image: Digest) => {
        found.add(image)
        for (const child of store.children(image)) if (!found.has(child.id)) visit(child.id)
      }
      visit(id as Digest)
      return found
    },
    list: async (query) => listImages(listing, query),
    inspect: async (text) => detail(listing, store.resolve(text).image),
    history: async (text) => historyOf(listing, store.resolve(text).image),
    async pull({ auth, ...input }, context) {
      const reference = parseReference(input.reference)
      const pulled = await pullImage({ store, content, snapshots, registry, layers }, input, authFor(reference, auth), context)
      tell('pull', pulled.reference, { name: familiarName(reference) })
      return pulled
    },
    async push({ auth, ...input }, context) {
      const reference = parseReference(input.reference)
      const pushed = await pushImage({ store, content, registry, program }, input, authFor(reference, auth), context)
      tell('push', familiar(reference), { name: familiarName(reference) })
      return pushed
    },
    async tag(source, target) {
      const { image } = store.resolve(source)
      const reference = parseTagged(target)
      if (reference.digest !== null) throw new EngineError('invalid_argument', 'refusing to create a tag with a digest reference')
      if (/^sha(256|384|512)$/.test(familiarName(reference)))
        throw new EngineError('invalid_argument', 'refusing to create an ambiguous tag using digest algorithm as name')
      await store.point(reference, image.id)
      tell('tag', image.id, { name: familiar(reference) })
    },
    async remove(text, how) {
      const lines = await removeImage(removal, text, how)
      if (lines.some((line) => 'deleted' in line)) await collect()
      return lines
    },
    async save(names, signal) {
      const archive = await saveImages({ store, content }, names, signal)
      // A name without a tag saves every tag of it: the event is told of the image that one of them means.
      for (const name of names) {
        const image = store
          .images()
          .find(({ id }) => id === name || store.references(id).some((one) => [familiar(one), familiarName(one)].includes(name)))
        if (image) tell('save', image.id, { name })
      }
      return archive
    },
    async load(archive, context, platform) {
      const loaded = await loadImages({ store, content, snapshots, workDir, program }, archive as Readable, context, platform)
      for (const [at, id] of loaded.ids.entries()) tell('load', id, { name: loaded.references[at] ?? id })
      return loaded
    },
    async import(archive, input, context) {
      const made = await importImage({ store, content, snapshots, program }, archive as Readable, input, context)
      if (input.reference) tell('tag', made.id, { name: familiar(parseTagged(input.reference)) })
      tell('import', made.id, { name: input.reference || made.id })
      return made
    },
    async create(image, reference) {
      const made = await createImage({ store, content, snapshots }, image, reference)
      if (reference) tell('tag', made.id, { name: familiar(parseTagged(reference)) })
      return made
    },
    async prune(how) {
      const { images, removed, reclaimedBytes } = planPrune({ ...listing, content }, how)
      if (!how.dryRun) {
        for (const image of images) {
          for (const reference of store.references(image.id)) {
            await store.unpoint(reference)
            removal.untagged(image, reference)
          }
          await store.remove(image.id)
          removal.deleted(image)
        }
        await collect()
        tell('prune', '', { reclaimed: String(reclaimedBytes) })
      }
      return { removed, reclaimedBytes, dryRun: how.dryRun }
    },
    search: (term, limit) => searchImages(registry, term, limit, (domain) => options.credentials(domain)),
    remoteDescriptor: (text, auth) => describeRemote(registry, text, authFor(parseReference(text), auth)),
    setUsers(source) {
      users = source
    },
  }
}

/** Layers that a power cut hollowed out are unpacked again from their blobs. An image that cannot be mended stays listed and says so when it is used. */
async function repair(store: ImageStore, content: ContentStore, snapshots: Snapshots, log?: Logger): Promise<void> {
  for (const image of store.images()) {
    const chains = chainsOf(image)
    const top = chains.at(-1)
    if (!top || snapshots.has(top)) continue
    try {
      for (const [at, layer] of image.layers.entries()) {
        if (!content.has(layer.digest)) throw new EngineError('data_loss', `content ${layer.digest} is missing`)
        const place = {
          parent: chains[at - 1] ?? null,
          chainId: chains[at] as Digest,
          diffId: layer.diffId,
          blobPath: content.path(layer.digest),
        }
        await snapshots.unpack(place, {})
      }
      log?.info({ image: hexOf(image.id) }, 'the layers of an image were unpacked again')
    } catch (error) {
      log?.error({ image: hexOf(image.id), reason: messageOf(error) }, 'an image is damaged; pull or load it again')
    }
  }
}
