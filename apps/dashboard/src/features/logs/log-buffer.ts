import type { LogRecord } from '@berth/contract/log'

/** A record and which of the merged logs it belongs to. */
export interface Line {
  key: string
  source: number
  record: LogRecord
}

interface Edge {
  /** Offset of the first record that is here. */
  first: number | null
  /** Offset after the last record that is here. */
  next: number | null
}

/**
 * The lines on screen, of one log or of several merged by time. INVARIANTS: of each log the records are contiguous, in order, each once; lines of
 * different logs are ordered by their time, and those of one log never change places. The array is replaced at each change, never written to.
 */
export class LogBuffer {
  lines: readonly Line[] = []
  readonly #edges: Edge[]
  readonly #most: number

  /** @param most lines kept; beyond it the oldest go (they can be read again) */
  constructor(sources: number, most: number) {
    this.#edges = Array.from({ length: sources }, () => ({ first: null, next: null }))
    this.#most = most
  }

  edge(source: number): Readonly<Edge> {
    return this.#edges[source] as Edge
  }

  /** New records at the end of one log. Those that are here already are passed over. Returns how many lines were dropped at the top. */
  append(source: number, records: readonly LogRecord[]): number {
    const edge = this.#edges[source] as Edge
    const fresh = edge.next === null ? records : records.filter((record) => record.offset >= (edge.next as number))
    const last = fresh.at(-1)
    if (!last) return 0
    edge.first ??= (fresh[0] as LogRecord).offset
    edge.next = last.next
    this.lines = mergeLate(this.lines, toLines(source, fresh))
    return this.#trim()
  }

  /** Older records of one log, which end where this log begins here. Returns how many lines were added. */
  prepend(source: number, records: readonly LogRecord[]): number {
    const edge = this.#edges[source] as Edge
    const older = edge.first === null ? records : records.filter((record) => record.offset < (edge.first as number))
    const first = older[0]
    if (!first) return 0
    edge.first = first.offset
    edge.next ??= (older.at(-1) as LogRecord).next
    this.lines = mergeEarly(toLines(source, older), this.lines)
    return older.length
  }

  clear(): void {
    this.lines = []
    for (const edge of this.#edges) {
      edge.first = null
      edge.next = null
    }
  }

  #trim(): number {
    const over = this.lines.length - this.#most
    if (over <= 0) return 0
    const gone = this.lines.slice(0, over)
    this.lines = this.lines.slice(over)
    for (const { source, record } of gone) (this.#edges[source] as Edge).first = record.next
    return over
  }
}

function toLines(source: number, records: readonly LogRecord[]): Line[] {
  return records.map((record) => ({ key: `${source}:${record.offset}`, source, record }))
}

/** Nearly everything new is later than what is here, so the places are looked for from the end. */
function mergeLate(known: readonly Line[], fresh: readonly Line[]): readonly Line[] {
  const lastKnown = known.at(-1)
  const firstFresh = fresh[0]
  if (!lastKnown || !firstFresh || lastKnown.record.at <= firstFresh.record.at) return [...known, ...fresh]
  const from = startOfMerge(known, firstFresh)
  return [...known.slice(0, from), ...mergeSorted(known.slice(from), fresh)]
}

function startOfMerge(known: readonly Line[], first: Line): number {
  let at = known.length
  // A log never overtakes itself, even when the clock was set back.
  while (at > 0 && (known[at - 1] as Line).source !== first.source && (known[at - 1] as Line).record.at > first.record.at) at -= 1
  return at
}

function mergeEarly(older: readonly Line[], known: readonly Line[]): readonly Line[] {
  const lastOlder = older.at(-1)
  const firstKnown = known[0]
  if (!lastOlder || !firstKnown || lastOlder.record.at <= firstKnown.record.at) return [...older, ...known]
  return mergeSorted(older, known)
}

function mergeSorted(a: readonly Line[], b: readonly Line[]): Line[] {
  const out: Line[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const left = a[i] as Line
    const right = b[j] as Line
    if (left.record.at <= right.record.at) {
      out.push(left)
      i += 1
    } else {
      out.push(right)
      j += 1
    }
  }
  return [...out, ...a.slice(i), ...b.slice(j)]
}
