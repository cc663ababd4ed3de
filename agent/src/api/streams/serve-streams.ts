import { type Permission, streamPermissions } from '@berth/contract/permission'
import { type Ack, type ClientEvents, clientEventNames, resizeTerminal } from '@berth/contract/stream'
import type { Server } from 'socket.io'
import * as z from 'zod'
import type { Engine } from '../../engine.ts'
import { codeOf, EngineError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Caller } from '../context.ts'
import { requirePermission } from '../policy.ts'
import * as events from './events.ts'
import * as logs from './logs.ts'
import type { ApiSocket, OpenStream, StreamContext } from './open-stream.ts'
import * as operations from './operations.ts'
import * as stats from './stats.ts'
import * as terminal from './terminal.ts'

const mostStreams = 512
const mostInputBytes = 128 * 1024
const streamName = z.string().min(1).max(64)

type Opened = { value: unknown; open: OpenStream }
interface Opener {
  input: z.ZodType<{ stream: string }>
  open(context: StreamContext, input: never): Opened | Promise<Opened>
}
const openers = {
  'events.open': events,
  'logs.open': logs,
  'stats.open': stats,
  'operations.open': operations,
  'terminal.open': terminal,
} as const satisfies Record<string, Opener>

/**
 * Serves the event maps of contract/stream.ts on every socket of `server`.
 * @param authenticate turns an event's claim into its caller, and says whether events carry one: on the mutual TLS port their first argument is the claim, on the local socket they have none
 */
export function serveStreams(
  server: Server,
  engine: Engine,
  log: Logger,
  authenticate: { claimed: boolean; caller(claim: unknown): Caller },
): void {
  server.on('connection', (plain) => new SocketSession(plain as unknown as ApiSocket, engine, log, authenticate))
}

/** One connection and its streams. */
class SocketSession {
  readonly #streams = new Map<string, OpenStream>()
  readonly #opening = new Set<string>()
  readonly #socket: ApiSocket
  readonly #engine: Engine
  readonly #log: Logger
  readonly #authenticate: { claimed: boolean; caller(claim: unknown): Caller }

  constructor(socket: ApiSocket, engine: Engine, log: Logger, authenticate: { claimed: boolean; caller(claim: unknown): Caller }) {
    this.#socket = socket
    this.#engine = engine
    this.#log = log
    this.#authenticate = authenticate
    for (const name of clientEventNames) socket.on(name, (...args) => this.#receive(name, args))
    socket.on('disconnect', () => {
      for (const open of this.#streams.values()) open.stop()
      this.#streams.clear()
      this.#opening.clear()
    })
  }

  /** Every event comes through here: claim, permission, then its handler; an error goes to the acknowledgement, or ends the stream of an event that has none. */
  #receive(name: keyof ClientEvents, args: unknown[]): void {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as Ack<unknown>) : undefined
    const claim = this.#authenticate.claimed ? args.shift() : undefined
    this.#handle(name, claim, args)
      .then((value) => ack?.({ ok: true, value }))
      .catch((error: unknown) => {
        const code = error instanceof z.ZodError ? 'invalid_argument' : codeOf(error)
        const message =
          error instanceof z.ZodError
            ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
            : messageOf(error)
        if (code === 'internal') this.#log.error({ event: name, err: error }, 'a socket event failed')
        if (ack) ack({ ok: false, error: { code, message } })
        else if (code === 'permission_denied') this.#end(nameOf(args[0]), 'denied', { message })
      })
  }

  async #handle(name: keyof ClientEvents, claim: unknown, args: unknown[]): Promise<unknown> {
    const caller = this.#authenticate.caller(claim)
    requirePermission(caller, permissionOf(name, args[0]), this.#engine.config.policy)
    switch (name) {
      case 'close':
        return this.#close(streamName.parse(args[0]))
      case 'terminal.input':
        return this.#input(streamName.parse(args[0]), args[1])
      case 'terminal.resize': {
        const { stream, cols, rows } = resizeTerminal.parse(args[0])
        return this.#terminal(stream)?.attachment.resize(cols, rows)
      }
      case 'terminal.credit':
        return this.#terminal(streamName.parse(args[0]))?.attachment.credit(z.number().int().min(1).max(16_777_216).parse(args[1]))
      case 'terminal.eof': {
        const found = this.#terminal(streamName.parse(args[0]))
        return found?.writable ? found.attachment.closeStdin() : undefined
      }
      default:
        return this.#open(openers[name], caller, args[0])
    }
  }

  async #open(opener: Opener, caller: Caller, raw: unknown): Promise<unknown> {
    const input = opener.input.parse(raw)
    const { stream } = input
    if (this.#streams.has(stream) || this.#opening.has(stream))
      throw new EngineError('already_exists', `the stream "${stream}" is open already; choose another name`)
    if (this.#streams.size + this.#opening.size >= mostStreams)
      throw new EngineError('resource_exhausted', `a connection may have ${mostStreams} streams; close some`)
    this.#opening.add(stream)
    // An end that comes while it is still being opened is told after the acknowledgement.
    let early: Parameters<StreamContext['end']> | null = null
    const context: StreamContext = {
      engine: this.#engine,
      caller,
      socket: this.#socket,
      stream,
      end: (...ending) => {
        if (this.#opening.has(stream)) early = ending
        else this.#end(stream, ...ending)
      },
    }
    try {
      const { value, open } = await opener.open(context, input as never)
      if (!this.#opening.delete(stream)) {
        // The socket went, or the client closed the stream, while it was being opened.
        open.stop()
        return value
      }
      this.#streams.set(stream, open)
      if (early) setImmediate(() => this.#end(stream, ...(early as Parameters<StreamContext['end']>)))
      return value
    } finally {
      this.#opening.delete(stream)
    }
  }

  #terminal(stream: string): OpenStream['terminal'] {
    return this.#streams.get(stream)?.terminal
  }

  async #input(stream: string, bytes: unknown): Promise<null> {
    const found = this.#terminal(stream)
    if (!found) throw new EngineError('not_found', `there is no open terminal "${stream}" on this connection`)
    if (!found.writable) throw new EngineError('permission_denied', 'this terminal was opened to watch only')
    if (!(bytes instanceof Uint8Array) || bytes.length > mostInputBytes)
      throw new EngineError('invalid_argument', `terminal input must be at most ${mostInputBytes} bytes`)
    await found.attachment.write(bytes)
    return null
  }

  #close(stream: string): void {
    this.#opening.delete(stream)
    const open = this.#streams.get(stream)
    if (!open) return
    this.#streams.delete(stream)
    open.stop()
    this.#socket.emit('stream.end', stream, 'closed', { message: 'closed by the viewer' })
  }

  #end(stream: string, ...[reason, detail]: Parameters<StreamContext['end']>): void {
    const open = this.#streams.get(stream)
    if (!open) return
    this.#streams.delete(stream)
    open.stop()
    this.#socket.emit('stream.end', stream, reason, detail)
  }
}

/** A shell on the host itself needs more than one in a container. */
function permissionOf(name: keyof ClientEvents, first: unknown): Permission {
  const target = name === 'terminal.open' && typeof first === 'object' && first !== null ? (first as { target?: unknown }).target : null
  return typeof target === 'object' && target !== null && 'hostConsole' in target ? 'host-console' : streamPermissions[name]
}

function nameOf(first: unknown): string {
  return typeof first === 'string' ? first : String((first as { stream?: unknown } | null)?.stream ?? '')
}
