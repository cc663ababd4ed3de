import * as z from 'zod'
import type { WireError } from './error.ts'
import { type EngineEvent, eventCursor, eventTypes } from './event.ts'
import type { LogRecord } from './log.ts'
import type { Operation, OperationProgress } from './operation.ts'
import type { HostPoint, StatsPoint, StatsSample } from './stats.ts'

/**
 * Everything that flows, as socket.io event maps. The agent serves them on its root namespace, the dashboard relays them unchanged on
 * `/hosts/<host id>`: the same names, the same shapes. A client chooses `stream` (unique on its socket) when it opens one; every later
 * message of that stream carries it. `Ack` is socket.io's acknowledgement callback.
 */
const stream = z.string().min(1).max(64)
export const openEvents = z.object({ stream, cursor: eventCursor.optional(), types: z.array(z.enum(eventTypes)).optional() })
export const openLogs = z.object({
  stream,
  container: z.string(),
  stdout: z.boolean().default(true),
  stderr: z.boolean().default(true),
  tail: z.number().int().min(0).max(100000).nullable().default(500),
  fromOffset: z.number().int().min(0).optional(),
  since: z.string().optional(),
})
/** `containers: 'all'` = every running container; `host` = the machine itself too. One sample per second. */
export const openStats = z.object({
  stream,
  containers: z.union([z.literal('all'), z.array(z.string()).max(1000)]),
  host: z.boolean().default(false),
  full: z.boolean().default(false),
})
export const openOperation = z.object({ stream, id: z.string() })
export const openTerminal = z.object({
  stream,
  /** An exec made by exec.create (begins it if it has not begun; else joins it with its replay), a container's first process, or a shell on the host. */
  target: z.union([z.object({ exec: z.string() }), z.object({ container: z.string() }), z.object({ hostConsole: z.string() })]),
  cols: z.number().int().min(1).max(1000).default(80),
  rows: z.number().int().min(1).max(1000).default(24),
  replay: z.boolean().default(true),
  /** Watch without typing. */
  readOnly: z.boolean().default(false),
  /** Bytes of output granted at the beginning; further ones by terminal.credit. */
  credit: z.number().int().min(1).max(1_048_576).default(131_072),
})
export const resizeTerminal = z.object({ stream, cols: z.number().int().min(1).max(1000), rows: z.number().int().min(1).max(1000) })

export type Ack<T> = (answer: { ok: true; value: T } | { ok: false; error: WireError }) => void
export type EndReason = 'ended' | 'slow' | 'gone' | 'denied' | 'lost' | 'closed'

/** Browser → dashboard → agent. */
export interface ClientEvents {
  'events.open': (input: z.input<typeof openEvents>, ack: Ack<{ epoch: string; sequence: number }>) => void
  'logs.open': (input: z.input<typeof openLogs>, ack: Ack<{ startOffset: number; endOffset: number }>) => void
  'stats.open': (input: z.input<typeof openStats>, ack: Ack<null>) => void
  'operations.open': (input: z.input<typeof openOperation>, ack: Ack<Operation>) => void
  'terminal.open': (
    input: z.input<typeof openTerminal>,
    ack: Ack<{ terminal: boolean; cols: number; rows: number; writable: boolean }>,
  ) => void
  /** Acknowledged when the process's pipe has taken the bytes: keep at most 128 KiB unacknowledged. */
  'terminal.input': (stream: string, bytes: Uint8Array, ack: Ack<null>) => void
  'terminal.resize': (input: z.input<typeof resizeTerminal>) => void
  'terminal.credit': (stream: string, bytes: number) => void
  /** End of stdin (pipes). */
  'terminal.eof': (stream: string) => void
  /** Leaves any stream. What runs goes on. */
  close: (stream: string) => void
}

/** Agent → dashboard → browser. */
export interface ServerEvents {
  'events.items': (stream: string, events: EngineEvent[]) => void
  /** The cursor's epoch is gone or too old: read the lists again. */
  'events.reset': (stream: string, cursor: { epoch: string; sequence: number }) => void
  /** Up to 500 records; the next batch is sent when this one is acknowledged (at most four are under way). */
  'logs.batch': (stream: string, records: LogRecord[], ack: () => void) => void
  'stats.items': (
    stream: string,
    items: { containers: { id: string; point: StatsPoint; sample?: StatsSample }[]; host: HostPoint | null },
  ) => void
  'operations.progress': (stream: string, lines: OperationProgress[]) => void
  'operations.state': (stream: string, operation: Operation) => void
  'terminal.output': (stream: string, bytes: Uint8Array) => void
  'terminal.stderr': (stream: string, bytes: Uint8Array) => void
  /** Bytes of the past; show them, answer nothing to them. They count against the credit too. */
  'terminal.replay': (stream: string, bytes: Uint8Array) => void
  'terminal.replayed': (stream: string) => void
  'terminal.resized': (stream: string, cols: number, rows: number) => void
  'terminal.exit': (stream: string, exit: { exitCode: number; signal: number | null; oomKilled: boolean }) => void
  /** The stream is over. `offset` (logs): where to resume. */
  'stream.end': (stream: string, reason: EndReason, detail: { message: string; offset?: number }) => void
  /** Dashboard only: what it knows of the link to this host changed. */
  'host.state': (state: { state: 'online' | 'away' | 'revoked'; since: string; lastSeenAt: string | null; message: string }) => void
}
export const clientEventNames = [
  'events.open',
  'logs.open',
  'stats.open',
  'operations.open',
  'terminal.open',
  'terminal.input',
  'terminal.resize',
  'terminal.credit',
  'terminal.eof',
  'close',
] as const satisfies readonly (keyof ClientEvents)[]
