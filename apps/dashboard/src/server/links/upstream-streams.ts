import type { WireError } from '@berth/contract/error'
import { type ClientEvents, clientEventNames, type ServerEvents } from '@berth/contract/stream'
import type { Socket } from 'socket.io-client'
import { ServerError } from '../errors.ts'
import { type Asker, dashboardAsker } from './asker.ts'

export type StreamEventName = Exclude<keyof ServerEvents, 'host.state'>
export type OpenEventName = Extract<keyof ClientEvents, `${string}.open`>

/** Every message of a stream, in order, as it came: its name and what follows the stream's id. `stream.end` is the last. */
export type UpstreamSink = (name: StreamEventName, args: unknown[]) => void

const streamEventNames: readonly StreamEventName[] = [
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
]
/** An agent that does not acknowledge is gone; the heartbeat finds out too, but an answer must come. */
const openTimeoutMs = 15_000

export interface UpstreamStream {
  /** The agent's acknowledgement. Rejects with ServerError. */
  readonly answer: Promise<unknown>
  /** A later message of this stream from the client's side: `terminal.input` and the like. `ack` is told `unavailable` when the link goes. */
  send(name: keyof ClientEvents, asker: Asker, args: unknown[], ack?: (answer: unknown) => void): void
  /** Leaves. The sink hears nothing more. */
  close(asker: Asker): void
}

/**
 * The streams that this dashboard has open at one agent, all over one connection, told apart by an id of ours. When the connection goes, each one ends as `lost`.
 */
export class UpstreamStreams {
  private socket: Socket | null = null
  private readonly sinks = new Map<string, UpstreamSink>()
  private readonly waiting = new Set<() => void>()
  private counter = 0

  /**
   * @param claim signs who asks
   * @param nonsense is told of a message that could not be read
   */
  constructor(
    private readonly claim: (asker: Asker) => string,
    private readonly nonsense: (name: string, error: unknown) => void,
  ) {}

  attach(socket: Socket): void {
    this.socket = socket
    for (const name of streamEventNames) {
      socket.on(name, (stream: string, ...args: unknown[]) => {
        const sink = this.sinks.get(stream)
        if (!sink) return
        if (name === 'stream.end') this.sinks.delete(stream)
        try {
          sink(name, args)
        } catch (error) {
          // Whatever a host sends may end its own stream, never this process.
          this.nonsense(name, error)
          if (!this.sinks.delete(stream)) return
          socket.emit('close', this.claim(dashboardAsker), stream)
          sink('stream.end', ['lost', { message: 'the host sent something that cannot be read' }])
        }
      })
    }
  }

  /** The connection is gone: every stream ends, every question that waits is answered. */
  detach(): void {
    this.socket = null
    const sinks = [...this.sinks.values()]
    this.sinks.clear()
    for (const give of [...this.waiting]) give()
    for (const sink of sinks) sink('stream.end', ['lost', { message: 'the connection to the host was lost' }])
  }

  get count(): number {
    return this.sinks.size
  }

  /** @param input without `stream` */
  open(event: OpenEventName, asker: Asker, input: object, sink: UpstreamSink): UpstreamStream {
    const { socket } = this
    this.counter += 1
    const id = `d${this.counter}`
    if (!socket) {
      const answer = Promise.reject(new ServerError('unavailable', 'the host is away'))
      answer.catch(() => undefined)
      return { answer, send: (_name, _asker, _args, ack) => ack?.(away), close: () => undefined }
    }
    this.sinks.set(id, sink)
    const answer = new Promise<unknown>((resolve, reject) => {
      const give = (): void => settle(() => reject(new ServerError('unavailable', 'the host did not answer')))
      const timer = setTimeout(give, openTimeoutMs)
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        this.waiting.delete(give)
        how()
      }
      this.waiting.add(give)
      socket.emit(
        event,
        this.claim(asker),
        { ...input, stream: id },
        (reply: { ok: true; value: unknown } | { ok: false; error: WireError }) =>
          settle(() => {
            if (reply.ok) resolve(reply.value)
            else {
              this.sinks.delete(id)
              reject(new ServerError(reply.error.code, reply.error.message))
            }
          }),
      )
    })
    answer.catch(() => this.sinks.delete(id))
    return {
      answer,
      send: (name, who, args, ack) => this.send(socket, id, name, who, args, ack),
      close: (who) => {
        if (!this.sinks.delete(id)) return
        if (this.socket === socket) socket.emit('close', this.claim(who), id)
      },
    }
  }

  private send(socket: Socket, id: string, name: keyof ClientEvents, asker: Asker, args: unknown[], ack?: (answer: unknown) => void): void {
    if (this.socket !== socket || !this.sinks.has(id)) {
      ack?.(away)
      return
    }
    // resize takes an object with the stream in it; the others begin with the stream.
    const body = name === 'terminal.resize' ? [{ ...(args[0] as object), stream: id }] : [id, ...args]
    if (!ack) {
      socket.emit(name, this.claim(asker), ...body)
      return
    }
    const give = (): void => {
      if (this.waiting.delete(give)) ack(away)
    }
    this.waiting.add(give)
    socket.emit(name, this.claim(asker), ...body, (reply: unknown) => {
      if (this.waiting.delete(give)) ack(reply)
    })
  }
}

const away = { ok: false, error: { code: 'unavailable', message: 'the connection to the host was lost' } } as const
/** Named here so that a test can compare the two lists with the contract. */
export const relayedClientEvents = clientEventNames
export const relayedServerEvents = streamEventNames
