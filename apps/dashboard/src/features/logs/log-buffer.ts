import type { LogRecord } from '@berth/contract/log'

/** A record and which of the merged logs it belongs to. */
export interface Line {
  key: string
  source: number
  record: LogRecord
}

interface Edge {
  /** Offset of the first record that is here, and its time. */
  first: number | null
  firstAt: string | null
  /** Offset after the last record that is here, and its time. */
  next: number | null
  lastAt: string | null
}

/**
 * The lines that have been read, of one log or of several merged by time. INVARIANTS: of each log the records are contiguous, in order, each once; lines of
 * different logs are ordered by their time, and those of one log never change places. The array is replaced at each change, never written to.
 */
export class LogBuffer {
  lines: readonly Line[] = []
  readonly #edges: Edge[]

  constructor(sources: number) {
    this.#edges = Array.from({ length: sources }, unread)
  }

  edge(source: number): Readonly<Edge> {
    return this.#edges[source] as Edge
  }

  /** New records at the end of one log. Those that are here already are passed over. */
  append(source: number, records: readonly LogRecord[]): void {
    const edge = this.#edges[source] as Edge
    const fresh = edge.next === null ? records : records.filter((record) => record.offset >= (edge.next as number))
    const [first, last] = [fresh[0], fresh.at(-1)]
    if (!first || !last) return
    edge.first ??= first.offset
    edge.firstAt ??= first.at
    edge.next = last.next
    edge.lastAt = last.at
    this.lines = mergeLate(this.lines, toLines(source, fresh))
  }

  /** Older records of one log, which end where this log begins here. */
  prepend(source: number, records: readonly LogRecord[]): void {
    const edge = this.#edges[source] as Edge
    const older = edge.first === null ? records : records.filter((record) => record.offset < (edge.first as number))
    const [first, last] = [older[0], older.at(-1)]
    if (!first || !last) return
    edge.first = first.offset
    edge.firstAt = first.at
    edge.next ??= last.next
    edge.lastAt ??= last.at
    this.lines = mergeEarly(toLines(source, older), this.lines)
  }

  /** Forgets the oldest beyond a number of lines; they can be read again. @returns the logs that lost some */
  dropFirst(most: number): Set<number> {
    const gone = this.lines.slice(0, Math.max(0, this.lines.length - most))
    this.lines = gone.length > 0 ? this.lines.slice(gone.length) : this.lines
    for (const { source, record } of gone) Object.assign(this.#edges[source] as Edge, { first: record.next, firstAt: record.at })
    return new Set(gone.map((line) => line.source))
  }

  /** The same for the newest. */
  dropLast(most: number): Set<number> {
    const gone = this.lines.slice(most)
    this.lines = gone.length > 0 ? this.lines.slice(0, most) : this.lines
    for (const { source, record } of gone.toReversed())
      Object.assign(this.#edges[source] as Edge, { next: record.offset, lastAt: record.at })
    return new Set(gone.map((line) => line.source))
  }

  /**
   * The lines of that span of time in which every log is whole: none where one log has been read further back (or on) than another, which would look as if that other had been silent.
   * @param open logs that have older lines still to be read, and those that have newer
   */
  whole(open: { before: readonly boolean[]; after: readonly boolean[] }): readonly Line[] {
    if (this.#edges.length < 2) return this.lines
    const from = this.#edges.reduce(
      (far, edge, index) => (open.before[index] && (edge.firstAt ?? '') > far ? (edge.firstAt as string) : far),
      '',
    )
    const to = this.#edges.reduce<string | null>(
      (near, edge, index) => (open.after[index] && edge.lastAt !== null && (near === null || edge.lastAt < near) ? edge.lastAt : near),
      null,
    )
    let begin = 0
    while (begin < this.lines.length && (this.lines[begin] as Line).record.at < from) begin += 1
    let end = this.lines.length
    while (to !== null && end > begin && (this.lines[end - 1] as Line).record.at > to) end -= 1
    return begin === 0 && end === this.lines.length ? this.lines : this.lines.slice(begin, end)
  }

  clear(): void {
    this.lines = []
    for (const [index] of this.#edges.entries()) this.#edges[index] = unread()
  }
}

function unread(): Edge {
  return { first: null, firstAt: null, next: null, lastAt: null }
}

function toLines(source: number, records: readonly LogRecord[]): Line[] {
  return records.map((record) => ({ key: lineKey(source, record.offset), source, record }))
}

/** What names a line among those of merged logs. */
export function lineKey(source: number, offset: number): string {
  return `${source}:${offset}`
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
