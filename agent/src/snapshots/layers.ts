/**
 * Directories of unpacked layers, one per diffId however many stacks contain it: in overlay a layer's files do not depend on what is below. A layer comes
 * into being in `tmp/` and gets its place in `l/` by rename; its record follows. What has no record is removed at boot.
 *
 * Durability: neither unpacked files nor records are flushed before a pull is acknowledged, because they can be made again from the blobs and the image's
 * record, which are. A record carries the boot id of the machine until a flush in the background has passed; a record of another boot is a layer that a power
 * cut may have hollowed out: dropped. Removals need no flush either: a journal keeps their order (record, then directory, then files).
 */
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ensureDirectory, namesIn } from '../disk/files.ts'
import { openRecords } from '../disk/records.ts'
import { EngineError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type ProgramInput, runProgram } from '../native/programs.ts'
import { type Digest, hexOf, isDigest } from '../oci/digest.ts'
import { freshName } from './names.ts'
import type { Trash } from './trash.ts'

const layerRecord = z.object({
  diffId: z.string().refine(isDigest),
  /** Directory below `l/`. */
  name: z.string().regex(/^[a-z0-9]{4,32}$/),
  sizeBytes: z.number(),
  /** Boot during which it was unpacked; null once it is known to be on the platter. */
  bootId: z.string().nullable(),
})
type LayerRecord = z.infer<typeof layerRecord>

const applyAnswer = z.object({ digest: z.string(), sizeBytes: z.number(), diffId: z.string(), usageBytes: z.number() })

export interface Applied {
  digest: Digest
  sizeBytes: number
  diffId: Digest
}

export interface Layers {
  has(diffId: Digest): boolean
  directory(diffId: Digest): string
  sizeBytes(diffId: Digest): number
  totalBytes(): number
  diffIds(): Digest[]
  /** Unpacks and verifies; null takes what comes. Two callers for one diffId share the work of the first. @returns what was read, or null when it was here already */
  apply(diffId: Digest | null, source: ProgramInput, signal?: AbortSignal): Promise<Applied | null>
  /** Makes a directory of the same file system a layer by renaming it. */
  adopt(diffId: Digest, directory: string, sizeBytes: number): Promise<void>
  remove(diffId: Digest): Promise<void>
  close(): Promise<void>
}

export interface LayerOptions {
  root: string
  /** Path of berth-unpack. */
  program: string
  trash: Trash
  log?: Logger
}

const flushDelayMs = 3000
/** A layer may unpack to this much; beyond it the archive is taken for a bomb. */
const maxLayerBytes = 256 * 1024 ** 3
const maxLayerEntries = 5_000_000

export async function openLayers({ root, program, trash, log }: LayerOptions): Promise<Layers> {
  const places = join(root, 'l')
  const unfinished = join(root, 'tmp')
  await ensureDirectory(places, 0o711)
  await ensureDirectory(unfinished)
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const records = await openRecords<LayerRecord>(join(root, 'layers'), { parse: (value) => layerRecord.parse(value), durable: false, log })
  const inFlight = new Map<Digest, Promise<Applied>>()
  let flushing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  await reconcile()

  /** Drops records of another boot and directories without a record. */
  async function reconcile(): Promise<void> {
    for (const record of records.values()) {
      if (record.bootId === null || record.bootId === bootId) continue
      log?.warn({ diffId: record.diffId }, 'a layer was not flushed before the machine went down; it is unpacked again')
      await records.remove(hexOf(record.diffId))
    }
    const known = new Set(records.values().map((record) => record.name))
    const present = new Set(await namesIn(places))
    for (const record of records.values()) if (!present.has(record.name)) await records.remove(hexOf(record.diffId))
    for (const name of present) if (!known.has(name)) await trash.discard(join(places, name))
    for (const name of await namesIn(unfinished)) await trash.discard(join(unfinished, name))
    if (records.values().some((record) => record.bootId !== null)) scheduleFlush()
  }

  function scheduleFlush(): void {
    timer ??= setTimeout(() => {
      timer = null
      flushing = flush()
    }, flushDelayMs).unref()
  }

  /** Flushes the file system and marks what was unpacked before that as safe. */
  async function flush(): Promise<void> {
    const waiting = records.values().filter((record) => record.bootId !== null)
    if (waiting.length === 0) return
    try {
      await runProgram('sync', ['--file-system', root])
      for (const { diffId } of waiting) {
        const record = records.get(hexOf(diffId))
        if (record) await records.put(hexOf(diffId), { ...record, bootId: null })
      }
    } catch (error) {
      log?.warn({ reason: messageOf(error) }, 'layers could not be flushed to the disk; they are unpacked again after a power cut')
    }
  }

  /** Renames a finished directory to its place and writes the record. */
  async function place(diffId: Digest, directory: string, sizeBytes: number): Promise<void> {
    const name = freshName()
    await rename(directory, join(places, name))
    await records.put(hexOf(diffId), { diffId, name, sizeBytes, bootId })
    scheduleFlush()
  }

  async function unpack(diffId: Digest | null, source: ProgramInput, signal?: AbortSignal): Promise<Applied> {
    const directory = join(unfinished, freshName())
    await mkdir(directory, { mode: 0o755 })
    try {
      const limits = ['--max-bytes', String(maxLayerBytes), '--max-entries', String(maxLayerEntries)]
      const { stdout } = await runProgram(program, ['apply', '--target', directory, ...limits], { stdin: source, signal })
      const answer = applyAnswer.parse(JSON.parse(stdout))
      if (diffId !== null && answer.diffId !== diffId) {
        throw new EngineError(
          'data_loss',
          `a layer unpacks to ${answer.diffId}, but the image says ${diffId}; the image is broken or was tampered with`,
        )
      }
      if (records.has(hexOf(answer.diffId))) await trash.discard(directory)
      else await place(answer.diffId, directory, answer.usageBytes)
      return { digest: answer.digest, sizeBytes: answer.sizeBytes, diffId: answer.diffId }
    } catch (error) {
      await rm(directory, { recursive: true, force: true }).catch(() => trash.discard(directory))
      throw error
    }
  }

  async function apply(diffId: Digest | null, source: ProgramInput, signal?: AbortSignal): Promise<Applied | null> {
    if (diffId === null) return unpack(null, source, signal)
    if (records.has(hexOf(diffId))) return null
    const running = inFlight.get(diffId)
    if (running) {
      // The other caller may be cancelled or have bad bytes: that is its failure, not ours.
      const done = await running.then(
        () => true,
        () => false,
      )
      return done ? null : apply(diffId, source, signal)
    }
    const work = unpack(diffId, source, signal)
    inFlight.set(diffId, work)
    try {
      return await work
    } finally {
      inFlight.delete(diffId)
    }
  }

  const need = (diffId: Digest): LayerRecord => {
    const record = records.get(hexOf(diffId))
    if (!record) throw new EngineError('not_found', `layer ${diffId} is not unpacked here`)
    return record
  }

  return {
    has: (diffId) => records.has(hexOf(diffId)),
    directory: (diffId) => join(places, need(diffId).name),
    sizeBytes: (diffId) => records.get(hexOf(diffId))?.sizeBytes ?? 0,
    totalBytes: () => records.values().reduce((sum, record) => sum + record.sizeBytes, 0),
    diffIds: () => records.values().map((record) => record.diffId),
    apply,
    async adopt(diffId, directory, sizeBytes) {
      if (records.has(hexOf(diffId))) await trash.discard(directory)
      else await place(diffId, directory, sizeBytes)
    },
    async remove(diffId) {
      const record = records.get(hexOf(diffId))
      if (!record) return
      records.forget(hexOf(diffId))
      await records.remove(hexOf(diffId))
      await trash.discard(join(places, record.name))
    },
    async close() {
      if (timer) {
        clearTimeout(timer)
        timer = null
        flushing = flush()
      }
      await flushing
    },
  }
}
