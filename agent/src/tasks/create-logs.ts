import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import type { LogPage, LogQuery, LogRecord } from '@berth/contract/log'
import { EngineError } from '../errors.ts'
import { afterLong } from '../events/long-timer.ts'
import { parseTime, rfc3339 } from '../events/time.ts'
import { eachRecord, RawRecord, type RecordSpan, toLogRecord } from './cri-record.ts'
import { blocksBackwards, bounds, boundsNow, LogReader, segmentsOf } from './log-files.ts'
import { compileSearch, type LineTest } from './log-search.ts'
import type { Logs } from './tasks.ts'

/** Where a container's log is; given by containers/ when the engine is wired. */
export interface LogSource {
  /** @throws EngineError not_found, failed_precondition (log driver none) */
  logOf(container: string): { id: string; directory: string; running: boolean; ended: Promise<void> }
}

/** A search looks at this much before it answers with what it has and where to go on. */
const searchBudgetBytes = 64 * 1024 * 1024
const batchRecords = 500
const rawBatchRecords = 4096

interface Chosen {
  stdout: boolean
  stderr: boolean
}

/** Reads log directories; keeps nothing but the watches of those that follow. */
export function createLogs(source: LogSource): Logs {
  return {
    async read(query) {
      const { directory } = source.logOf(query.container)
      return query.beforeOffset !== undefined ? readBackwards(directory, query, query.beforeOffset) : readForwards(directory, query)
    },
    follow(query, deliver) {
      const log = source.logOf(query.container)
      const stop = new AbortController()
      const found = boundsNow(log.directory)
      const done = (async () => {
        const start = await startOf(log.directory, query)
        const since = query.since === undefined ? null : timeBytes(query.since)
        let batch: LogRecord[] = []
        const flush = async () => {
          const records = batch
          batch = []
          if (records.length) await deliver(records)
        }
        return pump(log, start, stop.signal, async (bytes, base) => {
          const spans: RecordSpan[] = []
          eachRecord(bytes, 0, bytes.length, (span) => {
            if (isChosen(span, query) && notBefore(bytes, span, since)) spans.push({ ...span })
            return undefined
          })
          for (const span of spans) {
            batch.push(toLogRecord(bytes, span, base))
            if (batch.length >= batchRecords) await flush()
            if (stop.signal.aborted) return
          }
          await flush()
        })
      })()
      // The caller may only look at `done` later.
      done.catch(() => {})
      return { ...found, done, stop: () => stop.abort() }
    },
    async raw(query, deliver, signal) {
      const log = source.logOf(query.container)
      const since = query.since === undefined ? null : timeBytes(query.since)
      const until = query.until === undefined ? null : timeBytes(query.until)
      const stop = new AbortController()
      const onAbort = () => stop.abort()
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      // A container that says nothing must not keep a reader past the moment that it asked for. What was written before is read to its end.
      let passed = () => {}
      let isPast = false
      const moment = new Promise<void>((resolve) => {
        passed = () => {
          isPast = true
          resolve()
        }
      })
      const cancel =
        query.until !== undefined && query.follow ? afterLong(Number(parseTime(query.until) / 1_000_000n) - Date.now(), passed) : () => {}
      try {
        const start = await startOf(log.directory, query)
        await pump(
          { directory: log.directory, running: log.running, ended: Promise.race([log.ended, moment]) },
          start,
          stop.signal,
          async (bytes) => {
            let batch: RawRecord[] = []
            const batches = [batch]
            eachRecord(bytes, 0, bytes.length, (span) => {
              if (isAfter(bytes, span, until)) {
                // A clock that was set back writes earlier times behind later ones: only a reader whose moment has passed is done.
                if (!isPast) return undefined
                stop.abort()
                return false
              }
              if (isChosen(span, query) && notBefore(bytes, span, since)) {
                if (batch.length >= rawBatchRecords) {
                  batch = []
                  batches.push(batch)
                }
                batch.push(new RawRecord(bytes, span))
              }
              return undefined
            })
            for (const records of batches) if (records.length) await deliver(records)
          },
          query.follow,
        )
      } finally {
        cancel()
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}

function isChosen(span: RecordSpan, chosen: Chosen): boolean {
  return span.stderr ? chosen.stderr : chosen.stdout
}

/** A time as the records spell it: such bytes compare as the times do. */
function timeBytes(text: string): Buffer {
  return Buffer.from(rfc3339(parseTime(text)))
}

function notBefore(bytes: Buffer, span: RecordSpan, since: Buffer | null): boolean {
  return since === null || bytes.compare(since, 0, since.length, span.start, span.timeEnd) >= 0
}

function isAfter(bytes: Buffer, span: RecordSpan, until: Buffer | null): boolean {
  return until !== null && bytes.compare(until, 0, until.length, span.start, span.timeEnd) > 0
}

/** Logical offset at which a reader begins. */
async function startOf(directory: string, query: { tail?: number | null; fromOffset?: number; since?: string } & Chosen): Promise<number> {
  const segments = await segmentsOf(directory)
  const { startOffset, endOffset } = bounds(segments)
  if (query.fromOffset !== undefined) {
    if (query.fromOffset > endOffset)
      throw new EngineError('invalid_argument', `the log ends at offset ${endOffset}; it cannot be read from ${query.fromOffset}`)
    return Math.max(startOffset, query.fromOffset)
  }
  const bySince = query.since === undefined ? startOffset : sinceOffset(segments, query.since, startOffset)
  if (query.tail === null || query.tail === undefined) return bySince
  return Math.max(bySince, await tailOffset(directory, endOffset, query.tail, query))
}

/** First file that can hold a record of that time: one written to after it. */
function sinceOffset(segments: Awaited<ReturnType<typeof segmentsOf>>, since: string, startOffset: number): number {
  const ms = Number(parseTime(since) / 1_000_000n)
  return segments.find((segment) => segment.modifiedMs + 1 >= ms)?.offset ?? segments.at(-1)?.offset ?? startOffset
}

/** Offset of the first record of the last `lines` whole lines. */
async function tailOffset(directory: string, endOffset: number, lines: number, chosen: Chosen): Promise<number> {
  if (lines === 0) return endOffset
  let left = lines
  let offset = endOffset
  let newest = true
  for await (const { bytes, base } of blocksBackwards(directory, endOffset)) {
    const records: { offset: number; final: boolean }[] = []
    eachRecord(bytes, 0, bytes.length, (span) => {
      if (isChosen(span, chosen)) records.push({ offset: base + span.start, final: !span.partial })
      return undefined
    })
    for (let index = records.length - 1; index >= 0; index--) {
      const record = records[index] as { offset: number; final: boolean }
      // A line ends at its final part, or unfinished at the very end; one more end than wanted is one line too many.
      if (record.final || newest) left -= 1
      newest = false
      if (left < 0) return offset
      offset = record.offset
    }
  }
  return offset
}

/** Reads from an offset to the end, and on while the container runs if asked to. */
async function pump(
  log: { directory: string; running: boolean; ended: Promise<void> },
  start: number,
  signal: AbortSignal,
  consume: (bytes: Buffer, base: number) => Promise<void>,
  follow = true,
): Promise<'ended' | 'stopped'> {
  const reader = new LogReader(log.directory, start)
  const news = follow && log.running ? new News(log.directory, log.ended, signal) : null
  try {
    for (;;) {
      if (signal.aborted) return 'stopped'
      const over = news === null || news.over
      const block = await reader.next()
      if (block) await consume(block.bytes, block.base)
      else if (over) return signal.aborted ? 'stopped' : 'ended'
      else await news.wait()
    }
  } finally {
    news?.close()
    await reader.close()
  }
}

/** Tells when there may be more to read, by inotify on the directory: nothing polls. */
class News {
  over = false
  readonly #watcher: FSWatcher
  #fresh = false
  #wake: (() => void) | null = null

  constructor(directory: string, ended: Promise<void>, signal: AbortSignal) {
    this.#watcher = watch(directory, () => this.#tell())
    this.#watcher.on('error', () => this.#tell())
    void ended.then(() => {
      this.over = true
      this.#tell()
    })
    signal.addEventListener('abort', () => this.#tell(), { once: true })
  }

  #tell(): void {
    this.#fresh = true
    this.#wake?.()
  }

  /** Resolves at once when something came since the last call. */
  async wait(): Promise<void> {
    if (!this.#fresh)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    this.#wake = null
    this.#fresh = false
  }

  close(): void {
    this.#watcher.close()
  }
}

async function searchOf(query: LogQuery): Promise<LineTest | null> {
  return query.search && query.search.text !== '' ? compileSearch(query.search) : null
}

async function readForwards(directory: string, query: LogQuery): Promise<LogPage> {
  const test = await searchOf(query)
  const since = query.since === undefined ? null : timeBytes(query.since)
  const until = query.until === undefined ? null : timeBytes(query.until)
  const reader = new LogReader(directory, await startOf(directory, query))
  const records: LogRecord[] = []
  let scanned = 0
  let looked = 0
  let nextOffset: number | null = null
  try {
    for (let over = false; !over; ) {
      const block = await reader.next()
      if (!block) break
      const { bytes, base } = block
      const end = eachRecord(bytes, 0, bytes.length, (span) => {
        if (!isChosen(span, query) || !notBefore(bytes, span, since) || isAfter(bytes, span, until)) return undefined
        if (test && !test(bytes.subarray(span.content, span.end - 1))) scanned += 1
        else records.push(toLogRecord(bytes, span, base))
        return records.length < query.limit
      })
      looked += end
      if (!over && (records.length >= query.limit || looked >= searchBudgetBytes)) {
        over = true
        nextOffset = base + end
      }
    }
  } finally {
    await reader.close()
  }
  const { startOffset, endOffset } = bounds(await segmentsOf(directory))
  return { records, startOffset, endOffset, nextOffset: nextOffset === endOffset ? null : nextOffset, scanned }
}

async function readBackwards(directory: string, query: LogQuery, before: number): Promise<LogPage> {
  const test = await searchOf(query)
  const since = query.since === undefined ? null : timeBytes(query.since)
  const until = query.until === undefined ? null : timeBytes(query.until)
  const newestFirst: LogRecord[] = []
  let scanned = 0
  let looked = 0
  let nextOffset: number | null = null
  const { startOffset, endOffset } = bounds(await segmentsOf(directory))
  for await (const { bytes, base } of blocksBackwards(directory, before)) {
    const spans: RecordSpan[] = []
    eachRecord(bytes, 0, bytes.length, (span) => {
      if (isChosen(span, query)) spans.push({ ...span })
      return undefined
    })
    for (const span of spans.reverse()) {
      if (newestFirst.length >= query.limit) break
      // Older ones may stand behind younger ones, where the clock was set: each is looked at by itself.
      if (!notBefore(bytes, span, since) || isAfter(bytes, span, until)) continue
      if (test && !test(bytes.subarray(span.content, span.end - 1))) scanned += 1
      else newestFirst.push(toLogRecord(bytes, span, base))
    }
    looked += bytes.length
    if (newestFirst.length >= query.limit || looked >= searchBudgetBytes) {
      nextOffset = newestFirst.length >= query.limit ? (newestFirst.at(-1) as LogRecord).offset : base
      break
    }
  }
  return {
    records: newestFirst.reverse(),
    startOffset,
    endOffset,
    nextOffset: nextOffset !== null && nextOffset <= startOffset ? null : nextOffset,
    scanned,
  }
}
