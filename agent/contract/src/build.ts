import * as z from 'zod'
import { limits, ulimit } from './container.ts'
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
  ulimits: z.array(ulimit).default([]),
  cgroupParent: z.string().default(''),
  securityOpt: z.array(z.string()).default([]),
  shmSizeBytes: z.number().int().min(0).default(0),
  platform: z.string().default(''),
  cacheFrom: z.array(z.string()).default([]),
  squash: z.boolean().default(false),
  quiet: z.boolean().default(false),
  /** Leave the containers of RUN steps behind, ended, to be looked at. */
  keepContainers: z.boolean().default(false),
  /** Where the context is, instead of in the request: URL of an archive, of a Dockerfile, or of a git repository (`….git#ref:directory`). */
  remote: z.string().default(''),
  secrets: z.record(z.string(), z.string()).default({}),
})
export type BuildOptions = z.infer<typeof buildOptions>
