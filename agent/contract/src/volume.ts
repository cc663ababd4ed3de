import * as z from 'zod'
import { labels, objectName } from './id.ts'

export const volumeSummary = z.object({
  name: z.string(),
  driver: z.literal('local'),
  mountpoint: z.string(),
  createdAt: z.string(),
  labels,
  options: z.record(z.string(), z.string()),
  anonymous: z.boolean(),
  /** Containers, running or not, that mount it. */
  usedBy: z.array(z.object({ id: z.string(), name: z.string(), destination: z.string(), readOnly: z.boolean() })),
  /** Bytes on disk; null when it was not asked for. */
  sizeBytes: z.number().nullable(),
})
export type VolumeSummary = z.infer<typeof volumeSummary>
export const createVolumeInput = z.object({
  name: objectName.optional(),
  labels: labels.default({}),
  /** The local driver's `type`, `o` and `device` (mount(8) words). */
  options: z.record(z.string(), z.string()).default({}),
})
export const listVolumesInput = z.object({
  filters: z.record(z.string(), z.array(z.string())).default({}),
  withSize: z.boolean().default(false),
})
export const volumeName = z.object({ volume: z.string().min(1), withSize: z.boolean().default(false) })
export const removeVolumeInput = z.object({ volume: z.string().min(1), force: z.boolean().default(false) })
export const cloneVolumeInput = z.object({ source: z.string().min(1), target: objectName })
export const pruneVolumesInput = z.object({
  /** false: only anonymous ones. */
  all: z.boolean().default(false),
  labels: z.array(z.string()).default([]),
  notLabels: z.array(z.string()).default([]),
  dryRun: z.boolean().default(false),
})
