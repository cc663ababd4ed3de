/**
 * Results of earlier steps by the key of what they were made from, and the directories of `RUN --mount=type=cache`. A record is worth something only
 * while its image is here, which is asked at every look. Losing records in a power cut costs time, nothing else.
 */
import { createHash } from 'node:crypto'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { namesIn } from '../disk/files.ts'
import { openRecords } from '../disk/records.ts'
import { parseTime } from '../events/time.ts'
import type { Logger } from '../log.ts'
import { runProgram } from '../native/programs.ts'

const record = z.object({
  kind: z.enum(['step', 'mount']),
  description: z.string(),
  /** step: the image that it made. mount: ''. */
  imageId: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  usageCount: z.number(),
})
type CacheRecord = z.infer<typeof record>

export interface CacheEntry {
  id: string
  description: string
  sizeBytes: number
  inUse: boolean
  shared: boolean
  createdAt: string
  lastUsedAt: string | null
  usageCount: number
}

export interface CacheMount {
  path: string
  release(): void
}

export interface BuildCache {
  /** The image that a step with this key made, if it is still here. */
  find(key: string): string | null
  store(key: string, imageId: string, description: string): void
  /** A directory that outlives builds. `locked` waits for its turn; `private` gives another directory to a second user. */
  mount(
    id: string,
    options: { sharing: 'shared' | 'private' | 'locked'; mode: number | null; uid: number; gid: number },
    signal: AbortSignal,
  ): Promise<CacheMount>
  usage(): Promise<CacheEntry[]>
  prune(options: {
    all: boolean
    until?: string
    keepBytes?: number
    dryRun: boolean
  }): Promise<{ removed: string[]; reclaimedBytes: number }>
  /** Waits for writes under way. */
  close(): Promise<void>
}

const flushMs = 30_000

export function keyOf(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

export async function openBuildCache(options: {
  directory: string
  unpack: string
  imageSize: (imageId: string) => number | null
  log?: Logger
}): Promise<BuildCache> {
  const records = await openRecords(join(options.directory, 'records'), {
    parse: (value) => record.parse(value),
    durable: false,
    log: options.log,
  })
  const mounts = join(options.directory, 'mounts')
  await mkdir(mounts, { recursive: true, mode: 0o711 })
  for (const name of await namesIn(mounts))
    if (!records.has(name)) await runProgram(options.unpack, ['delete-tree', '--dir', join(mounts, name)])
  const users = new Map<string, number>()
  const turns = new Map<string, Promise<void>>()
  let writing: Promise<unknown> = Promise.resolve()
  // A result counts from the moment it is known: the next build may ask before its record is on the disk.
  const fresh = new Map<string, CacheRecord>()
  const write = (key: string, value: CacheRecord) => {
    fresh.set(key, value)
    const done = records
      .put(key, value)
      .catch((error) => options.log?.warn({ err: error }, 'a build cache record was not written'))
      .finally(() => {
        if (fresh.get(key) === value) fresh.delete(key)
      })
    writing = Promise.all([writing, done])
    return done
  }
  // Uses are counted in memory and written now and then: a cached build must not wait for eleven files that nobody misses.
  const used = new Map<string, CacheRecord>()
  const flush = () => {
    for (const [key, value] of used) if (records.has(key)) void write(key, value)
    used.clear()
  }
  const timer = setInterval(flush, flushMs)
  timer.unref()
  const current = (key: string): CacheRecord | undefined => used.get(key) ?? fresh.get(key) ?? records.get(key)
  const touch = (key: string, known: CacheRecord) => {
    used.set(key, { ...known, lastUsedAt: new Date().toISOString(), usageCount: known.usageCount + 1 })
  }
  const sizeOf = async (key: string, { kind, imageId }: CacheRecord): Promise<number> => {
    if (kind === 'step') return options.imageSize(imageId) ?? 0
    const { stdout } = await runProgram(options.unpack, ['usage', '--dir', join(mounts, key)])
    return (JSON.parse(stdout) as { sizeBytes: number }).sizeBytes
  }
  const open = async (key: string, description: string, how: { mode: number | null; uid: number; gid: number }): Promise<CacheMount> => {
    const path = join(mounts, key)
    users.set(key, (users.get(key) ?? 0) + 1)
    const known = current(key)
    if (known) touch(key, known)
    else {
      await mkdir(path, { recursive: true })
      await chown(path, how.uid, how.gid)
      await chmod(path, how.mode ?? 0o755)
      await write(key, { kind: 'mount', description, imageId: '', createdAt: new Date().toISOString(), lastUsedAt: null, usageCount: 0 })
    }
    return { path, release: () => void users.set(key, (users.get(key) ?? 1) - 1) }
  }
  const usage = async (): Promise<CacheEntry[]> => {
    const entries: CacheEntry[] = []
    for (const key of records.keys()) {
      const known = current(key)
      if (!known || (known.kind === 'step' && options.imageSize(known.imageId) === null)) continue
      const { kind, imageId: _, ...rest } = known
      entries.push({ id: key, ...rest, sizeBytes: await sizeOf(key, known), inUse: (users.get(key) ?? 0) > 0, shared: kind === 'step' })
    }
    return entries
  }

  return {
    find(key) {
      const known = current(key)
      if (!known || options.imageSize(known.imageId) === null) return null
      touch(key, known)
      return known.imageId
    },
    store(key, imageId, description) {
      used.delete(key) // the counts of a result that is no more
      void write(key, { kind: 'step', description, imageId, createdAt: new Date().toISOString(), lastUsedAt: null, usageCount: 0 })
    },
    async mount(id, how, signal) {
      const key = keyOf(['mount', id])
      if (how.sharing === 'private' && (users.get(key) ?? 0) > 0) {
        for (let copy = 1; ; copy++) {
          const other = keyOf(['mount', id, copy])
          if ((users.get(other) ?? 0) === 0) return open(other, `cache mount ${id} (${copy + 1})`, how)
        }
      }
      if (how.sharing !== 'locked') return open(key, `cache mount ${id}`, how)
      const before = turns.get(key) ?? Promise.resolve()
      let release = (): void => {}
      turns.set(
        key,
        before.then(() => new Promise<void>((resolve) => (release = resolve))),
      )
      await before
      if (signal.aborted) release()
      signal.throwIfAborted()
      const opened = await open(key, `cache mount ${id}`, how)
      return {
        path: opened.path,
        release() {
          opened.release()
          release()
        },
      }
    },
    usage,
    async prune({ all, until, keepBytes, dryRun }) {
      const limit = until === undefined ? null : Number(parseTime(until) / 1_000_000n)
      const entries = (await usage()).sort((a, b) => (a.lastUsedAt ?? a.createdAt).localeCompare(b.lastUsedAt ?? b.createdAt))
      let total = entries.reduce((sum, entry) => sum + (entry.shared ? 0 : entry.sizeBytes), 0)
      const removed: string[] = []
      let reclaimedBytes = 0
      for (const entry of entries) {
        if (entry.inUse || (limit !== null && Date.parse(entry.lastUsedAt ?? entry.createdAt) > limit)) continue
        if (keepBytes !== undefined && total <= keepBytes) break
        // Steps that have images are kept unless everything is asked for: their bytes belong to the images.
        if (entry.shared && !all) continue
        removed.push(entry.id)
        if (!entry.shared) {
          reclaimedBytes += entry.sizeBytes
          total -= entry.sizeBytes
        }
        if (dryRun) continue
        await records.remove(entry.id)
        if (!entry.shared) await runProgram(options.unpack, ['delete-tree', '--dir', join(mounts, entry.id)])
      }
      if (!dryRun)
        for (const key of records.keys()) {
          const known = records.get(key)
          if (known?.kind === 'step' && options.imageSize(known.imageId) === null) await records.remove(key)
        }
      return { removed, reclaimedBytes }
    },
    async close() {
      clearInterval(timer)
      flush()
      await writing
    },
  }
}
