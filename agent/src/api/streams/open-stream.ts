import type { EndReason, ServerEvents } from '@berth/contract/stream'
import type { Socket } from 'socket.io'
import type { Engine } from '../../engine.ts'
import { codeOf, messageOf } from '../../errors.ts'
import type { Attachment } from '../../tasks/tasks.ts'
import type { Caller } from '../context.ts'

export type ApiSocket = Socket<Record<string, (...args: unknown[]) => void>, ServerEvents>

/** What a socket holds for each stream that a client opened. */
export interface OpenStream {
  /** Leaves; what runs goes on. Called once. */
  stop(): void
  /** Terminals only. */
  terminal?: { attachment: Attachment; writable: boolean }
}

/** What an opener gets. */
export interface StreamContext {
  engine: Engine
  caller: Caller
  socket: ApiSocket
  /** The client's name for the stream. */
  stream: string
  /** Forgets the stream and tells the client why; does nothing when it is over already. */
  end(reason: EndReason, detail: { message: string; offset?: number }): void
}

/** Packets that wait in the socket because the other side does not read; beyond this a reader is cut off. Packets, not bytes: each is bounded by its sender. */
const mostWaiting = 512

/** True when the client reads too slowly for a stream that cannot wait. */
export function isBehind(socket: ApiSocket): boolean {
  return (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length > mostWaiting
}

/** The end that fits an error. */
export function endOfError(error: unknown): { reason: EndReason; message: string } {
  const code = codeOf(error)
  const reason: EndReason = code === 'permission_denied' ? 'denied' : code === 'not_found' ? 'gone' : 'lost'
  return { reason, message: messageOf(error) }
}
