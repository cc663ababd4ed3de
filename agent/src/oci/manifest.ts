/**
 * Manifests and indexes as registries and archives carry them: OCI image-spec 1.1 and Docker schema 2. Everything here is hostile: shapes, sizes and
 * counts are checked once, in these functions, and nothing behind them looks at raw JSON again.
 */
import type { Platform } from '@berth/contract/image'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { isDigest } from './digest.ts'
import { choosePlatform, formatPlatform } from './platform.ts'

export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** What to ask a registry for, the best first. */
export const acceptedManifests = [mediaTypes.ociIndex, mediaTypes.dockerList, mediaTypes.ociManifest, mediaTypes.dockerManifest]

/** Upper bounds; beyond them an image is refused, not truncated. The manifest's is the distribution-spec's. */
export const imageLimits = { manifestBytes: 4 * 1024 * 1024, configBytes: 8 * 1024 * 1024, layers: 500, indexEntries: 2000, indexDepth: 2 }

const layerTypes =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/

const platformSchema = z
  .object({ os: z.string().max(64), architecture: z.string().max(64), variant: z.string().max(64).nullish() })
  .transform(({ os, architecture, variant }): Platform => ({ os, architecture, ...(variant ? { variant } : {}) }))

export const descriptorSchema = z.object({
  mediaType: z.string().max(256),
  digest: z.string().refine(isDigest, 'is not a sha256 digest'),
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  platform: platformSchema.nullish().catch(null),
  annotations: z.record(z.string(), z.string()).nullish().catch(null),
})
export type Descriptor = z.infer<typeof descriptorSchema>

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(256).optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(imageLimits.layers, `has more than ${imageLimits.layers} layers`),
})
const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(256).optional(),
  manifests: z.array(descriptorSchema).max(imageLimits.indexEntries, `has more than ${imageLimits.indexEntries} entries`),
})

export interface Manifest {
  kind: 'manifest'
  mediaType: string
  config: Descriptor
  layers: Descriptor[]
}
export interface Index {
  kind: 'index'
  mediaType: string
  manifests: Descriptor[]
}

/**
 * Reads a manifest or an index.
 * @param mediaType what the registry or the descriptor said; the document's own word wins, and its shape must fit
 * @param what names the thing in errors
 * @throws invalid_argument
 */
export function parseManifest(bytes: Uint8Array, mediaType: string, what: string): Manifest | Index {
  if (bytes.length > imageLimits.manifestBytes) {
    throw new EngineError('invalid_argument', `the manifest of ${what} is larger than ${imageLimits.manifestBytes} bytes; it is refused`)
  }
  const document = parseJson(bytes, `the manifest of ${what}`) as Record<string, unknown>
  if (document.schemaVersion === 1 || 'fsLayers' in document) {
    throw new EngineError(
      'invalid_argument',
      `${what} is an image of Docker's schema 1, which is no longer supported; push it again with a newer tool`,
    )
  }
  const said = typeof document.mediaType === 'string' ? document.mediaType : (mediaType.split(';')[0]?.trim() ?? '')
  const isIndex = said === mediaTypes.ociIndex || said === mediaTypes.dockerList || (!isManifestType(said) && 'manifests' in document)
  if ((isIndex && ('config' in document || 'layers' in document)) || (!isIndex && 'manifests' in document)) {
    throw new EngineError('invalid_argument', `the manifest of ${what} is a manifest and an index at once; it is refused`)
  }
  if (isIndex) {
    const { manifests } = check(indexSchema, document, `the index of ${what}`)
    return { kind: 'index', mediaType: said || mediaTypes.ociIndex, manifests }
  }
  if (said && !isManifestType(said)) {
    throw new EngineError('invalid_argument', `${what} has media type "${said.slice(0, 100)}", which is not an image`)
  }
  const { config, layers } = check(manifestSchema, document, `the manifest of ${what}`)
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) {
    throw new EngineError('invalid_argument', `${what} holds "${config.mediaType.slice(0, 100)}", which is not a container image`)
  }
  for (const layer of layers) {
    if (!layerTypes.test(layer.mediaType)) {
      throw new EngineError('invalid_argument', `a layer of ${what} has the unknown media type "${layer.mediaType.slice(0, 100)}"`)
    }
  }
  return { kind: 'manifest', mediaType: said || mediaTypes.ociManifest, config, layers }
}

/**
 * The entry of an index for a platform. Attestations (`unknown/unknown`) are never chosen.
 * @throws not_found naming what there is
 */
export function chooseManifest(index: Index, wanted: Platform, what: string): Descriptor {
  const images = index.manifests.filter((entry) => entry.platform?.os !== 'unknown' && isImageOrIndex(entry.mediaType))
  const chosen = choosePlatform(
    images.map((entry) => ({ platform: entry.platform ?? null, value: entry })),
    wanted,
  )
  if (chosen) return chosen
  // An index of one image without a platform means that image (archives made by hand).
  const only = images.length === 1 && !images[0]?.platform ? images[0] : undefined
  if (only) return only
  const there = images.flatMap((entry) => (entry.platform ? [formatPlatform(entry.platform)] : []))
  throw new EngineError(
    'not_found',
    `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries of ${what}${there.length ? `; it has ${there.slice(0, 20).join(', ')}` : ''}`,
  )
}

/** JSON with an error that names the document. @throws invalid_argument */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new EngineError('invalid_argument', `${what} is not valid JSON`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('invalid_argument', `${what} is not a JSON object`)
  return value
}

/** A zod check with one sentence for its first complaint. @throws invalid_argument */
export function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new EngineError('invalid_argument', `${what} is malformed: ${issue?.path.join('.') || 'it'} ${issue?.message ?? 'does not fit'}`)
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList
}
function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest
}
function isImageOrIndex(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType)
}

/** A layer that is a plain archive, to be compressed before it travels. */
export function isPlainLayer(mediaType: string): boolean {
  return mediaType === mediaTypes.ociLayer || mediaType === mediaTypes.dockerLayer
}

/** An OCI image manifest as bytes, the same for the same image. */
export function buildManifest(
  config: { digest: string; size: number },
  layers: readonly { mediaType: string; digest: string; size: number }[],
): Buffer {
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.size },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  }
  return Buffer.from(JSON.stringify(document))
}
