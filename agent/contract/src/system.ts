import * as z from 'zod'
import type { PruneResult } from './image.ts'

/** Additions that a dashboard asks for by name; versions are never compared. */
export const featureNames = [
  'containers',
  'images',
  'volumes',
  'networks',
  'exec',
  'logs.search',
  'stats.history',
  'build',
  'files',
  'backup',
  'host-console',
  'userns-auto',
] as const

export const hostPolicy = z.object({
  readOnly: z.boolean().default(false),
  noExec: z.boolean().default(false),
  noHostConsole: z.boolean().default(true),
  noPrivileged: z.boolean().default(false),
  /** null = any; else only below these directories. */
  bindSources: z.array(z.string()).nullable().default(null),
})
export type HostPolicy = z.infer<typeof hostPolicy>

export const systemInfo = z.object({
  agentVersion: z.string(),
  engineId: z.string(),
  hostname: z.string(),
  os: z.string(),
  osVersion: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  cpus: z.number().int(),
  memoryBytes: z.number(),
  bootedAt: z.string(),
  startedAt: z.string(),
  dataRoot: z.string(),
  cgroupVersion: z.enum(['1', '2']),
  controllers: z.array(z.string()),
  storageDriver: z.string(),
  backingFilesystem: z.string(),
  securityOptions: z.array(z.string()),
  runtime: z.object({ name: z.string(), version: z.string(), path: z.string() }),
  registryMirrors: z.array(z.string()),
  insecureRegistries: z.array(z.string()),
  counts: z.object({
    containers: z.number(),
    running: z.number(),
    paused: z.number(),
    stopped: z.number(),
    images: z.number(),
    volumes: z.number(),
    networks: z.number(),
  }),
  warnings: z.array(z.string()),
  features: z.array(z.string()),
  policy: hostPolicy,
  now: z.string(),
})
export type SystemInfo = z.infer<typeof systemInfo>

export const diskUsage = z.object({
  total: z.object({ usedBytes: z.number(), totalBytes: z.number() }),
  images: z.array(
    z.object({
      id: z.string(),
      tags: z.array(z.string()),
      sizeBytes: z.number(),
      sharedBytes: z.number(),
      uniqueBytes: z.number(),
      containers: z.number(),
      createdAt: z.string().nullable(),
    }),
  ),
  layersBytes: z.number(),
  containers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      image: z.string(),
      sizeRwBytes: z.number(),
      logBytes: z.number(),
      status: z.string(),
      createdAt: z.string(),
    }),
  ),
  volumes: z.array(z.object({ name: z.string(), sizeBytes: z.number(), usedBy: z.number(), createdAt: z.string() })),
  buildCache: z.array(
    z.object({
      id: z.string(),
      description: z.string(),
      sizeBytes: z.number(),
      inUse: z.boolean(),
      shared: z.boolean(),
      createdAt: z.string(),
      lastUsedAt: z.string().nullable(),
      usageCount: z.number(),
    }),
  ),
  blobsBytes: z.number(),
})
export type DiskUsage = z.infer<typeof diskUsage>

export const systemPruneInput = z.object({
  containers: z.boolean().default(true),
  networks: z.boolean().default(true),
  /** null: none. `anonymous`: those without a name that nobody uses. `all`: every one that nobody uses. */
  volumes: z.enum(['anonymous', 'all']).nullable().default(null),
  /** null: none. `dangling`: untagged ones. `unused`: every one without a container. */
  images: z.enum(['dangling', 'unused']).nullable().default('dangling'),
  buildCache: z.boolean().default(true),
  until: z.string().optional(),
  labels: z.array(z.string()).default([]),
  notLabels: z.array(z.string()).default([]),
  /** List what would go and remove nothing. */
  dryRun: z.boolean().default(false),
})
export type SystemPruneInput = z.infer<typeof systemPruneInput>
export interface SystemPruneResult {
  containers: PruneResult | null
  networks: PruneResult | null
  volumes: PruneResult | null
  images: PruneResult | null
  buildCache: { removed: string[]; reclaimedBytes: number } | null
  reclaimedBytes: number
  dryRun: boolean
}
