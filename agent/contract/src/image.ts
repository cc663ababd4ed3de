import * as z from 'zod'
import { labels } from './id.ts'

export const platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
export type Platform = z.infer<typeof platform>

export const imageSummary = z.object({
  /** Digest of the image configuration, `sha256:…`. */
  id: z.string(),
  /** `name:tag`, familiar form (`redis:7`, `localhost:5000/app:1`). */
  tags: z.array(z.string()),
  /** `name@sha256:…` of the manifests it was pulled or pushed as. */
  digests: z.array(z.string()),
  createdAt: z.string().nullable(),
  sizeBytes: z.number(),
  /** Bytes of layers that no other image has; null when it was not asked for. */
  uniqueSizeBytes: z.number().nullable(),
  labels,
  platform,
  /** Number of containers, running or not, that use it. */
  containers: z.number().int(),
  parentId: z.string().nullable(),
})
export type ImageSummary = z.infer<typeof imageSummary>

export const healthcheck = z.object({
  /** `[]` inherit, `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
  test: z.array(z.string()),
  intervalMs: z.number().int().min(0).optional(),
  timeoutMs: z.number().int().min(0).optional(),
  startPeriodMs: z.number().int().min(0).optional(),
  startIntervalMs: z.number().int().min(0).optional(),
  retries: z.number().int().min(0).optional(),
})
export type Healthcheck = z.infer<typeof healthcheck>

/** The part of an OCI image configuration that a container inherits. */
export const imageConfig = z.object({
  user: z.string(),
  exposedPorts: z.array(z.string()),
  env: z.array(z.string()),
  entrypoint: z.array(z.string()).nullable(),
  cmd: z.array(z.string()).nullable(),
  volumes: z.array(z.string()),
  workingDir: z.string(),
  labels,
  stopSignal: z.string().nullable(),
  shell: z.array(z.string()).nullable(),
  healthcheck: healthcheck.nullable(),
  onBuild: z.array(z.string()),
})
export type ImageConfig = z.infer<typeof imageConfig>

export const imageLayer = z.object({
  diffId: z.string(),
  digest: z.string().nullable(),
  mediaType: z.string().nullable(),
  sizeBytes: z.number(),
})
export const imageHistoryEntry = z.object({
  id: z.string().nullable(),
  createdAt: z.string().nullable(),
  createdBy: z.string(),
  sizeBytes: z.number(),
  comment: z.string(),
  tags: z.array(z.string()),
  emptyLayer: z.boolean(),
})
export type ImageHistoryEntry = z.infer<typeof imageHistoryEntry>

export const imageDetail = imageSummary.extend({
  config: imageConfig,
  author: z.string(),
  comment: z.string(),
  /** Command of the container that it was made of; absent where nobody told. */
  madeBy: z.array(z.string()).optional(),
  layers: z.array(imageLayer),
  lastTaggedAt: z.string().nullable(),
})
export type ImageDetail = z.infer<typeof imageDetail>

export const pullPolicy = z.enum(['always', 'missing', 'never'])
export const pullInput = z.object({ reference: z.string().min(1), platform: z.string().optional(), allTags: z.boolean().default(false) })
export const pushInput = z.object({ reference: z.string().min(1), allTags: z.boolean().default(false) })
export const tagInput = z.object({ source: z.string().min(1), target: z.string().min(1) })
export const removeImageInput = z.object({ image: z.string().min(1), force: z.boolean().default(false), prune: z.boolean().default(true) })
/** Lines of `docker rmi`, in order. */
export const removedImage = z.union([z.object({ untagged: z.string() }), z.object({ deleted: z.string() })])
export type RemovedImage = z.infer<typeof removedImage>

export const pruneImagesInput = z.object({
  /** true: only untagged images; false: every image that no container uses. */
  dangling: z.boolean().default(true),
  until: z.string().optional(),
  labels: z.array(z.string()).default([]),
  notLabels: z.array(z.string()).default([]),
  /** List what would go and remove nothing. */
  dryRun: z.boolean().default(false),
})
export const pruneResult = z.object({
  removed: z.array(z.object({ id: z.string(), name: z.string(), sizeBytes: z.number() })),
  reclaimedBytes: z.number(),
  dryRun: z.boolean(),
})
export type PruneResult = z.infer<typeof pruneResult>
export const imageName = z.object({ image: z.string().min(1) })
export const referenceInput = z.object({ reference: z.string().min(1) })
export const searchInput = z.object({ term: z.string().min(1), limit: z.number().int().min(1).max(100).default(25) })
