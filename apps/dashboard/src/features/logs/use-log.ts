'use client'
import type { LogQuery, LogRecord } from '@berth/contract/log'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { agentClient } from '../../wire/agent'
import { openEventStream } from '../../wire/event-stream'
import type { WireFailure } from '../../wire/failure'
import { openLogStream } from '../../wire/log-stream'
import { type Line, LogBuffer } from './log-buffer'

export interface LogSource {
  hostId: string
  container: string
  name: string
}
export interface LogSearch {
  text: string
  regex: boolean
  invert: boolean
  ignoreCase: boolean
}
export interface LogWish {
  sources: readonly LogSource[]
  stdout: boolean
  stderr: boolean
  search: LogSearch | null
  /** Begin at this offset of the first source instead of at the end. */
  at: number | null
}
export interface LogState {
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
  older: () => Promise<void>
  newer: () => Promise<void>
  busy: boolean
}

const mostLines = 20_000
const pageLines = 500

/** One log or several, live or from a moment on, whole or only what a search finds. A new wish begins anew. */
export function useLog(wish: LogWish): LogState {
  const key = JSON.stringify(wish)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the wish
  const reader = useMemo(() => new LogReader(wish), [key])
  const [, redraw] = useState(0)
  const mounted = useRef(true)
  useEffect(() => {
    mounted.current = true
    const stop = reader.start(() => mounted.current && redraw((count) => count + 1))
    return () => {
      mounted.current = false
      stop()
    }
  }, [reader])
  const older = useCallback(() => reader.older(), [reader])
  const newer = useCallback(() => reader.newer(), [reader])
  return { ...reader.view, lines: reader.buffer.lines, older, newer }
}

class LogReader {
  readonly buffer: LogBuffer
  view = {
    state: 'loading' as LogState['state'],
    failure: null as unknown,
    gone: false,
    atBeginning: false,
    inThePast: false,
    scanned: 0,
    added: 0,
    dropped: 0,
    busy: false,
  }
  readonly #wish: LogWish
  readonly #beginnings: boolean[]
  readonly #backward: (number | null)[]
  readonly #matches: (record: LogRecord) => boolean
  /** Sources whose container has ended; a start of theirs takes them up again. */
  readonly #ended = new Set<number>()
  #changed: () => void = () => {}
  #stops: (() => void)[] = []
  #scheduled: Promise<void> | null = null
  #stopped = false

  constructor(wish: LogWish) {
    this.#wish = wish
    this.buffer = new LogBuffer(wish.sources.length, mostLines)
    this.#beginnings = wish.sources.map(() => false)
    this.#backward = wish.sources.map(() => null)
    this.#matches = matcher(wish.search)
  }

  start(changed: () => void): () => void {
    this.#changed = changed
    this.#stopped = false
    this.buffer.clear()
    this.#ended.clear()
    this.#stops = []
    if (this.#wish.at !== null) {
      this.view.inThePast = true
      void this.#openAt(this.#wish.at)
    } else {
      for (const [index] of this.#wish.sources.entries()) this.#follow(index, undefined)
    }
    for (const hostId of new Set(this.#wish.sources.map((source) => source.hostId))) this.#watch(hostId)
    return () => {
      this.#stopped = true
      for (const stop of this.#stops) stop()
    }
  }

  /** A log ends with its container; when that is started again, it goes on where it ended. */
  #watch(hostId: string): void {
    const each = (work: (index: number, container: string) => void) => {
      for (const [index, source] of this.#wish.sources.entries()) if (source.hostId === hostId) work(index, source.container)
    }
    const goOn = (index: number) => {
      if (!this.#ended.delete(index)) return
      this.#follow(index, this.buffer.edge(index).next ?? this.#backward[index] ?? undefined)
    }
    this.#stops.push(
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
                this.#soon()
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
    this.#stops.push(
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
            this.#soon()
            if (first && search && this.#backward.every((offset) => offset !== null)) void this.older()
          },
          records: (records) => {
            this.view.dropped += this.buffer.append(index, search ? records.filter(this.#matches) : records)
            return this.#soon()
          },
          lost: () => {
            this.view.state = 'lost'
            this.#soon()
          },
          ended: () => {
            this.#ended.add(index)
            if (this.#ended.size === this.#wish.sources.length) this.view.state = 'ended'
            this.#soon()
          },
          refused: (error: WireFailure) => {
            this.view.state = 'ended'
            this.view.failure = error
            this.#soon()
          },
        },
      ),
    )
  }

  async #openAt(at: number): Promise<void> {
    await this.#busy(async () => {
      const [before, after] = await Promise.all([
        this.#read(0, { beforeOffset: at, limit: 100 }),
        this.#read(0, { fromOffset: at, limit: pageLines }),
      ])
      this.buffer.append(0, [...before.records, ...after.records])
      this.#backward[0] = before.records[0]?.offset ?? at
      this.#beginnings[0] = before.nextOffset === null
      this.view.state = 'live'
      if (after.nextOffset === null) this.#goLive()
    })
  }

  /** What is newer than the last line on screen; goes on live when the end is reached. */
  async newer(): Promise<void> {
    if (!this.view.inThePast || this.view.busy) return
    await this.#busy(async () => {
      const page = await this.#read(0, { fromOffset: this.buffer.edge(0).next ?? 0, limit: pageLines })
      this.view.dropped += this.buffer.append(0, page.records)
      if (page.nextOffset === null) this.#goLive()
    })
  }

  #goLive(): void {
    this.view.inThePast = false
    this.#follow(0, this.buffer.edge(0).next ?? undefined)
  }

  /** The page before the first line on screen, of each source that has one. */
  async older(): Promise<void> {
    if (this.view.busy || this.view.atBeginning) return
    await this.#busy(async () => {
      for (const [index] of this.#wish.sources.entries()) {
        if (this.#beginnings[index]) continue
        const from = this.#wish.search ? this.#backward[index] : (this.buffer.edge(index).first ?? this.#backward[index])
        // Not opened yet: where its end is will be known in a moment.
        if (from === null || from === undefined) continue
        const page = await this.#read(index, { beforeOffset: from, limit: pageLines })
        this.view.added += this.buffer.prepend(index, page.records)
        this.view.scanned += page.scanned
        this.#backward[index] = page.nextOffset
        if (page.nextOffset === null) this.#beginnings[index] = true
      }
      this.view.atBeginning = this.#beginnings.every(Boolean)
    })
  }

  #read(index: number, range: Partial<LogQuery>) {
    const source = this.#wish.sources[index] as LogSource
    const { stdout, stderr, search } = this.#wish
    return agentClient(source.hostId).logs.read.query({
      container: source.container,
      stdout,
      stderr,
      ...(search ? { search } : {}),
      ...range,
    })
  }

  async #busy(work: () => Promise<void>): Promise<void> {
    this.view.busy = true
    this.#soon()
    try {
      await work()
      this.view.failure = null
    } catch (error) {
      this.view.failure = error
    } finally {
      this.view.busy = false
      this.#soon()
    }
  }

  /** One redraw per frame, however many batches came; kept when it is done, which is what lets the agent send more. */
  #soon(): Promise<void> {
    this.#scheduled ??= new Promise((done) => {
      const draw = () => {
        this.#scheduled = null
        if (!this.#stopped) this.#changed()
        done()
      }
      if (document.hidden) setTimeout(draw, 50)
      else requestAnimationFrame(draw)
    })
    return this.#scheduled
  }
}

/** The same question that the agent was asked, for the lines that come after. */
function matcher(search: LogSearch | null): (record: LogRecord) => boolean {
  if (!search) return () => true
  if (search.regex) {
    try {
      const pattern = new RegExp(search.text, search.ignoreCase ? 'iu' : 'u')
      return (record) => pattern.test(record.text) !== search.invert
    } catch {
      // The agent says what is wrong with it.
      return () => false
    }
  }
  const wanted = search.ignoreCase ? search.text.toLowerCase() : search.text
  return (record) => (search.ignoreCase ? record.text.toLowerCase() : record.text).includes(wanted) !== search.invert
}
