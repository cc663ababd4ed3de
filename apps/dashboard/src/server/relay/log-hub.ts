import type { LogPage, LogRecord } from '@berth/contract/log'
import { ServerError } from '../errors.ts'
import type { AgentLink } from '../links/agent-link.ts'
import { type Asker, dashboardAsker } from '../links/asker.ts'
import type { UpstreamStream } from '../links/upstream-streams.ts'

export interface LogWish {
  container: string
  stdout: boolean
  stderr: boolean
  tail: number | null
  fromOffset?: number
  since?: string
}
export interface LogListener {
  /** Sends a batch; kept when the reader has acknowledged it. */
  batch(records: LogRecord[]): Promise<void>
  ended(reason: 'slow' | 'lost' | 'ended' | 'gone' | 'denied' | 'closed', message: string, offset: number): void
}

/** Lines in one message, and messages that one reader may leave unacknowledged (stream.ts). */
const batchLines = 500
const mostUnderWay = 4
/** Lines that wait for one reader in memory; beyond, it is cut off and resumes from the log itself. */
const mostWaiting = 10_000
const pageLines = 2_000
/** Until the reader is at the live end it reads the log itself; after so many pages without getting there it is cut off and goes on later. */
const patienceMs = 30_000

interface Live {
  stream: UpstreamStream
  readers: Set<Reader>
  /** Everything before this offset has been given to the readers. */
  position: number
}

/**
 * Logs of one host's containers: one live stream per container and choice of streams, shared by all who follow it. A reader first catches up by reading the log at its own pace,
 * then joins the live stream exactly where it stands. A reader that falls behind is cut off with its offset; it holds up nobody else.
 */
export class LogHub {
  private readonly live = new Map<string, Live>()

  constructor(private link: AgentLink) {}

  follow(link: AgentLink): void {
    this.link = link
  }

  get openStreams(): number {
    return this.live.size
  }

  /** @returns where the log begins and ends now, and the function that leaves. @throws ServerError of the agent */
  async subscribe(
    wish: LogWish,
    asker: Asker,
    listener: LogListener,
  ): Promise<{ startOffset: number; endOffset: number; leave: () => void; begin: () => void }> {
    const first = await this.read(wish, asker, wish.fromOffset, wish.tail)
    const position = first.records.at(-1)?.next ?? wish.fromOffset ?? first.endOffset
    const reader = new Reader(listener, position)
    return {
      startOffset: first.startOffset,
      endOffset: first.endOffset,
      leave: () => this.leave(reader),
      begin: () => void this.catchUp(wish, asker, reader, first),
    }
  }

  private async read(wish: LogWish, asker: Asker, fromOffset: number | undefined, tail: number | null): Promise<LogPage> {
    const input = {
      container: wish.container,
      stdout: wish.stdout,
      stderr: wish.stderr,
      ...(fromOffset !== undefined ? { fromOffset, tail: null } : { tail, ...(wish.since ? { since: wish.since } : {}) }),
      limit: fromOffset === undefined && tail !== null ? Math.max(1, Math.min(tail, 10_000)) : pageLines,
    }
    return (await this.link.query(asker, 'logs.read', input)) as LogPage
  }

  /** Reads pages until the reader stands where the live stream stands, then hands it over. */
  private async catchUp(wish: LogWish, asker: Asker, reader: Reader, first: LogPage): Promise<void> {
    try {
      let page = first
      for (;;) {
        await reader.give(page.records)
        if (reader.left) return
        const live = this.live.get(keyOf(wish))
        if (live && reader.position >= live.position) {
          this.join(live, reader)
          return
        }
        const atEnd = page.nextOffset === null || reader.position >= page.endOffset
        if (!live && atEnd) {
          await this.start(wish, reader)
          return
        }
        page = await this.read(wish, asker, reader.position, null)
        // A gap of lines of the other stream: nothing to show, but the place moves on.
        if (page.records.length === 0) reader.position = Math.max(reader.position, page.nextOffset ?? page.endOffset)
      }
    } catch (error) {
      const lost = !(error instanceof ServerError) || error.code === 'unavailable' || error.code === 'internal'
      reader.end(
        error instanceof SlowReader ? 'slow' : lost ? 'lost' : error.code === 'permission_denied' ? 'denied' : 'gone',
        error instanceof Error ? error.message : String(error),
      )
    }
  }

  private join(live: Live, reader: Reader): void {
    live.readers.add(reader)
    reader.onLeave = () => this.leave(reader)
  }

  private async start(wish: LogWish, reader: Reader): Promise<void> {
    const key = keyOf(wish)
    const input = { container: wish.container, stdout: wish.stdout, stderr: wish.stderr, tail: null, fromOffset: reader.position }
    const readers = new Set<Reader>()
    const live: Live = {
      readers,
      position: reader.position,
      stream: this.link.streams.open('logs.open', dashboardAsker, input, (name, args) => {
        if (name === 'logs.batch') {
          const records = args[0] as LogRecord[]
          live.position = Math.max(live.position, records.at(-1)?.next ?? 0)
          for (const one of [...readers]) one.push(records)
          ;(args[1] as (() => void) | undefined)?.()
        } else if (name === 'stream.end') {
          if (this.live.get(key) === live) this.live.delete(key)
          const [reason, detail] = args as ['ended' | 'slow' | 'gone' | 'denied' | 'lost' | 'closed', { message: string }]
          for (const one of [...readers]) void one.finish(reason, detail.message)
        }
      }),
    }
    this.live.set(key, live)
    this.join(live, reader)
    try {
      await live.stream.answer
    } catch (error) {
      if (this.live.get(key) === live) this.live.delete(key)
      for (const one of [...readers]) one.end('lost', (error as Error).message)
    }
  }

  private leave(reader: Reader): void {
    reader.left = true
    for (const [key, live] of this.live) {
      if (!live.readers.delete(reader) || live.readers.size > 0) continue
      this.live.delete(key)
      live.stream.close(dashboardAsker)
    }
  }
}

function keyOf(wish: LogWish): string {
  return JSON.stringify([wish.container, wish.stdout, wish.stderr])
}

class SlowReader extends Error {}

/** One reader's place, its queue, and the window of batches that it may leave unacknowledged. */
class Reader {
  left = false
  onLeave: () => void = () => undefined
  private waiting: LogRecord[] = []
  private underWay = 0
  private acknowledged: number
  private room: (() => void) | null = null
  private ending: (() => void) | null = null

  constructor(
    private readonly listener: LogListener,
    public position: number,
  ) {
    this.acknowledged = position
  }

  /** While catching up: kept when the window has room again. @throws SlowReader when the reader acknowledges nothing for 30 s */
  async give(records: LogRecord[]): Promise<void> {
    for (let at = 0; at < records.length && !this.left; at += batchLines) {
      if (this.underWay >= mostUnderWay) await this.forRoom()
      this.send(records.slice(at, at + batchLines))
    }
  }

  /** Live: never waits. */
  push(records: LogRecord[]): void {
    if (this.left) return
    const from = this.position
    // The live stream may have begun a little before this reader's place.
    for (const record of records) if (record.offset >= from) this.waiting.push(record)
    if (this.waiting.length > mostWaiting) {
      this.end('slow', 'the log was read too slowly; resume at the offset')
      return
    }
    this.flush()
  }

  /** The live stream ended: what waits is given first. */
  finish(reason: Parameters<LogListener['ended']>[0], message: string): void {
    this.ending = () => this.end(reason, message)
    this.flush()
  }

  end(reason: Parameters<LogListener['ended']>[0], message: string): void {
    if (this.left) return
    this.left = true
    this.onLeave()
    this.listener.ended(reason, message, this.acknowledged)
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.underWay < mostUnderWay && !this.left) this.send(this.waiting.splice(0, batchLines))
    if (this.waiting.length === 0 && this.underWay === 0) this.ending?.()
  }

  private send(records: LogRecord[]): void {
    const next = records.at(-1)?.next
    if (next === undefined) return
    this.position = next
    this.underWay += 1
    void this.listener.batch(records).then(() => {
      this.underWay -= 1
      this.acknowledged = Math.max(this.acknowledged, next)
      this.room?.()
      this.flush()
    })
  }

  private forRoom(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new SlowReader('the log was read too slowly; resume at the offset')), patienceMs)
      this.room = () => {
        if (this.underWay >= mostUnderWay) return
        clearTimeout(timer)
        this.room = null
        resolve()
      }
    })
  }
}
