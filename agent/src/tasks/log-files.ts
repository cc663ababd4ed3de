/** A log directory: files named by the logical offset of their first byte. Reading forwards and backwards by blocks, across rotation. */
import { readdirSync, statSync } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../disk/files.ts'

export interface Segment {
  /** Logical offset of its first byte. */
  offset: number
  sizeBytes: number
  modifiedMs: number
  path: string
}

/** Bytes read at once. More than the longest record (16 KiB and its head). */
export const blockBytes = 1024 * 1024

/** Files of a directory, oldest first; none when nothing was ever logged. */
export async function segmentsOf(directory: string): Promise<Segment[]> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  const segments: Segment[] = []
  for (const name of names.filter((candidate) => /^\d{20}\.log$/.test(candidate)).sort()) {
    const path = join(directory, name)
    try {
      const { size, mtimeMs } = await stat(path)
      segments.push({ offset: Number(name.slice(0, 20)), sizeBytes: size, modifiedMs: mtimeMs, path })
    } catch (error) {
      // Rotated away between the two looks.
      if (!isMissing(error)) throw error
    }
  }
  return segments
}

export function bounds(segments: readonly Segment[]): { startOffset: number; endOffset: number } {
  const last = segments.at(-1)
  return { startOffset: segments[0]?.offset ?? 0, endOffset: last ? last.offset + last.sizeBytes : 0 }
}

/** The same by two or three system calls in this very moment, for answers that cannot wait. */
export function boundsNow(directory: string): { startOffset: number; endOffset: number } {
  try {
    const names = readdirSync(directory)
      .filter((name) => /^\d{20}\.log$/.test(name))
      .sort()
    const first = names[0]
    const last = names.at(-1)
    if (!first || !last) return { startOffset: 0, endOffset: 0 }
    return { startOffset: Number(first.slice(0, 20)), endOffset: Number(last.slice(0, 20)) + statSync(join(directory, last)).size }
  } catch (error) {
    if (isMissing(error)) return { startOffset: 0, endOffset: 0 }
    throw error
  }
}

export interface Block {
  bytes: Buffer
  /** Logical offset of bytes[0]. */
  base: number
}

/** Reads forwards from an offset; what is rotated away meanwhile is passed over, what is appended later is found. */
export class LogReader {
  readonly #directory: string
  #offset: number
  #segment: Segment | null = null
  #handle: FileHandle | null = null

  constructor(directory: string, offset: number) {
    this.#directory = directory
    this.#offset = offset
  }

  /** Where the next block begins. */
  get offset(): number {
    return this.#offset
  }

  /** Goes on behind a record that was the last one used. */
  rewindTo(offset: number): void {
    this.#offset = offset
  }

  /** The next whole records, or null when there is nothing (yet). The buffer is the caller's. */
  async next(): Promise<Block | null> {
    for (;;) {
      if (!this.#handle && !(await this.#openAt())) return null
      const segment = this.#segment as Segment
      const bytes = Buffer.allocUnsafe(blockBytes)
      const { bytesRead } = await (this.#handle as FileHandle).read(bytes, 0, blockBytes, this.#offset - segment.offset)
      const end = bytesRead === 0 ? 0 : bytes.lastIndexOf(0x0a, bytesRead - 1) + 1
      if (end > 0) {
        const base = this.#offset
        this.#offset += end
        return { bytes: bytes.subarray(0, end), base }
      }
      // Nothing whole here. If a later file exists this one is finished: a torn rest is nobody's record.
      const later = (await segmentsOf(this.#directory)).find((candidate) => candidate.offset > segment.offset)
      if (!later) return null
      // It may have grown between the read and the look: only what is behind its end is passed over.
      const { size } = await (this.#handle as FileHandle).stat()
      if (size > this.#offset - segment.offset + bytesRead) continue
      await this.close()
      this.#offset = Math.max(this.#offset, later.offset)
    }
  }

  async #openAt(): Promise<boolean> {
    const segments = await segmentsOf(this.#directory)
    const segment = segments.findLast((candidate) => candidate.offset <= this.#offset) ?? segments[0]
    if (!segment) return false
    this.#offset = Math.max(this.#offset, segment.offset)
    try {
      this.#handle = await open(segment.path, 'r')
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    this.#segment = segment
    return true
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
    this.#segment = null
  }
}

/**
 * Blocks from an offset backwards, each beginning and ending at a record's border, newest first.
 * @param before logical offset of a record's first byte, or the end
 */
export async function* blocksBackwards(directory: string, before: number, pieceBytes = 256 * 1024): AsyncGenerator<Block> {
  const segments = (await segmentsOf(directory)).filter((segment) => segment.offset < before)
  for (const segment of segments.reverse()) {
    let handle: FileHandle
    try {
      handle = await open(segment.path, 'r')
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    try {
      let end = Math.min(segment.sizeBytes, before - segment.offset)
      let carry = Buffer.alloc(0)
      while (end > 0) {
        const from = Math.max(0, end - pieceBytes)
        const piece = Buffer.allocUnsafe(end - from)
        const { bytesRead } = await handle.read(piece, 0, piece.length, from)
        const bytes = Buffer.concat([piece.subarray(0, bytesRead), carry])
        // The first record of the piece may have begun before it.
        const first = from === 0 ? 0 : bytes.indexOf(0x0a) + 1
        if (from > 0 && first === 0) carry = bytes
        else {
          carry = bytes.subarray(0, first)
          const last = bytes.lastIndexOf(0x0a) + 1
          if (last > first) yield { bytes: bytes.subarray(first, last), base: segment.offset + from + first }
        }
        end = from
      }
    } finally {
      await handle.close()
    }
  }
}
