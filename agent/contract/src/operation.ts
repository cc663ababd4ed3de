import * as z from 'zod'
import { wireError } from './error.ts'

/** Long work that can be watched and cancelled. */
export const operationKinds = [
  'pull',
  'push',
  'build',
  'load',
  'save',
  'import',
  'commit',
  'prune',
  'backup',
  'restore',
  'clone',
  'bulk',
  'recreate',
] as const

/** One line of progress. `id` names the part (a layer's short digest, a build step), so a viewer replaces the line of the same id. */
export const operationProgress = z.object({
  id: z.string().optional(),
  /** Docker's words where Docker has them: "Downloading", "Extracting", "Pull complete", "Already exists", … */
  status: z.string().optional(),
  currentBytes: z.number().optional(),
  totalBytes: z.number().optional(),
  /** Free text output (build logs). */
  text: z.string().optional(),
  /** The text came from a program's standard error. */
  stderr: z.boolean().optional(),
  /** Structured extra for one kind, e.g. `{ ID: "sha256:…" }` after a build step. */
  aux: z.record(z.string(), z.unknown()).optional(),
})
export type OperationProgress = z.infer<typeof operationProgress>

export const operationState = z.enum(['running', 'succeeded', 'failed', 'cancelled'])
export const operation = z.object({
  id: z.string(),
  kind: z.enum(operationKinds),
  /** What it works on, for people: an image reference, a container's name. */
  subject: z.string(),
  state: operationState,
  /** Who asked: a user's name, or "docker" for the Engine API. */
  startedBy: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** The newest line of each progress id, in order of first appearance. */
  progress: z.array(operationProgress),
  error: wireError.nullable(),
  result: z.unknown(),
})
export type Operation = z.infer<typeof operation>
export const operationId = z.object({ operation: z.string().min(1) })
