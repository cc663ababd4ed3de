/**
 * The image configuration document (OCI image-spec, config.md, with Docker's additions: Healthcheck, OnBuild, Shell) and the form in which the engine
 * and its clients know it.
 */
import type { Healthcheck, ImageConfig, Platform } from '@berth/contract/image'
import * as z from 'zod'
import { type Digest, isDigest } from './digest.ts'
import { check, imageLimits, parseJson } from './manifest.ts'
import { normalize } from './platform.ts'

const text = z
  .string()
  .max(128 * 1024)
  .refine((value) => !value.includes('\0'), 'contains a NUL byte')
const words = z.array(text).max(10_000)
/** Go writes nil maps and slices as null. */
const orNull = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? null)
const setOfKeys = orNull(z.record(text, z.unknown()))
const nanos = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish()

const healthSchema = z.object({
  Test: orNull(words),
  Interval: nanos,
  Timeout: nanos,
  StartPeriod: nanos,
  StartInterval: nanos,
  Retries: z.number().int().min(0).max(1_000_000).nullish(),
})

const runSchema = z.object({
  User: orNull(text),
  ExposedPorts: setOfKeys,
  Env: orNull(words),
  Entrypoint: orNull(words),
  Cmd: orNull(words),
  Volumes: setOfKeys,
  WorkingDir: orNull(text),
  Labels: orNull(z.record(text, text)),
  StopSignal: orNull(text),
  Shell: orNull(words),
  Healthcheck: orNull(healthSchema),
  OnBuild: orNull(words),
})

const documentSchema = z.object({
  created: z.string().max(64).nullish(),
  author: z.string().max(4096).nullish(),
  comment: z.string().max(65536).nullish(),
  architecture: z.string().max(64).default(''),
  variant: z.string().max(64).nullish(),
  os: z.string().max(64).default('linux'),
  config: orNull(runSchema),
  container_config: orNull(z.object({ Cmd: orNull(words) })),
  rootfs: z.object({
    type: z.literal('layers'),
    diff_ids: z.array(z.string().refine(isDigest, 'is not a sha256 digest')).max(imageLimits.layers).nullish(),
  }),
  history: z
    .array(
      z.object({
        created: z.string().max(64).nullish(),
        created_by: z
          .string()
          .max(1024 * 1024)
          .nullish(),
        author: z.string().max(4096).nullish(),
        comment: z.string().max(65536).nullish(),
        empty_layer: z.boolean().nullish(),
      }),
    )
    .max(10_000)
    .nullish(),
})

export interface HistoryRecord {
  createdAt: string | null
  createdBy: string
  author: string
  comment: string
  emptyLayer: boolean
}

export interface ImageDocument {
  createdAt: string | null
  author: string
  comment: string
  platform: Platform
  config: ImageConfig
  diffIds: Digest[]
  history: HistoryRecord[]
  /** Command of the container that it was made of, as Docker's classic builder tells a step. Absent where nobody told. */
  madeBy?: string[]
}

/** Reads a configuration document. Unknown fields are ignored. @throws invalid_argument */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageDocument {
  const document = check(documentSchema, parseJson(bytes, `the configuration of ${what}`), `the configuration of ${what}`)
  return {
    createdAt: validTime(document.created),
    author: document.author ?? '',
    comment: document.comment ?? '',
    platform: normalize({
      os: document.os,
      architecture: document.architecture,
      ...(document.variant ? { variant: document.variant } : {}),
    }),
    config: fromRun(document.config),
    diffIds: document.rootfs.diff_ids ?? [],
    history: (document.history ?? []).map((entry) => ({
      createdAt: validTime(entry.created),
      createdBy: entry.created_by ?? '',
      author: entry.author ?? '',
      comment: entry.comment ?? '',
      emptyLayer: entry.empty_layer ?? false,
    })),
    ...(document.container_config?.Cmd ? { madeBy: document.container_config.Cmd } : {}),
  }
}

/** Writes a configuration document; the same input gives the same bytes. */
export function buildImageConfig(image: ImageDocument): Buffer {
  const document = {
    ...(image.createdAt ? { created: image.createdAt } : {}),
    ...(image.author ? { author: image.author } : {}),
    ...(image.comment ? { comment: image.comment } : {}),
    architecture: image.platform.architecture,
    ...(image.platform.variant ? { variant: image.platform.variant } : {}),
    os: image.platform.os,
    config: toRun(image.config),
    ...(image.madeBy ? { container_config: { Cmd: image.madeBy } } : {}),
    rootfs: { type: 'layers', diff_ids: image.diffIds },
    history: image.history.map((entry) => ({
      ...(entry.createdAt ? { created: entry.createdAt } : {}),
      ...(entry.createdBy ? { created_by: entry.createdBy } : {}),
      ...(entry.author ? { author: entry.author } : {}),
      ...(entry.comment ? { comment: entry.comment } : {}),
      ...(entry.emptyLayer ? { empty_layer: true } : {}),
    })),
  }
  return Buffer.from(JSON.stringify(document))
}

/** The configuration of an image from nothing. */
export function emptyImageConfig(): ImageConfig {
  return fromRun(null)
}

function fromRun(run: z.infer<typeof runSchema> | null): ImageConfig {
  return {
    user: run?.User ?? '',
    exposedPorts: Object.keys(run?.ExposedPorts ?? {}),
    env: run?.Env ?? [],
    entrypoint: run?.Entrypoint?.length ? run.Entrypoint : null,
    cmd: run?.Cmd ?? null,
    volumes: Object.keys(run?.Volumes ?? {}),
    workingDir: run?.WorkingDir ?? '',
    labels: run?.Labels ?? {},
    stopSignal: run?.StopSignal || null,
    shell: run?.Shell?.length ? run.Shell : null,
    healthcheck: run?.Healthcheck ? fromHealth(run.Healthcheck) : null,
    onBuild: run?.OnBuild ?? [],
  }
}

function fromHealth(health: z.infer<typeof healthSchema>): Healthcheck {
  const ms = (value: number | null | undefined) => (value ? Math.ceil(value / 1e6) : undefined)
  const parts = {
    intervalMs: ms(health.Interval),
    timeoutMs: ms(health.Timeout),
    startPeriodMs: ms(health.StartPeriod),
    startIntervalMs: ms(health.StartInterval),
    retries: health.Retries ?? undefined,
  }
  return { test: health.Test ?? [], ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) }
}

function toRun(config: ImageConfig): Record<string, unknown> {
  const keys = (names: string[]) => Object.fromEntries(names.map((name) => [name, {}]))
  const health = config.healthcheck
  return {
    ...(config.user ? { User: config.user } : {}),
    ...(config.exposedPorts.length ? { ExposedPorts: keys(config.exposedPorts) } : {}),
    ...(config.env.length ? { Env: config.env } : {}),
    ...(config.entrypoint ? { Entrypoint: config.entrypoint } : {}),
    ...(config.cmd ? { Cmd: config.cmd } : {}),
    ...(config.volumes.length ? { Volumes: keys(config.volumes) } : {}),
    ...(config.workingDir ? { WorkingDir: config.workingDir } : {}),
    ...(Object.keys(config.labels).length ? { Labels: config.labels } : {}),
    ...(config.stopSignal ? { StopSignal: config.stopSignal } : {}),
    ...(config.shell ? { Shell: config.shell } : {}),
    ...(config.onBuild.length ? { OnBuild: config.onBuild } : {}),
    ...(health
      ? {
          Healthcheck: {
            ...(health.test.length ? { Test: health.test } : {}),
            ...(health.intervalMs ? { Interval: health.intervalMs * 1e6 } : {}),
            ...(health.timeoutMs ? { Timeout: health.timeoutMs * 1e6 } : {}),
            ...(health.startPeriodMs ? { StartPeriod: health.startPeriodMs * 1e6 } : {}),
            ...(health.startIntervalMs ? { StartInterval: health.startIntervalMs * 1e6 } : {}),
            ...(health.retries ? { Retries: health.retries } : {}),
          },
        }
      : {}),
  }
}

function validTime(value: string | null | undefined): string | null {
  return value && !Number.isNaN(Date.parse(value)) ? value : null
}
