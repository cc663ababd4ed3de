/** A viewer of one process: Attachment for the caller, frames towards the monitor. May exist before the process does. */
import type { Duplex } from 'node:stream'
import { EngineError } from '../errors.ts'
import { type Hello, MonitorConnection } from '../native/monitor-connection.ts'
import { parseExit } from './exit-file.ts'
import type { AttachListener, Attachment, AttachOptions, WaitingViewer } from './tasks.ts'

export class Viewer implements Attachment, WaitingViewer {
  terminal: boolean
  size = { cols: 80, rows: 24 }
  wantedSize: { cols: number; rows: number } | null = null
  left = false
  readonly #options: AttachOptions
  readonly #listener: AttachListener
  #connection: MonitorConnection | null = null
  #told = false
  /** Whether the start succeeded; until then a closed connection may only mean that it failed. */
  #confirmed = false
  #closedBefore = false
  #engineKnows: Promise<unknown> | null = null
  /** What the caller did before the process was there, in order. */
  #early: ((connection: MonitorConnection) => void)[] = []
  #welcomed: { resolve: () => void; reject: (error: Error) => void } | null = null

  constructor(terminal: boolean, options: AttachOptions, listener: AttachListener) {
    this.terminal = terminal
    this.#options = options
    this.#listener = listener
  }

  /** Speaks over this socket from now on: HELLO first, then what the caller did meanwhile. */
  bind(socket: Duplex): void {
    const connection = new MonitorConnection(socket, {
      welcome: (welcome) => {
        this.terminal = welcome.terminal
        this.size = { cols: welcome.cols, rows: welcome.rows }
        this.#welcomed?.resolve()
      },
      stdout: (bytes) => this.#listener.stdout(bytes),
      stderr: (bytes) => this.#listener.stderr(bytes),
      replay: (stream, bytes) => this.#listener.replay(stream, bytes),
      replayEnd: () => this.#listener.replayed(),
      resized: (cols, rows) => {
        this.size = { cols, rows }
        this.#listener.resized(cols, rows)
      },
      exit: (text) => this.#tell({ exit: parseExit(text) }),
      closed: () => this.#closed(),
    })
    connection.hello(helloOf(this.#options))
    for (const act of this.#early) act(connection)
    this.#early = []
    this.#connection = connection
  }

  /**
   * The start succeeded. The viewer hears of the end only after the engine has: who sees the end of the output and then asks, finds the container stopped.
   */
  confirm(ended: Promise<unknown>): void {
    this.#confirmed = true
    this.#engineKnows = ended
    if (this.#closedBefore) this.#closed()
  }

  /** The start failed: the viewer waits for another one, with what it said so far forgotten by the monitor. */
  unbind(): void {
    this.#connection = null
    this.#closedBefore = false
  }

  /** The process will never come. */
  abandon(reason: string): void {
    this.#tell({ lost: reason })
  }

  /** Resolves with the monitor's WELCOME. */
  welcome(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#welcomed = { resolve, reject }
    })
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#connection) return this.#connection.write(bytes)
    if (this.left) return Promise.reject(new EngineError('failed_precondition', 'this viewer has left'))
    return new Promise((resolve, reject) => {
      this.#early.push((connection) => void connection.write(bytes).then(resolve, reject))
    })
  }

  closeStdin(): void {
    this.#act((connection) => connection.closeStdin())
  }

  resize(cols: number, rows: number): void {
    this.wantedSize = { cols, rows }
    this.#act((connection) => connection.resize(cols, rows))
  }

  signal(number: number): void {
    this.#act((connection) => connection.signal(number))
  }

  credit(bytes: number): void {
    if (this.#options.flow.kind === 'credit') this.#act((connection) => connection.credit(bytes))
  }

  close(): void {
    this.left = true
    this.#told = true
    this.#connection?.close()
  }

  #act(action: (connection: MonitorConnection) => void): void {
    if (this.#connection) action(this.#connection)
    else if (!this.left) this.#early.push(action)
  }

  #tell(reason: Parameters<AttachListener['ended']>[0]): void {
    if (this.#told) return
    this.#told = true
    if (!this.#engineKnows || 'lost' in reason) this.#listener.ended(reason)
    else void this.#engineKnows.then(() => setImmediate(() => this.#listener.ended(reason)))
  }

  #closed(): void {
    if (this.#welcomed) this.#welcomed.reject(new EngineError('failed_precondition', 'the process has ended'))
    this.#closedBefore = true
    if (this.#confirmed) this.#tell({ lost: 'the monitor closed the connection: this viewer was too far behind, or the monitor is gone' })
  }
}

export function helloOf(options: AttachOptions): Hello {
  const { stdin, stdout, stderr, replay, flow } = options
  return { stdin, stdout, stderr, replay, flow: flow.kind, ...(flow.kind === 'credit' ? { credit: flow.bytes } : {}) }
}
