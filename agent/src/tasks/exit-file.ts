import { join } from 'node:path'
import * as z from 'zod'
import { readTextIfExists } from '../disk/files.ts'
import type { Exit } from './tasks.ts'

const exitSchema = z.object({
  exitCode: z.number().int(),
  signal: z.number().int().nullish(),
  oomKilled: z.boolean().default(false),
  startedAt: z.string(),
  exitedAt: z.string(),
})

/** exit.json's text as an Exit. @throws when it is not one */
export function parseExit(text: string): Exit {
  const { signal, ...rest } = exitSchema.parse(JSON.parse(text))
  return { ...rest, signal: signal || null }
}

/**
 * How the last process ended; null when it has not, or when the file was cut by a crash. A monitor that could not write to the state directory (full disk)
 * wrote to the run directory instead.
 */
export async function readExit({ stateDir, runDir }: { stateDir: string; runDir: string }): Promise<Exit | null> {
  const text = (await readTextIfExists(join(runDir, 'exit.json'))) ?? (await readTextIfExists(join(stateDir, 'exit.json')))
  if (text === null) return null
  try {
    return parseExit(text)
  } catch {
    // Written by rename, so only a broken disk gets here: as good as no exit known.
    return null
  }
}
