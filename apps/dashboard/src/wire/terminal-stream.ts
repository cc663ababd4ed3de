import type { EndReason, openTerminal } from '@berth/contract/stream'
import type * as z from 'zod'
import { WireFailure } from './failure.ts'
import { holdHostChannel } from './sockets.ts'

export type TerminalInput = Pick<z.input<typeof openTerminal>, 'target' | 'cols' | 'rows' | 'readOnly'>
export interface TerminalHandlers {
  /** A (re)opening: clear the screen, the replay follows. */
  opened(state: { terminal: boolean; cols: number; rows: number; writable: boolean }): void
  /** Bytes for the screen; keep the promise when they are drawn (xterm's write callback): that is what grants more. */
  output(bytes: Uint8Array): void | Promise<void>
  /** Bytes of a process without a terminal on its second descriptor. Absent: they come as output. */
  stderr?(bytes: Uint8Array): void | Promise<void>
  /** Bytes of the past: draw them and send nothing that the terminal answers to them. `replayed` follows. */
  replay(bytes: Uint8Array): void | Promise<void>
  replayed?(): void
  /** Somebody else who watches changed the size. */
  resized?(cols: number, rows: number): void
  exited(exit: { exitCode: number; signal: number | null; oomKilled: boolean }): void
  /** The network, the dashboard or the agent is away; the session lives on and comes back by itself. */
  lost?(): void
  ended?(reason: EndReason, message: string): void
  refused?(error: WireFailure): void
}
export interface TerminalStream {
  /** Kept when the process's pipe has taken the bytes. @throws WireFailure `unavailable` while the connection is lost: nothing is typed twice */
  write(bytes: Uint8Array): Promise<void>
  resize(cols: number, rows: number): void
  /** End of input, for a process without a terminal. */
  endInput(): void
  /** Leaves; what runs goes on. */
  close(): void
}

/** Output granted at the beginning, and how much is gathered before more is granted. */
const creditBytes = 131_072
const grantBytes = 16_384
/** Input that may be unacknowledged (stream.ts). */
const inputWindowBytes = 131_072
/** One message; the window holds several. */
const inputChunkBytes = 32_768

/** A terminal (or the pipes) of an exec, of a container's first process, or of the host. */
export function openTerminalStream(hostId: string, input: TerminalInput, handlers: TerminalHandlers): TerminalStream {
  const { channel, release } = holdHostChannel(hostId)
  const { socket } = channel
  let size = { cols: input.cols ?? 80, rows: input.rows ?? 24 }
  let attempt = 0
  let open = false
  let exited = false
  let drawn = 0
  let unacknowledged = 0
  let queue: { bytes: Uint8Array; kept: () => void; broken: (error: WireFailure) => void }[] = []

  const away = (): void => {
    open = false
    unacknowledged = 0
    const waiting = queue
    queue = []
    for (const one of waiting) one.broken(new WireFailure({ code: 'unavailable', message: 'the connection to the terminal is lost' }))
  }
  const draw = (bytes: Uint8Array, taken: void | Promise<void>): void => {
    const mine = attempt
    const grant = (): void => {
      if (mine !== attempt || !stream.id) return
      drawn += bytes.byteLength
      if (drawn < grantBytes) return
      socket.emit('terminal.credit', stream.id, drawn)
      drawn = 0
    }
    if (taken) void taken.then(grant, grant)
    else grant()
  }
  const pump = (): void => {
    while (open && stream.id && queue.length > 0) {
      const next = queue[0] as (typeof queue)[number]
      if (unacknowledged > 0 && unacknowledged + next.bytes.byteLength > inputWindowBytes) return
      queue.shift()
      unacknowledged += next.bytes.byteLength
      const mine = attempt
      let answered = false
      pendingBreaks.add(breakNext)
      function breakNext(): void {
        if (answered) return
        answered = true
        next.broken(new WireFailure({ code: 'unavailable', message: 'the connection to the terminal is lost' }))
      }
      socket.emit('terminal.input', stream.id, next.bytes, (answer) => {
        pendingBreaks.delete(breakNext)
        if (answered || mine !== attempt) return
        answered = true
        unacknowledged -= next.bytes.byteLength
        if (answer.ok) next.kept()
        else next.broken(new WireFailure(answer.error))
        pump()
      })
    }
  }
  const pendingBreaks = new Set<() => void>()

  const stream = channel.add<'terminal.open'>({
    event: 'terminal.open',
    attempt: () => {
      attempt += 1
      drawn = 0
      return { target: input.target, readOnly: input.readOnly ?? false, ...size, replay: true, credit: creditBytes }
    },
    opened: (state) => {
      open = true
      handlers.opened(state)
      pump()
    },
    lost: () => {
      away()
      for (const breakOne of pendingBreaks) breakOne()
      pendingBreaks.clear()
      if (!exited) handlers.lost?.()
    },
    refused: (error) => {
      away()
      handlers.refused?.(error)
    },
    ended: (reason, detail) => {
      away()
      handlers.ended?.(reason, detail.message)
    },
    sink: {
      'terminal.output': (bytes) => draw(asBytes(bytes), handlers.output(asBytes(bytes))),
      'terminal.stderr': (bytes) => draw(asBytes(bytes), (handlers.stderr ?? handlers.output)(asBytes(bytes))),
      'terminal.replay': (bytes) => draw(asBytes(bytes), handlers.replay(asBytes(bytes))),
      'terminal.replayed': () => handlers.replayed?.(),
      'terminal.resized': (cols, rows) => handlers.resized?.(cols, rows),
      'terminal.exit': (exit) => {
        exited = true
        handlers.exited(exit)
      },
    },
  })

  return {
    write: async (bytes) => {
      if (!open) throw new WireFailure({ code: 'unavailable', message: 'the connection to the terminal is lost' })
      const parts: Promise<void>[] = []
      for (let at = 0; at < bytes.byteLength; at += inputChunkBytes) {
        const part = bytes.subarray(at, at + inputChunkBytes)
        parts.push(new Promise((kept, broken) => queue.push({ bytes: part, kept, broken })))
      }
      pump()
      await Promise.all(parts)
    },
    resize: (cols, rows) => {
      size = { cols, rows }
      if (open && stream.id) socket.emit('terminal.resize', { stream: stream.id, cols, rows })
    },
    endInput: () => {
      if (open && stream.id) socket.emit('terminal.eof', stream.id)
    },
    close: () => {
      stream.close()
      away()
      release()
    },
  }
}

/** socket.io gives an ArrayBuffer in browsers whatever was sent. */
function asBytes(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
}
