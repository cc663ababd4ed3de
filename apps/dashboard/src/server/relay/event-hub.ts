import type { EngineEvent, EventCursor } from '@berth/contract/event'
import type { AgentLink } from '../links/agent-link.ts'
import { dashboardAsker } from '../links/asker.ts'
import type { UpstreamStream } from '../links/upstream-streams.ts'

export interface EventListener {
  items(events: EngineEvent[]): void
  /** Events are missing between the last and the next ones. */
  reset(cursor: EventCursor): void
}

/** So many of the newest events are kept for listeners that come back. */
const kept = 2_000
const retryMs = 1_000

/**
 * One stream of events per host, open as long as the host is online, shared by everybody. Listeners outlive the host's absences: when it is back they get what
 * happened meanwhile, or a reset when the agent does not know any more.
 */
export class EventHub {
  private readonly ring: EngineEvent[] = []
  private readonly listeners = new Set<EventListener>()
  private last: EventCursor | null = null
  private upstream: UpstreamStream | null = null
  private closed = false
  private link: AgentLink

  constructor(link: AgentLink) {
    this.link = link
    this.follow(link)
  }

  /** The host's link was made anew. */
  follow(link: AgentLink): void {
    this.upstream?.close(dashboardAsker)
    this.upstream = null
    this.link = link
    link.on('state', ({ state }) => {
      if (state === 'online' && this.link === link) this.open()
    })
    if (link.state.state === 'online') this.open()
  }

  /** The newest event's place; null before the host was ever online. */
  get cursor(): EventCursor | null {
    return this.last
  }

  /** @param cursor where the listener left off; what came since is given at once, or a reset. @returns the function that leaves */
  subscribe(listener: EventListener, cursor?: EventCursor): () => void {
    this.listeners.add(listener)
    if (cursor && this.last) {
      const first = this.ring[0]
      const known =
        cursor.epoch === this.last.epoch &&
        (cursor.sequence === this.last.sequence || (first !== undefined && cursor.sequence >= first.sequence - 1))
      if (!known) listener.reset(this.last)
      else {
        const missed = this.ring.filter((event) => event.sequence > cursor.sequence)
        if (missed.length > 0) listener.items(missed)
      }
    }
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.closed = true
    this.upstream?.close(dashboardAsker)
    this.listeners.clear()
  }

  private open(): void {
    if (this.closed || this.upstream) return
    const { link } = this
    const input = this.last ? { cursor: this.last } : {}
    const stream = link.streams.open('events.open', dashboardAsker, input, (name, args) => {
      if (this.upstream !== stream) return
      if (name === 'events.items') this.take(args[0] as EngineEvent[])
      else if (name === 'events.reset') this.reset(args[0] as EventCursor)
      else if (name === 'stream.end') this.again()
    })
    this.upstream = stream
    stream.answer.then(
      (value) => {
        if (this.upstream === stream) this.last ??= value as EventCursor
      },
      () => {
        if (this.upstream === stream) this.again()
      },
    )
  }

  private again(): void {
    this.upstream = null
    if (this.closed) return
    setTimeout(() => {
      if (this.link.state.state === 'online') this.open()
    }, retryMs).unref()
  }

  private take(events: EngineEvent[]): void {
    const newest = events.at(-1)
    if (!newest) return
    if (this.last && this.last.epoch !== newest.epoch) this.ring.length = 0
    this.last = { epoch: newest.epoch, sequence: newest.sequence }
    this.ring.push(...events)
    if (this.ring.length > kept) this.ring.splice(0, this.ring.length - kept)
    for (const listener of this.listeners) listener.items(events)
  }

  private reset(cursor: EventCursor): void {
    this.ring.length = 0
    this.last = cursor
    for (const listener of this.listeners) listener.reset(cursor)
  }
}
