import type { Permission } from '@berth/contract/permission'
import type { ClientEvents, EndReason, ServerEvents } from '@berth/contract/stream'
import { clientEventNames, openEvents, openLogs, openOperation, openStats, openTerminal, resizeTerminal } from '@berth/contract/stream'
import type { Socket } from 'socket.io'
import * as z from 'zod'
import type { Principal } from '../access/access.ts'
import type { AuditBeginning } from '../audit/audit.ts'
import { ServerError, wireErrorOf } from '../errors.ts'
import type { UpstreamStream } from '../links/upstream-streams.ts'
import type { Log } from '../log.ts'
import { askerFor } from './asker.ts'
import { isBehind } from './back-pressure.ts'
import type { HostHubs } from './host-hubs.ts'
import { isAudited, permissionOfEvent, subjectOf } from './host-permissions.ts'
import type { RelayRooms } from './relay-trpc.ts'

export type HostSocket = Socket<ClientEvents, ServerEvents>
export interface SessionRooms extends RelayRooms {
  hubs: HostHubs
  log: Log
}

interface OpenStream {
  /** What its owner must go on having. */
  needed: Permission
  close(): void
  terminal?: UpstreamStream
  /** Bytes that were typed and that the agent has not taken. */
  typing?: number
}

const mostStreams = 128
const mostInputBytes = 131_072
/** A host that does not read, or a browser that does not wait for acknowledgements, must not fill our memory. */
const mostTyping = 4 * mostInputBytes
const streamName = z.string().min(1).max(64)
const openers = {
  'events.open': openEvents,
  'logs.open': openLogs,
  'stats.open': openStats,
  'operations.open': openOperation,
  'terminal.open': openTerminal,
} as const

/** How long a connection stays open for a farewell that has been written. */
const farewellMs = 150

/**
 * One browser's conversation with one host. Every event is checked against the roles of this moment before anything is done; a role that is taken away ends what
 * it had opened. Reads are shared with all other browsers through the hubs; terminals and operations have a stream of their own at the agent.
 */
export class HostSession {
  private readonly streams = new Map<string, OpenStream>()
  private readonly stops: (() => void)[] = []

  constructor(
    private readonly socket: HostSocket,
    private readonly principal: Principal,
    private readonly hostId: string,
    private readonly rooms: SessionRooms,
  ) {
    for (const name of clientEventNames) socket.on(name, ((...args: unknown[]) => this.receive(name, args)) as never)
    this.tellState()
    const onState = (id: string): void => {
      if (id === hostId) this.tellState()
    }
    const onPerson = (id: string): void => {
      if (id === principal.personId) this.recheck()
    }
    const onCredential = (id: string): void => {
      if (id !== principal.credentialId) return
      // This namespace ends now. The connection, which the dashboard's own namespace shares, only when its farewell has left: the page must hear that it is to sign in again.
      const { conn } = socket
      socket.disconnect()
      setTimeout(() => conn.close(), farewellMs)
    }
    rooms.links.on('state', onState)
    rooms.links.on('removed', onState)
    rooms.access.on('person-changed', onPerson)
    rooms.access.on('credential-ended', onCredential)
    this.stops.push(
      () => rooms.links.off('state', onState),
      () => rooms.links.off('removed', onState),
      () => rooms.access.off('person-changed', onPerson),
      () => rooms.access.off('credential-ended', onCredential),
    )
    socket.on('disconnect', () => {
      for (const stop of this.stops.splice(0)) stop()
      for (const stream of this.streams.values()) stream.close()
      this.streams.clear()
    })
  }

  private tellState(): void {
    const link = this.rooms.links.find(this.hostId)
    if (link) this.socket.emit('host.state', link.state)
    else
      this.socket.emit('host.state', {
        state: 'revoked',
        since: new Date().toISOString(),
        lastSeenAt: null,
        message: 'this host was removed',
      })
  }

  /** Every event comes through here: permission, then its handler; an error goes to the acknowledgement, or ends the stream of an event that has none. */
  private receive(name: keyof ClientEvents, args: unknown[]): void {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as (answer: unknown) => void) : undefined
    const refuse = (error: unknown): void => {
      const wire =
        error instanceof z.ZodError
          ? { code: 'invalid_argument', message: error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') }
          : wireErrorOf(error)
      if (wire.code === 'internal') this.rooms.log.error({ err: error, event: name }, 'a socket event failed')
      if (ack) ack({ ok: false, error: wire })
      else if (wire.code === 'permission_denied') this.end(nameOf(args[0]), 'denied', wire.message)
    }
    try {
      const needed = permissionOfEvent(name, args[0])
      // Leaving is always allowed: a person whose role was taken away must be able to let go.
      if (name !== 'close') this.rooms.access.require(this.principal, this.hostId, needed)
      if (name.endsWith('.open')) void this.open(name as keyof typeof openers, needed, args[0], ack ?? (() => undefined)).catch(refuse)
      else this.later(name, args, ack)
    } catch (error) {
      if (name === 'terminal.open') void this.recordRefusal(name, args[0], error).then(() => refuse(error), refuse)
      else refuse(error)
    }
  }

  private later(name: keyof ClientEvents, args: unknown[], ack?: (answer: unknown) => void): void {
    if (name === 'close') {
      this.end(streamName.parse(args[0]), 'closed', 'closed by the viewer')
      return
    }
    const id = name === 'terminal.resize' ? resizeTerminal.parse(args[0]).stream : streamName.parse(args[0])
    const held = this.streams.get(id)
    const terminal = held?.terminal
    if (!held || !terminal) {
      if (ack) throw new ServerError('not_found', `there is no open terminal "${id}" on this connection`)
      return
    }
    const asker = askerFor(this.rooms.access, this.principal, this.hostId)
    if (name === 'terminal.resize') terminal.send(name, asker, [resizeTerminal.parse(args[0])])
    else if (name === 'terminal.credit') terminal.send(name, asker, [z.number().int().min(1).max(16_777_216).parse(args[1])])
    else if (name === 'terminal.eof') terminal.send(name, asker, [])
    else {
      const bytes = args[1]
      if (!(bytes instanceof Uint8Array) || bytes.byteLength > mostInputBytes)
        throw new ServerError('invalid_argument', `terminal input must be at most ${mostInputBytes} bytes`)
      if ((held.typing ?? 0) + bytes.byteLength > mostTyping)
        throw new ServerError('resource_exhausted', 'the host does not take what was typed before; wait until it does')
      held.typing = (held.typing ?? 0) + bytes.byteLength
      terminal.send(name, asker, [bytes], (answer) => {
        held.typing = (held.typing ?? 0) - bytes.byteLength
        ack?.(answer)
      })
    }
  }

  private async open(name: keyof typeof openers, needed: Permission, raw: unknown, ack: (answer: unknown) => void): Promise<void> {
    const input = openers[name].parse(raw)
    const id = input.stream
    if (this.streams.has(id)) throw new ServerError('already_exists', `the stream "${id}" is open already; choose another name`)
    if (this.streams.size >= mostStreams)
      throw new ServerError('resource_exhausted', `a connection may have ${mostStreams} streams; close some`)
    const held: OpenStream = { needed, close: () => undefined }
    this.streams.set(id, held)
    const intent = isAudited(needed) ? await this.rooms.audit.begin(this.beginningOf(name, raw)) : null
    try {
      const { value, close, begin } = await this.opener(name, id, input, held)
      if (this.streams.get(id) !== held) {
        // The socket went, the role was taken, or the client closed it while it was being opened.
        close()
        await intent?.settle('cancelled', 'closed while it was being opened')
        ack({ ok: false, error: { code: 'cancelled', message: 'the stream was closed while it was being opened' } })
        return
      }
      held.close = close
      await intent?.settle('ok')
      ack({ ok: true, value })
      begin?.()
    } catch (error) {
      if (this.streams.get(id) === held) this.streams.delete(id)
      await intent?.settle(wireErrorOf(error).code, wireErrorOf(error).message)
      throw error
    }
  }

  private async opener(
    name: keyof typeof openers,
    id: string,
    input: z.infer<(typeof openers)[keyof typeof openers]>,
    held: OpenStream,
  ): Promise<{ value: unknown; close: () => void; begin?: () => void }> {
    switch (name) {
      case 'events.open':
        return this.openEvents(id, input as z.infer<typeof openEvents>)
      case 'logs.open':
        return this.openLogs(id, input as z.infer<typeof openLogs>)
      case 'stats.open':
        return this.openStats(id, input as z.infer<typeof openStats>)
      default:
        return this.openOwn(name, id, input, held)
    }
  }

  private openEvents(id: string, { cursor, types }: z.infer<typeof openEvents>): { value: unknown; close: () => void; begin?: () => void } {
    const hub = this.rooms.hubs.get(this.hostId).events
    if (!hub.cursor) throw this.rooms.links.get(this.hostId).unavailable()
    let leave = (): void => undefined
    return {
      value: hub.cursor,
      close: () => leave(),
      // After the acknowledgement, so that nothing comes before it; both in one turn, so that nothing is missed.
      begin: () => {
        leave = hub.subscribe(
          {
            items: (events) => {
              const wanted = types ? events.filter((event) => types.includes(event.type)) : events
              if (wanted.length === 0) return
              if (isBehind(this.socket)) this.end(id, 'slow', 'events were read too slowly; open the stream again with the last cursor')
              else this.socket.emit('events.items', id, wanted)
            },
            reset: (now) => this.socket.emit('events.reset', id, now),
          },
          cursor,
        )
      },
    }
  }

  private async openLogs(id: string, input: z.infer<typeof openLogs>): Promise<{ value: unknown; close: () => void; begin?: () => void }> {
    const { stream: _, ...wish } = input
    const { startOffset, endOffset, leave, begin } = await this.rooms.hubs
      .get(this.hostId)
      .logs.subscribe(wish, askerFor(this.rooms.access, this.principal, this.hostId), {
        batch: (records) => new Promise((resolve) => this.socket.emit('logs.batch', id, records, resolve)),
        ended: (reason, message, offset) => this.end(id, reason, message, offset),
      })
    return { value: { startOffset, endOffset }, close: leave, begin }
  }

  private async openStats(id: string, input: z.infer<typeof openStats>): Promise<{ value: unknown; close: () => void }> {
    const { stream: _, ...wish } = input
    const close = await this.rooms.hubs.get(this.hostId).stats.subscribe(wish, {
      items: (items) => {
        // The next sample replaces this one: a slow reader misses numbers, never a state.
        if (!isBehind(this.socket)) this.socket.emit('stats.items', id, items)
      },
      ended: (reason, message) => this.end(id, reason as EndReason, message),
    })
    return { value: null, close }
  }

  /** A stream of its own at the agent: every message passes as it is. */
  private async openOwn(
    name: 'terminal.open' | 'operations.open',
    id: string,
    input: object,
    held: OpenStream,
  ): Promise<{ value: unknown; close: () => void; begin?: () => void }>
  private async openOwn(name: string, id: string, input: object, held: OpenStream) {
    const asker = askerFor(this.rooms.access, this.principal, this.hostId)
    // Replay may come before the agent's acknowledgement; the browser gets it after.
    let early: [string, unknown[]][] | null = []
    const pass = (event: string, args: unknown[]): void => {
      if (event === 'stream.end') this.end(id, args[0] as EndReason, (args[1] as { message?: string } | undefined)?.message ?? '')
      else this.socket.emit(event as 'terminal.output', id, ...(args as [never]))
    }
    const upstream = this.rooms.links.get(this.hostId).streams.open(name as 'terminal.open', asker, input, (event, args) => {
      if (early) early.push([event, args])
      else pass(event, args)
    })
    if (name === 'terminal.open') held.terminal = upstream
    const value = await upstream.answer
    return {
      value,
      close: () => upstream.close(asker),
      begin: () => {
        const waiting = early ?? []
        early = null
        for (const [event, args] of waiting) pass(event, args)
      },
    }
  }

  /** Ends one stream and says why. Nothing when it is over already. */
  private end(id: string, reason: EndReason, message: string, offset?: number): void {
    const stream = this.streams.get(id)
    if (!stream) return
    this.streams.delete(id)
    stream.close()
    this.socket.emit('stream.end', id, reason, { message, ...(offset !== undefined ? { offset } : {}) })
  }

  /** Roles changed: what they do not allow any more ends now. */
  private recheck(): void {
    const { access } = this.rooms
    const held = access.permissionsOn(this.principal, this.hostId)
    for (const [id, { needed }] of this.streams)
      if (!held.includes(needed)) this.end(id, 'denied', `your role no longer has the permission "${needed}" on this host`)
    if (!held.includes('view')) this.socket.disconnect()
  }

  private beginningOf(action: string, input: unknown): AuditBeginning {
    const host = this.rooms.hosts.find(this.hostId)
    const subject = this.rooms.fleet.named(this.hostId, subjectOf(input))
    return { actor: this.principal, host: { id: this.hostId, name: host?.name ?? '' }, action, subject, detail: input }
  }

  private recordRefusal(action: string, input: unknown, error: unknown): Promise<void> {
    const { code, message } = wireErrorOf(error)
    return this.rooms.audit.append({ ...this.beginningOf(action, input), outcome: code, message })
  }
}

function nameOf(first: unknown): string {
  return typeof first === 'string' ? first : String((first as { stream?: unknown } | null)?.stream ?? '')
}
