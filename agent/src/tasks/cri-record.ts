/**
 * Pure: the log records of native/README.md (CRI text format) in a buffer. `TIME STREAM TAG CONTENT\n`; no string is made until somebody asks.
 */
import type { LogRecord } from '@berth/contract/log'

const newline = 0x0a
const space = 0x20
const letterF = 0x46
/** Third letter of the stream's name that tells stderr from stdout. */
const letterE = 0x65

/** One record within a buffer. */
export interface RecordSpan {
  /** First byte, and the byte behind the newline. */
  start: number
  end: number
  /** End of the time. */
  timeEnd: number
  stderr: boolean
  /** A part of a line whose rest follows. */
  partial: boolean
  content: number
}

/**
 * Calls `visit` for each whole record of bytes[from, to). A line that is no record (a torn write) is passed over.
 * @param visit returns false to stop
 * @returns the end of the last record that was looked at
 */
export function eachRecord(bytes: Buffer, from: number, to: number, visit: (span: RecordSpan) => boolean | undefined): number {
  let at = from
  const span: RecordSpan = { start: 0, end: 0, timeEnd: 0, stderr: false, partial: false, content: 0 }
  while (at < to) {
    const lineEnd = bytes.indexOf(newline, at)
    if (lineEnd < 0 || lineEnd >= to) return at
    if (fill(span, bytes, at, lineEnd) && visit(span) === false) return lineEnd + 1
    at = lineEnd + 1
  }
  return at
}

function fill(span: RecordSpan, bytes: Buffer, start: number, lineEnd: number): boolean {
  // The usual time has 30 bytes; anything else is searched for.
  let timeEnd = start + 30
  if (bytes[timeEnd] !== space) {
    timeEnd = bytes.indexOf(space, start)
    if (timeEnd < 0 || timeEnd > lineEnd) return false
  }
  // " stdout F " has 10 bytes, with the content behind.
  if (timeEnd + 10 > lineEnd || bytes[timeEnd + 7] !== space) return false
  span.start = start
  span.end = lineEnd + 1
  span.timeEnd = timeEnd
  span.stderr = bytes[timeEnd + 4] === letterE
  span.partial = bytes[timeEnd + 8] !== letterF
  span.content = timeEnd + 10
  return true
}

/** The record for people. `base` is the logical offset of the buffer's first byte. */
export function toLogRecord(bytes: Buffer, span: RecordSpan, base: number): LogRecord {
  return {
    offset: base + span.start,
    next: base + span.end,
    at: bytes.toString('latin1', span.start, span.timeEnd),
    stream: span.stderr ? 'stderr' : 'stdout',
    partial: span.partial,
    text: bytes.toString('utf8', span.content, span.end - 1),
  }
}

/** A record as bytes: with its newline where the line had one. The time becomes a string only when asked for. */
export class RawRecord {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
  readonly #source: Buffer
  readonly #start: number
  readonly #timeEnd: number

  constructor(source: Buffer, span: RecordSpan) {
    this.stream = span.stderr ? 'stderr' : 'stdout'
    this.bytes = source.subarray(span.content, span.partial ? span.end - 1 : span.end)
    this.#source = source
    this.#start = span.start
    this.#timeEnd = span.timeEnd
  }

  get at(): string {
    return this.#source.toString('latin1', this.#start, this.#timeEnd)
  }
}
