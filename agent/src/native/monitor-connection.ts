/**
 * One client's end of a monitor's attach socket: frames in, calls out. Knows nothing of containers; tasks/ gives it meaning.
 */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorCode } from '@berth/contract/error'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { encodeFrame, encodeSize, encodeUint32, FrameDecoder, frameTypes, maxPayloadBytes } from './frames.ts'

export interface Hello {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  replay: boolean
  flow: 'credit' | 'drop'
  credit?: number
}

export interface Welcome {
  pid: number
  terminal: boolean
  cols: number
  rows: number
  startedAt: string
  /** Absent of a monitor that is older than setPort(). */
  setsPorts?: boolean
}

/** A port of the host and where it leads. */
export interface PortPlan {
  proto: 'tcp' | 'udp'
  hostIp: string
  hostPort: number
  /** '': the port is given back. */
  containerIp: string
  containerPort: number
}

/** What a monitor says, in order; `closed` is the last and comes exactly once. Byte arguments are views: copy what is kept. */
export interface MonitorListener {
  welcome?(welcome: Welcome): void
  stdout?(bytes: Buffer): void
  stderr?(bytes: Buffer): void
  /** Terminal: stream is always stdout. */
  replay?(stream: 'stdout' | 'stderr', bytes: Buffer): void
  replayEnd?(): void
  resized?(cols: number, rows: number): void
  oom?(): void
  /** exit.json's text. */
  exit?(text: string): void
  closed(): void
}

/** Bytes of stdin that may be under way without an acknowledgement (native/README.md). */
const stdinWindowBytes = 128 * 1024
const stdinPieceBytes = 32 * 1024

/** A connection that has been made; send() after it closed does nothing. */
export class MonitorConnection {
  readonly #socket: Duplex
  readonly #listener: MonitorListener
  readonly #decoder = new FrameDecoder()
  #terminal = false
  #closed = false
  #unacknowledged = 0
  #queue: { bytes: Uint8Array; done: (error?: Error) => void }[] = []
  /** Pieces that were sent and wait for their acknowledgement, oldest first. */
  #sent: { bytes: number; done: (error?: Error) => void }[] = []
  #welcome: (welcome: Welcome | null) => void = () => undefined
  /** null when the connection ended before. */
  readonly #welcomed = new Promise<Welcome | null>((resolve) => {
    this.#welcome = resolve
  })
  /** Who waits for an answer about a port, oldest first. */
  #portAnswers: ((error?: Error) => void)[] = []

  constructor(socket: Duplex, listener: MonitorListener) {
    this.#socket = socket
    this.#listener = listener
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', () => this.#end())
    socket.on('end', () => this.#end())
    socket.on('close', () => this.#end())
  }

  get closed(): boolean {
    return this.#closed
  }

  hello(hello: Hello): void {
    this.#send(frameTypes.hello, Buffer.from(JSON.stringify(hello)))
  }

  /** Resolves when the process's pipe has taken the bytes. @throws EngineError `failed_precondition` when the process is gone before. */
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(gone())
      for (let at = 0; at < bytes.length; at += stdinPieceBytes) {
        const last = at + stdinPieceBytes >= bytes.length
        const done = (error?: Error) => {
          if (error) reject(error)
          else if (last) resolve()
        }
        this.#queue.push({ bytes: bytes.subarray(at, at + stdinPieceBytes), done })
      }
      this.#pump()
    })
  }

  /** End of stdin, after everything written so far. */
  closeStdin(): void {
    this.#queue.push({ bytes: new Uint8Array(), done: () => {} })
    this.#pump()
  }

  resize(cols: number, rows: number): void {
    this.#send(frameTypes.resize, encodeSize(clampSize(cols), clampSize(rows)))
  }

  signal(number: number): void {
    this.#send(frameTypes.signal, encodeUint32(number))
  }

  credit(bytes: number): void {
    for (let left = bytes; left > 0; left -= maxPayloadBytes) this.#send(frameTypes.credit, encodeUint32(Math.min(left, maxPayloadBytes)))
  }

  rotateLog(): void {
    this.#send(frameTypes.logRotate, new Uint8Array())
  }

  /**
   * Binds a port of the host, leads it elsewhere or gives it back, while the process runs.
   * @throws EngineError the monitor's reason, and nothing has changed then; `unavailable` for a monitor of an older version
   */
  async setPort(plan: PortPlan): Promise<void> {
    const welcome = await this.#welcomed
    if (this.#closed || !welcome) throw gone()
    if (!welcome.setsPorts)
      throw new EngineError('unavailable', 'the monitor of this process is older than this agent and cannot change ports')
    return new Promise((resolve, reject) => {
      this.#portAnswers.push((error) => (error ? reject(error) : resolve()))
      this.#send(frameTypes.port, Buffer.from(JSON.stringify(plan)))
    })
  }

  close(): void {
    this.#socket.destroy()
    this.#end()
  }

  /** Lets the process end while this connection is open. */
  unref(): void {
    ;(this.#socket as Duplex & { unref?: () => void }).unref?.()
  }

  #send(type: number, payload: Uint8Array): void {
    if (!this.#closed && this.#socket.writable) this.#socket.write(encodeFrame(type, payload))
  }

  #pump(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const next = this.#queue[0] as { bytes: Uint8Array; done: (error?: Error) => void }
      if (next.bytes.length > 0 && this.#unacknowledged + next.bytes.length > stdinWindowBytes) return
      this.#queue.shift()
      if (next.bytes.length === 0) {
        this.#send(frameTypes.closeStdin, next.bytes)
        continue
      }
      this.#unacknowledged += next.bytes.length
      this.#sent.push({ bytes: next.bytes.length, done: next.done })
      this.#send(frameTypes.data, next.bytes)
    }
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - bytes)
    let left = bytes
    while (left > 0 && this.#sent.length > 0) {
      const first = this.#sent[0] as { bytes: number; done: (error?: Error) => void }
      const part = Math.min(left, first.bytes)
      first.bytes -= part
      left -= part
      if (first.bytes > 0) break
      this.#sent.shift()
      first.done()
    }
    this.#pump()
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return
    try {
      for (const { type, payload } of this.#decoder.push(bytes)) {
        this.#dispatch(type, payload)
        if (this.#closed) return
      }
    } catch {
      // A monitor that breaks the framing cannot be followed any further.
      this.close()
    }
  }

  #dispatch(type: number, payload: Buffer): void {
    const listener = this.#listener
    switch (type) {
      case frameTypes.welcome: {
        const welcome = JSON.parse(payload.toString('utf8')) as Welcome
        this.#terminal = welcome.terminal
        this.#welcome(welcome)
        listener.welcome?.(welcome)
        return
      }
      case frameTypes.stdout:
        listener.stdout?.(payload)
        return
      case frameTypes.stderr:
        listener.stderr?.(payload)
        return
      case frameTypes.replay:
        if (this.#terminal) listener.replay?.('stdout', payload)
        else if (payload.length > 1) listener.replay?.(payload[0] === 2 ? 'stderr' : 'stdout', payload.subarray(1))
        return
      case frameTypes.replayEnd:
        listener.replayEnd?.()
        return
      case frameTypes.resized:
        if (payload.length >= 4) listener.resized?.(payload.readUInt16BE(0), payload.readUInt16BE(2))
        return
      case frameTypes.stdinAck:
        if (payload.length >= 4) this.#acknowledge(payload.readUInt32BE(0))
        return
      case frameTypes.oom:
        listener.oom?.()
        return
      case frameTypes.portSet: {
        const answer = portAnswer.parse(JSON.parse(payload.toString('utf8')))
        this.#portAnswers.shift()?.(answer.code ? new EngineError(answer.code, answer.message ?? '') : undefined)
        return
      }
      case frameTypes.exit:
        listener.exit?.(payload.toString('utf8'))
        return
      default:
      // A later monitor may say more than we know.
    }
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { done } of [...this.#sent, ...this.#queue]) done(gone())
    for (const done of this.#portAnswers) done(gone())
    this.#welcome(null)
    this.#sent = []
    this.#queue = []
    this.#portAnswers = []
    this.#socket.destroy()
    this.#listener.closed()
  }
}

function clampSize(value: number): number {
  return Math.max(1, Math.min(65535, Math.trunc(value)))
}

const portAnswer = z.object({ code: errorCode.optional(), message: z.string().optional() })

function gone(): EngineError {
  return new EngineError('failed_precondition', 'the process has ended; what was typed did not reach it')
}

/** Connects to a monitor's attach.sock. @throws EngineError `not_found` when no monitor listens there (it ended or was lost) */
export function connectMonitor(socketPath: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: false })
    socket.once('connect', () => {
      socket.removeListener('error', fail)
      resolve(socket)
    })
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET'
          ? new EngineError('not_found', `no monitor listens on ${socketPath}`, { cause: error })
          : new EngineError('internal', `cannot connect to the monitor at ${socketPath}: ${error.message}`, { cause: error }),
      )
    socket.once('error', fail)
  })
}
