import type { LogPage, LogQuery, LogRecord } from '@berth/contract/log'
import { agentClient } from '../../wire/agent'
import { openEventStream } from '../../wire/event-stream'
import type { WireFailure } from '../../wire/failure'
import { openLogStream } from '../../wire/log-stream'
import { type Line, LogBuffer } from './log-buffer'
import { type LogSearch, lineTest } from './log-search'

export interface LogSource {
  hostId: string
  container: string
  name: string
}
/** Where to begin instead of at the end: at a record of one of the sources, or at a time. */
export type Moment = { source: number; offset: number } | { time: string }
export interface LogWish {
  sources: readonly LogSource[]
  stdout: boolean
  stderr: boolean
  /** Only lines that this finds. */
  search: LogSearch | null
  at: Moment | null
}
export interface LogView {
  lines: readonly Line[]
  state: 'loading' | 'live' | 'lost' | 'ended'
  failure: unknown
  /** A container that was shown has been removed, its log with it. */
  gone: boolean
  /** The first line ever is on screen (of every source). */
  atBeginning: boolean
  /** What comes new is not shown: one looks at the past. */
  inThePast: boolean
  /** Lines that the agent looked at for the search so far. */
  scanned: number
  /** Grows with each line added at the top, so that the view can stay where it is. */
  added: number
  /** How many were dropped at the top in all. */
  dropped: number
  busy: boolean
}

/** Kept while one follows, and while one reads further up: what is beyond can be read again. */
const mostFollowed = 20_000
const mostRead = 100_000
const pageLines = 500
const linesBefore = 100

/** Reads one log or several into one list of lines: live, or from a moment on; whole, or what a search finds. */
export class LogReader {
  view: LogView = {
    lines: [],
    state: 'loading',
    failure: null,
    gone: false,
    atBeginning: false,
    inThePast: false,
    scanned: 0,
    added: 0,
    dropped: 0,
    busy: false,
  }
  /** One stands at the lower end. Elsewhere nothing is taken away from above what one reads. */
  following = true
  readonly #wish: LogWish
  readonly #buffer: LogBuffer
  readonly #matches: (record: LogRecord) => boolean
  /** Of each source: nothing is older than what has been read (searched); where older ones are read from; there are newer ones that no stream brings. */
  readonly #beginnings: boolean[]
  readonly #backward: (number | null)[]
  readonly #behind: boolean[]
  /** Sources whose container has ended; a start of theirs takes them up again. */
  readonly #ended = new Set<number>()
  #changed: () => void = () => {}
  #streams: (() => void)[] = []
  #watches: (() => void)[] = []
  #scheduled: Promise<void> | null = null
  #stopped = false
  /** Grows with each new beginning: answers to what was asked before it are thrown away. */
  #generation = 0

  constructor(wish: LogWish) {
    this.#wish = wish
    this.#buffer = new LogBuffer(wish.sources.length)
    this.#beginnings = wish.sources.map(() => false)
    this.#backward = wish.sources.map(() => null)
    this.#behind = wish.sources.map(() => false)
    this.#matches = wish.search ? lineTest(wish.search) : () => true
  }

  start(changed: () => void): () => void {
    this.#changed = changed
    this.#stopped = false
    this.#beginAt(this.#wish.at)
    for (const hostId of new Set(this.#wish.sources.map((source) => source.hostId))) this.#watch(hostId)
    return () => {
      this.#stopped = true
      this.#closeStreams()
      for (const stop of this.#watches.splice(0)) stop()
    }
  }

  /** What is newer than the last line on screen; goes on live when the end is reached. */
  async newer(): Promise<void> {
    if (!this.view.inThePast || this.view.busy) return
    await this.#busy(async () => {
      for (const index of this.#furthest(this.#behind, (index) => this.#buffer.edge(index).lastAt, -1)) {
        const page = await this.#read(index, { fromOffset: this.#buffer.edge(index).next ?? this.#backward[index] ?? 0, limit: pageLines })
        this.#buffer.append(index, page.records)
        this.#behind[index] = page.nextOffset !== null
      }
      this.#goLiveAtTheEnd()
    })
  }

  /** The page before the first line on screen. */
  async older(): Promise<void> {
    if (this.view.busy || this.view.atBeginning) return
    await this.#busy(async () => {
      const unfinished = this.#beginnings.map((begun) => !begun)
      // A search looks on in all of them; otherwise those first that hide what the others have.
      const wanted = this.#wish.search
        ? [...unfinished.keys()].filter((index) => unfinished[index])
        : this.#furthest(unfinished, (index) => this.#buffer.edge(index).firstAt, 1)
      for (const index of wanted) await this.#readOlder(index)
      if (this.#buffer.dropLast(mostRead).size > 0) this.#leaveTheEnd()
    })
  }

  /** From what is here to what comes in: begins anew at the end. */
  live(): void {
    if (this.view.inThePast) this.#beginAt(null)
  }

  /** The next line that a search finds beyond those that are here; null = there is none. @throws WireFailure */
  async find(search: LogSearch, direction: 'older' | 'newer'): Promise<Moment | null> {
    const found = await Promise.all(
      this.#wish.sources.map(async (_, source) => {
        const edge = this.#buffer.edge(source)
        let from: number | null = direction === 'older' ? edge.first : edge.next
        for (let page: LogPage | null = null; from !== null && !this.#stopped; from = page.nextOffset) {
          page = await this.#read(source, { ...(direction === 'older' ? { beforeOffset: from } : { fromOffset: from }), limit: 1, search })
          if (page.records[0]) return { source, record: page.records[0] }
        }
        return null
      }),
    )
    const sign = direction === 'older' ? -1 : 1
    const [next] = found.filter((one) => one !== null).sort((a, b) => sign * (a.record.at < b.record.at ? -1 : 1))
    return next ? { source: next.source, offset: next.record.offset } : null
  }

  #beginAt(at: Moment | null): void {
    this.#generation += 1
    this.#closeStreams()
    this.#buffer.clear()
    this.#ended.clear()
    this.#beginnings.fill(false)
    this.#backward.fill(null)
    this.#behind.fill(at !== null)
    Object.assign(this.view, {
      lines: [],
      state: 'loading',
      failure: null,
      atBeginning: false,
      inThePast: at !== null,
      scanned: 0,
      busy: false,
    })
    if (at) void this.#openAt(at)
    else for (const [index] of this.#wish.sources.entries()) this.#follow(index, undefined)
    void this.#soon()
  }

  /** Some lines before the moment, a page after it, of every source. */
  #openAt(at: Moment): Promise<void> {
    return this.#busy(async () => {
      const around = async (index: number, from: Partial<LogQuery>) => {
        const after = await this.#read(index, { ...from, limit: pageLines })
        const border = after.records[0]?.offset ?? from.fromOffset ?? after.endOffset
        const before = await this.#read(index, { beforeOffset: border, limit: linesBefore })
        this.#buffer.append(index, [...before.records, ...after.records])
        this.#backward[index] = before.records[0]?.offset ?? border
        this.#beginnings[index] = before.nextOffset === null
        this.#behind[index] = after.nextOffset !== null
        return after.records[0]?.at ?? before.records.at(-1)?.at
      }
      const named = 'offset' in at ? at.source : null
      const time = named === null ? (at as { time: string }).time : await around(named, { fromOffset: (at as { offset: number }).offset })
      await Promise.all(
        this.#wish.sources.map((_, index) =>
          index === named ? null : around(index, time === undefined ? { fromOffset: 0 } : { since: time }),
        ),
      )
      this.view.state = 'live'
      this.#goLiveAtTheEnd()
    })
  }

  async #readOlder(index: number): Promise<void> {
    const from = this.#wish.search ? this.#backward[index] : (this.#buffer.edge(index).first ?? this.#backward[index])
    // Not opened yet: where its end is will be known in a moment.
    if (from === null || from === undefined) return
    const page = await this.#read(index, { beforeOffset: from, limit: pageLines })
    this.#buffer.prepend(index, page.records)
    this.view.scanned += page.scanned
    this.#backward[index] = page.nextOffset
    if (page.nextOffset === null) this.#beginnings[index] = true
  }

  /** Of the sources that have more to read, the one that keeps the most of the others hidden; all that have nothing yet. `sign`: 1 = by the latest time. */
  #furthest(open: readonly boolean[], timeOf: (index: number) => string | null, sign: 1 | -1): number[] {
    const candidates = [...open.keys()].filter((index) => open[index])
    const unread = candidates.filter((index) => timeOf(index) === null)
    const [first] = candidates
      .filter((index) => timeOf(index) !== null)
      .sort((a, b) => sign * ((timeOf(a) as string) > (timeOf(b) as string) ? -1 : 1))
    return first === undefined ? unread : [...unread, first]
  }

  /** More has been read further up than is kept: what is at the end has been forgotten, and is read again on the way down. */
  #leaveTheEnd(): void {
    this.#closeStreams()
    this.#behind.fill(true)
    this.view.inThePast = true
  }

  #goLiveAtTheEnd(): void {
    if (this.#behind.some(Boolean)) return
    this.view.inThePast = false
    for (const [index] of this.#wish.sources.entries())
      this.#follow(index, this.#buffer.edge(index).next ?? this.#backward[index] ?? undefined)
  }

  #closeStreams(): void {
    for (const stop of this.#streams.splice(0)) stop()
  }

  /** A log ends with its container; when that is started again, it goes on where it ended. */
  #watch(hostId: string): void {
    const each = (work: (index: number, container: string) => void) => {
      for (const [index, source] of this.#wish.sources.entries()) if (source.hostId === hostId) work(index, source.container)
    }
    const goOn = (index: number) => {
      if (!this.#ended.delete(index)) return
      this.#follow(index, this.#buffer.edge(index).next ?? this.#backward[index] ?? undefined)
    }
    this.#watches.push(
      openEventStream(
        hostId,
        { types: ['container'] },
        {
          items: (events) => {
            for (const event of events)
              each((index, container) => {
                if (event.actorId !== container) return
                if (event.action === 'start') goOn(index)
                if (event.action !== 'destroy') return
                this.view.gone = true
                void this.#soon()
              })
          },
          reset: () => each(goOn),
        },
      ),
    )
  }

  /** From an offset on, or the last lines. While searching only new lines come this way: the past is searched by `older`. */
  #follow(index: number, fromOffset: number | undefined): void {
    const source = this.#wish.sources[index] as LogSource
    const { stdout, stderr, search } = this.#wish
    this.#streams.push(
      openLogStream(
        source.hostId,
        {
          container: source.container,
          stdout,
          stderr,
          ...(fromOffset === undefined ? { tail: search ? 0 : pageLines } : { tail: null, fromOffset }),
        },
        {
          opened: (range) => {
            const first = this.#backward[index] === null
            if (first) this.#backward[index] = range.endOffset
            if (range.startOffset >= range.endOffset) this.#beginnings[index] = true
            this.view.state = 'live'
            this.view.failure = null
            void this.#soon()
            if (first && search && this.#backward.every((offset) => offset !== null)) void this.older()
          },
          records: (records) => {
            this.#buffer.append(index, search ? records.filter(this.#matches) : records)
            this.#dropOldest()
            return this.#soon()
          },
          lost: () => {
            this.view.state = 'lost'
            void this.#soon()
          },
          ended: () => {
            this.#ended.add(index)
            if (this.#ended.size === this.#wish.sources.length) this.view.state = 'ended'
            void this.#soon()
          },
          refused: (error: WireFailure) => {
            this.view.state = 'ended'
            this.view.failure = error
            void this.#soon()
          },
        },
      ),
    )
  }

  /** Bounded while one follows. Whoever reads further up keeps what they read, up to a bound of its own, beyond which the end is left alone. */
  #dropOldest(): void {
    if (!this.following) {
      if (this.#buffer.dropLast(mostRead).size > 0) this.#leaveTheEnd()
      return
    }
    for (const source of this.#buffer.dropFirst(mostFollowed)) {
      this.#beginnings[source] = false
      this.#backward[source] = this.#buffer.edge(source).first
    }
  }

  async #read(index: number, range: Partial<LogQuery>): Promise<LogPage> {
    const source = this.#wish.sources[index] as LogSource
    const { stdout, stderr, search } = this.#wish
    const generation = this.#generation
    const page = await agentClient(source.hostId).logs.read.query({
      container: source.container,
      stdout,
      stderr,
      ...(search ? { search } : {}),
      ...range,
    })
    if (generation !== this.#generation) throw new Error('the log was begun anew meanwhile')
    return page
  }

  async #busy(work: () => Promise<void>): Promise<void> {
    const generation = this.#generation
    this.view.busy = true
    void this.#soon()
    let failure: unknown = null
    try {
      await work()
    } catch (error) {
      failure = error
    }
    if (generation !== this.#generation) return
    Object.assign(this.view, { failure, busy: false })
    void this.#soon()
  }

  /** What is shown now, and how far what was shown before has moved. */
  #refresh(): void {
    const before = this.view.lines
    const lines = this.#wish.search
      ? this.#buffer.lines
      : this.#buffer.whole({ before: this.#beginnings.map((begun) => !begun), after: this.#behind })
    this.view.lines = lines
    this.view.atBeginning = this.#beginnings.every(Boolean)
    if (lines === before) return
    const first = before[0]
    const newFirst = lines[0]
    if (!first || !newFirst || first.key === newFirst.key) return
    const added = lines.findIndex((line) => line.key === first.key)
    if (added > 0) this.view.added += added
    else if (added < 0)
      this.view.dropped += Math.max(
        0,
        before.findIndex((line) => line.key === newFirst.key),
      )
  }

  /** One redraw per frame, however many batches came; kept when it is done, which is what lets the agent send more. */
  #soon(): Promise<void> {
    this.#scheduled ??= new Promise((done) => {
      const draw = () => {
        this.#scheduled = null
        if (!this.#stopped) {
          this.#refresh()
          this.#changed()
        }
        done()
      }
      if (document.hidden) setTimeout(draw, 50)
      else requestAnimationFrame(draw)
    })
    return this.#scheduled
  }
}
