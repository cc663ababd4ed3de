import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { ensureDirectory, namesIn, readTextIfExists, removeFile, removeTemporary, writeFileAtomic } from './files.ts'

/**
 * Records of one noun: a JSON file each, all of them in memory, the disk written first. What `put` acknowledged is there after a crash; what a crash
 * interrupted is there whole or not at all. Writes for one key happen in the order they were asked.
 */
export interface Records<T> {
  get(key: string): T | undefined
  has(key: string): boolean
  values(): T[]
  keys(): string[]
  readonly size: number
  /** Resolves when the record is on the disk; get() answers the new value from then on. @throws resource_exhausted, with the old value kept */
  put(key: string, value: T): Promise<void>
  /** Resolves when the record's file is gone. No error if there is none. */
  remove(key: string): Promise<void>
  /** Drops the record from memory alone, for owners that removed its directory themselves. */
  forget(key: string): void
}

export interface RecordOptions<T> {
  /** Checks what was read; throws for a record that cannot be used. */
  parse: (value: unknown) => T
  /** `file`: `<directory>/<key>.json`. `directory`: `<directory>/<key>/<fileName>`, beside the owner's other files. Default file. */
  layout?: 'file' | 'directory'
  /** Only for layout directory; default `record.json`. */
  fileName?: string
  mode?: number
  /** false: survives the process but not a power cut (see files.ts). */
  durable?: boolean
  log?: Logger
}

/**
 * Opens (creates) a record directory and reads every record. A file that does not parse is renamed to `*.broken` and reported in the log, so that one bad
 * sector does not keep the engine from starting and nothing is thrown away. Where records are not durable a power cut leaves such files: they are removed.
 */
export async function openRecords<T>(directory: string, options: RecordOptions<T>): Promise<Records<T>> {
  await ensureDirectory(directory)
  await removeTemporary(directory)
  const nested = options.layout === 'directory'
  const fileName = options.fileName ?? 'record.json'
  const pathOf = (key: string) => (nested ? join(directory, key, fileName) : join(directory, `${key}.json`))
  const records = new Map<string, T>()
  for (const name of await namesIn(directory)) {
    if (name.startsWith('.') || (!nested && !name.endsWith('.json'))) continue
    const key = nested ? name : name.slice(0, -'.json'.length)
    if (nested) await removeTemporary(join(directory, key))
    const text = await readTextIfExists(pathOf(key))
    if (text === null) continue
    try {
      records.set(key, options.parse(JSON.parse(text)))
    } catch (error) {
      if (options.durable === false) {
        options.log?.warn({ path: pathOf(key) }, 'a record had not reached the disk when the machine went down')
        await removeFile(pathOf(key), false)
        continue
      }
      options.log?.error({ path: pathOf(key), reason: messageOf(error) }, 'a record cannot be read and was put aside')
      await rename(pathOf(key), `${pathOf(key)}.broken`)
    }
  }
  const queues = new Map<string, Promise<unknown>>()
  /** Runs one write of a key after the earlier ones, whether those went well or not. */
  const inOrder = <R>(key: string, write: () => Promise<R>): Promise<R> => {
    const next = (queues.get(key) ?? Promise.resolve()).then(write, write)
    const settled = next.catch(() => {})
    queues.set(key, settled)
    settled.then(() => {
      if (queues.get(key) === settled) queues.delete(key)
    })
    return next
  }
  return {
    get: (key) => records.get(key),
    has: (key) => records.has(key),
    values: () => [...records.values()],
    keys: () => [...records.keys()],
    get size() {
      return records.size
    },
    put(key, value) {
      checkKey(key)
      return inOrder(key, async () => {
        if (nested) await ensureDirectory(join(directory, key))
        await writeFileAtomic(pathOf(key), `${JSON.stringify(value)}\n`, { mode: options.mode ?? 0o600, durable: options.durable ?? true })
        records.set(key, value)
      })
    },
    remove(key) {
      checkKey(key)
      return inOrder(key, async () => {
        await removeFile(pathOf(key), options.durable ?? true)
        records.delete(key)
      })
    },
    forget: (key) => void records.delete(key),
  }
}

/** Keys become file names: no separators, no hidden names, short enough for `.json` and a temporary suffix. */
function checkKey(key: string): void {
  if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.@:-]{0,249}$/.test(key))
    throw new EngineError('invalid_argument', `"${key.slice(0, 80)}" cannot name a record`)
}
