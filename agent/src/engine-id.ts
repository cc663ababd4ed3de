import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The id that this data root keeps for ever; made on first use. */
export function readEngineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id')
  try {
    const id = readFileSync(path, 'utf8').trim()
    if (id !== '') return id
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 })
  const id = randomUUID()
  writeFileSync(path, `${id}\n`, { mode: 0o644, flush: true })
  return id
}
