/**
 * What images there are: one record per image (named by its id, the digest of its configuration) and one per reference (`name:tag` or `name@digest` → id).
 * The record repeats what the engine asks often (configuration, layers), so that answering reads no blob.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { imageConfig, platform } from '@berth/contract/image'
import * as z from 'zod'
import { openRecords } from '../disk/records.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { chainIds, type Digest, hexOf, isDigest } from '../oci/digest.ts'
import { canonical, familiar, parseReference, parseTagged, type Reference } from '../oci/reference.ts'

const digest = z.string().refine(isDigest)
const imageRecord = z.object({
  id: digest,
  manifest: z.object({ digest, mediaType: z.string(), sizeBytes: z.number() }),
  configBytes: z.number(),
  layers: z.array(z.object({ digest, mediaType: z.string(), sizeBytes: z.number(), diffId: digest })),
  parentId: digest.nullable(),
  document: z.object({
    createdAt: z.string().nullable(),
    author: z.string(),
    comment: z.string(),
    platform,
    config: imageConfig,
    diffIds: z.array(digest),
    madeBy: z.array(z.string()).optional(),
    history: z.array(
      z.object({
        createdAt: z.string().nullable(),
        createdBy: z.string(),
        author: z.string(),
        comment: z.string(),
        emptyLayer: z.boolean(),
      }),
    ),
  }),
})
export type ImageRecord = z.infer<typeof imageRecord>

const referenceRecord = z.object({ reference: z.string(), imageId: digest, at: z.string() })

export interface ImageStore {
  images(): ImageRecord[]
  get(id: Digest): ImageRecord | undefined
  /** @throws not_found `No such image: X`, invalid_argument (malformed, ambiguous prefix) */
  resolve(text: string): { image: ImageRecord; reference: Reference | null }
  /** Tags and digests of an image, in the order they were given. */
  references(id: Digest): Reference[]
  /** When it last got a tag that it still has; null for an image without tags. */
  lastTaggedAt(id: Digest): string | null
  allReferences(): { reference: Reference; imageId: Digest }[]
  lookup(reference: Reference): Digest | null
  children(id: Digest): ImageRecord[]
  put(image: ImageRecord): Promise<void>
  /** Points a reference at an image; the one it pointed at before loses it. */
  point(reference: Reference, id: Digest): Promise<void>
  unpoint(reference: Reference): Promise<void>
  /** Forgets the record. Its references must be gone. */
  remove(id: Digest): Promise<void>
}

/** Stacks of an image, lowest first. */
export function chainsOf(image: ImageRecord): Digest[] {
  return chainIds(image.layers.map((layer) => layer.diffId))
}

export async function openImageStore(options: { dataRoot: string; log?: Logger }): Promise<ImageStore> {
  const root = join(options.dataRoot, 'images')
  const images = await openRecords(join(root, 'images'), { parse: (value) => imageRecord.parse(value), log: options.log })
  const pointers = await openRecords(join(root, 'references'), { parse: (value) => referenceRecord.parse(value), log: options.log })
  // In memory by their text: it is asked for at every run, and by image for every list.
  const byText = new Map<string, { reference: Reference; imageId: Digest; at: string }>()
  for (const pointer of pointers.values().sort((a, b) => a.at.localeCompare(b.at))) {
    if (images.has(hexOf(pointer.imageId))) byText.set(pointer.reference, { ...pointer, reference: parseReference(pointer.reference) })
    else await pointers.remove(keyOf(pointer.reference)) // its image's removal was interrupted after the record went
  }
  const lookup = (reference: Reference): Digest | null => byText.get(canonical(stored(reference)))?.imageId ?? null
  const get = (id: Digest) => images.get(hexOf(id))

  return {
    images: () => images.values(),
    get,
    lookup,
    resolve(text) {
      const whole = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text)
      if (whole) {
        const image = images.get(whole[1] as string)
        if (image) return { image, reference: null }
        throw noSuchImage(text)
      }
      let parsed: Reference | null = null
      let failure: unknown = null
      try {
        parsed = parseTagged(text)
      } catch (error) {
        failure = error
      }
      const id = parsed ? lookup(parsed) : null
      const byName = id ? get(id) : undefined
      if (byName) return { image: byName, reference: parsed }
      const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1]
      const matches = prefix ? images.values().filter((image) => hexOf(image.id).startsWith(prefix)) : []
      if (matches.length > 1)
        throw new EngineError(
          'invalid_argument',
          `image id prefix "${text}" is ambiguous: ${matches.length} images begin with it; give more characters`,
        )
      if (matches[0]) return { image: matches[0], reference: null }
      if (!parsed) throw failure
      throw noSuchImage(familiar(parsed))
    },
    references: (id) => [...byText.values()].filter((pointer) => pointer.imageId === id).map((pointer) => pointer.reference),
    lastTaggedAt: (id) => {
      const times = [...byText.values()]
        .filter((pointer) => pointer.imageId === id && pointer.reference.tag !== null)
        .map((pointer) => pointer.at)
      return times.sort().at(-1) ?? null
    },
    allReferences: () => [...byText.values()],
    children: (id) => images.values().filter((image) => image.parentId === id),
    put: (image) => images.put(hexOf(image.id), image),
    async point(reference, id) {
      const name = stored(reference)
      const text = canonical(name)
      const at = new Date().toISOString()
      await pointers.put(keyOf(text), { reference: text, imageId: id, at })
      byText.delete(text)
      byText.set(text, { reference: name, imageId: id, at })
    },
    async unpoint(reference) {
      const text = canonical(stored(reference))
      await pointers.remove(keyOf(text))
      byText.delete(text)
    },
    remove: (id) => images.remove(hexOf(id)),
  }
}

/** A reference with a digest is stored without its tag: the digest says more. */
function stored(reference: Reference): Reference {
  return reference.digest === null ? reference : { ...reference, tag: null }
}

/** References contain separators and grow long; their hash names the file. */
function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function noSuchImage(text: string): EngineError {
  return new EngineError('not_found', `No such image: ${text}`)
}
