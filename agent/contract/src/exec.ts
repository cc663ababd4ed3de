import * as z from 'zod'
import { nameOrId } from './id.ts'

export const execOptions = z.object({
  cmd: z.array(z.string()).min(1),
  terminal: z.boolean().default(false),
  attachStdin: z.boolean().default(false),
  attachStdout: z.boolean().default(true),
  attachStderr: z.boolean().default(true),
  user: z.string().default(''),
  workingDir: z.string().default(''),
  env: z.array(z.string()).default([]),
  privileged: z.boolean().default(false),
  detachKeys: z.string().default(''),
})
export type ExecOptions = z.infer<typeof execOptions>

export const execDetail = z.object({
  id: z.string(),
  containerId: z.string(),
  options: execOptions,
  running: z.boolean(),
  pid: z.number().int(),
  exitCode: z.number().int().nullable(),
  createdAt: z.string(),
})
export type ExecDetail = z.infer<typeof execDetail>

export const createExecInput = z.object({ container: nameOrId, options: execOptions })
export const execId = z.object({ exec: nameOrId })
export const killExecInput = execId.extend({ signal: z.string().default('KILL') })
export const listExecsInput = z.object({ container: nameOrId.optional() })
