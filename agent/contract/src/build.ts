import * as z from 'zod'
import { limits } from './container.ts'
import { labels } from './id.ts'

export const buildOptions = z.object({
  tags: z.array(z.string()).default([]),
  dockerfile: z.string().default('Dockerfile'),
  buildArgs: z.record(z.string(), z.string().nullable()).default({}),
  labels: labels.default({}),
  target: z.string().default(''),
  noCache: z.boolean().default(false),
  pull: z.boolean().default(false),
  networkMode: z.string().default(''),
  extraHosts: z.array(z.string()).default([]),
  limits: limits.partial().default({}),
  shmSizeBytes: z.number().int().min(0).default(0),
  platform: z.string().default(''),
  cacheFrom: z.array(z.string()).default([]),
  squash: z.boolean().default(false),
  quiet: z.boolean().default(false),
  secrets: z.record(z.string(), z.string()).default({}),
})
export type BuildOptions = z.infer<typeof buildOptions>
