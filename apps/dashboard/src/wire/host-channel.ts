import type { WireError } from '@berth/contract/error'
import type { ClientEvents, EndReason, ServerEvents } from '@berth/contract/stream'
import type { Socket } from 'socket.io-client'
import { WireFailure } from './failure.ts'

/** What is known of a host's link: `connecting` = this page has no connection to the dashboard yet. */
export type HostState =
  | Parameters<ServerEvents['host.state']>[0]
  | { state: 'connecting'; since: string; lastSeenAt: null; message: string }

type StreamEvents = Omit<ServerEvents, 'host.state' | 'stream.end'>
type WithoutStream<F> = F extends (stream: string, ...rest: infer Rest) => void ? (...rest: Rest) => void : never
/** What a stream does with each message that belongs to it. */
export type Sink = { [Name in keyof StreamEvents]?: WithoutStream<StreamEvents[Name]> }

const streamEventNames = [
  'events.items',
  'events.reset',
  'logs.batch',
  'stats.items',
  'operations.progress',
  'operations.state',
  'terminal.output',
  'terminal.stderr',
  'terminal.replay',
  'terminal.replayed',
  'terminal.resized',
  'terminal.exit',
  'stream.end',
] as const satisfies readonly (keyof StreamEvents | 'stream.end')[]

type HostSocket = Socket<ServerEvents, ClientEvents>
type OpenEvent = 'events.open' | 'logs.open' | 'stats.open' | 'operations.open' | 'terminal.open'
type OpenAnswer<Name extends OpenEvent> = Parameters<Parameters<ClientEvents[Name]>[1]>[0] extends infer Answer
  ? Answer extends { ok: true; value: infer Value }
    ? Value
    : never
  : never

/**
 * One stream that outlives connections. `attempt` says how to open it now (it is asked again on every reconnection, so it names where to resume);
 * `opened` gets the acknowledgement; `ended` is told when it is over for good.
 */
export interface StreamPlan<Name extends OpenEvent> {
  event: Name
  attempt(): Omit<Parameters<ClientEvents[Name]>[0], 'stream'>
  opened?(value: OpenAnswer<Name>): void
  sink: Sink
  /** Not sent for `lost` and `slow`: those are resumed. */
  ended?(reason: EndReason, detail: { message: string; offset?: number }): void
  /** A refusal (no permission, no such container). The stream is over. */
  refused?(error: WireFailure): void
  /** The connection or the host is gone; it will be opened again. */
  lost?(): void
}

interface Live {
  id: string | null
  plan: StreamPlan<OpenEvent>
  /** What came before the acknowledgement; given after it. Null: acknowledged. */
  early: (() => void)[] | null
}

/** How long a stream rests before it is opened again while its host is online. */
const pauseMs = { slow: 250, lost: 1_000 }

/**
 * Everything that flows between this page and one host, over the namespace `/hosts/<id>`. A stream gets a new id for each attempt, so a late message
 * of an earlier attempt finds nobody. Streams are opened when the namespace is connected and the host is online, closed locally when either ends, and opened again.
 */
export class HostChannel {
  private readonly live = new Set<Live>()
  private readonly byId = new Map<string, Live>()
  private readonly stateListeners = new Set<(state: HostState) => void>()
  private counter = 0
  private current: HostState = { state: 'connecting', since: new Date().toISOString(), lastSeenAt: null, message: '' }

  constructor(readonly socket: HostSocket) {
    socket.on('host.state', (state) => {
      const was = this.current.state
      this.setState(state)
      if (state.state === 'online' && was !== 'online') for (const stream of this.live) this.open(stream)
      else if (state.state !== 'online') for (const stream of this.live) this.forget(stream)
    })
    socket.on('disconnect', () => {
      this.setState({ state: 'connecting', since: new Date().toISOString(), lastSeenAt: null, message: '' })
      for (const stream of this.live) this.forget(stream)
    })
    for (const name of streamEventNames) {
      socket.on(name, ((stream: string, ...rest: unknown[]) => this.deliver(name, stream, rest)) as never)
    }
  }

  get state(): HostState {
    return this.current
  }

  onState(listener: (state: HostState) => void): () => void {
    this.stateListeners.add(listener)
    return () => this.stateListeners.delete(listener)
  }

  /** Adds a stream; the function given back leaves it. */
  add<Name extends OpenEvent>(plan: StreamPlan<Name>): { close(): void; readonly id: string | null } {
    const stream: Live = { id: null, plan: plan as unknown as StreamPlan<OpenEvent>, early: null }
    this.live.add(stream)
    if (this.current.state === 'online') this.open(stream)
    return {
      close: () => {
        if (!this.live.delete(stream)) return
        if (stream.id) {
          this.byId.delete(stream.id)
          if (this.socket.connected) this.socket.emit('close', stream.id)
          stream.id = null
        }
      },
      get id() {
        return stream.id
      },
    }
  }

  private open(stream: Live): void {
    if (stream.id) return
    this.counter += 1
    const id = `s${this.counter}`
    stream.id = id
    stream.early = []
    this.byId.set(id, stream)
    const { plan } = stream
    const acknowledge = (answer: { ok: true; value: unknown } | { ok: false; error: WireError }): void => {
      if (stream.id !== id) return
      const early = stream.early ?? []
      stream.early = null
      if (answer.ok) {
        plan.opened?.(answer.value as never)
        for (const deliver of early) if (stream.id === id) deliver()
        return
      }
      this.byId.delete(id)
      stream.id = null
      // The host went away between the question and the answer: its next `online` opens the stream again.
      if (answer.error.code === 'unavailable') {
        plan.lost?.()
        this.openLater(stream, pauseMs.lost)
        return
      }
      this.live.delete(stream)
      plan.refused?.(new WireFailure(answer.error))
    }
    this.socket.emit(plan.event, { stream: id, ...plan.attempt() } as never, acknowledge as never)
  }

  private forget(stream: Live): void {
    if (!stream.id) return
    this.byId.delete(stream.id)
    stream.id = null
    stream.plan.lost?.()
  }

  private deliver(name: (typeof streamEventNames)[number], id: string, rest: unknown[]): void {
    const stream = this.byId.get(id)
    if (!stream) return
    if (stream.early) {
      stream.early.push(() => this.hand(stream, name, rest))
      return
    }
    this.hand(stream, name, rest)
  }

  private hand(stream: Live, name: (typeof streamEventNames)[number], rest: unknown[]): void {
    if (name === 'stream.end') {
      this.end(stream, rest[0] as EndReason, rest[1] as { message: string; offset?: number })
      return
    }
    ;(stream.plan.sink[name] as ((...args: unknown[]) => void) | undefined)?.(...rest)
  }

  private end(stream: Live, reason: EndReason, detail: { message: string; offset?: number }): void {
    if (reason === 'lost' || reason === 'slow') {
      this.forget(stream)
      this.openLater(stream, pauseMs[reason])
      return
    }
    if (stream.id) this.byId.delete(stream.id)
    stream.id = null
    this.live.delete(stream)
    stream.plan.ended?.(reason, detail)
  }

  private openLater(stream: Live, ms: number): void {
    setTimeout(() => {
      if (this.live.has(stream) && this.current.state === 'online') this.open(stream)
    }, ms)
  }

  private setState(state: HostState): void {
    this.current = state
    for (const listener of this.stateListeners) listener(state)
  }
}
