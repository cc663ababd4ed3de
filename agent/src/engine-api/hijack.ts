import type { Readable } from 'node:stream'
import type { AttachListener, Attachment, AttachOptions } from '../tasks/tasks.ts'
import type { Call } from './call.ts'

/** 8-byte header of the multiplexed stream: stream number, three zeros, big-endian length. */
export function frameHeader(stream: 1 | 2, length: number): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(length, 4)
  return header
}

export const rawType = 'application/vnd.docker.raw-stream'

/**
 * docker-py (and Compose v1 on it) reads the head through a buffer and the rest past that buffer: what arrives before it has looked is lost to its caller. An exec here
 * can speak within milliseconds, which on a busy machine is before the client gets its turn, so output to these clients waits this long behind the head.
 */
const careless = /\b(?:docker-sdk-python|docker-py|docker-compose)\//
const carelessMs = 100
const multiplexedType = 'application/vnd.docker.multiplexed-stream'

/**
 * The raw connection behind attach and exec: `101 UPGRADED` for a client that asked for it, else `200` and bytes until the connection is closed.
 * Bytes that arrived right behind the request's head belong to the input.
 */
export class RawConnection {
  readonly #call: Call
  readonly #input: Readable
  readonly #output: NodeJS.WritableStream & { destroyed?: boolean; writableLength?: number }
  readonly #early: Buffer
  #open = false
  /** What waits for a careless client; null when nothing has to. */
  #held: (() => void)[] | null = null

  /** @param early bytes read from the socket behind the head (and behind the JSON body, for exec) */
  constructor(call: Call, early: Buffer) {
    this.#call = call
    this.#early = early
    this.#input = call.upgrade ? call.upgrade.socket : call.request
    this.#output = call.upgrade ? call.upgrade.socket : call.response
  }

  get opened(): boolean {
    return this.#open
  }

  open(plain: boolean): void {
    this.#open = true
    if (careless.test(this.#call.request.headers['user-agent'] ?? '')) this.#hold()
    const type = !plain && this.#call.minor >= 42 ? multiplexedType : rawType
    if (this.#call.upgrade) {
      this.#call.upgrade.socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`)
      return
    }
    const response = this.#call.response
    response.shouldKeepAlive = false
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, { 'Content-Type': type })
    response.flushHeaders()
  }

  #hold(): void {
    const held: (() => void)[] = []
    this.#held = held
    setTimeout(() => {
      this.#held = null
      for (const action of held) action()
    }, carelessMs)
  }

  /** Gives input bytes in order, one at a time; `end` when the client closed its side. */
  read(data: (bytes: Buffer) => Promise<void>, end: () => void): void {
    let turn = Promise.resolve()
    const give = (bytes: Buffer) => {
      this.#input.pause()
      turn = turn
        .then(() => data(bytes))
        .then(
          () => void this.#input.resume(),
          () => void this.#input.resume(),
        )
    }
    if (this.#early.length > 0) give(this.#early)
    this.#input.on('data', give)
    // A client that has nothing to say may have closed its side before anybody listened.
    if (this.#input.readableEnded) void turn.then(end)
    else this.#input.once('end', () => void turn.then(end))
    this.#input.resume()
  }

  /** Calls `sent` when the bytes have left our buffer. */
  write(bytes: Uint8Array, sent: () => void): void {
    if (this.#held) {
      this.#held.push(() => this.write(bytes, sent))
      return
    }
    if (this.#output.destroyed) return
    this.#output.write(bytes, () => sent())
  }

  onClose(listener: () => void): void {
    const target = this.#call.upgrade ? this.#call.upgrade.socket : this.#call.response
    target.once('close', listener)
    target.once('error', listener)
  }

  /** @param whole the client's side is not waited for either: what it still sends fails, as with Docker after the detach keys */
  end(whole: boolean): void {
    if (this.#held) {
      this.#held.push(() => this.end(whole))
      return
    }
    const { socket } = this.#call.upgrade ?? this.#call.request
    this.#output.end(() => whole && socket.destroy())
  }
}

const defaultDetachKeys = Buffer.from([0x10, 0x11])

/** `ctrl-p,ctrl-q`, `ctrl-@,a` … as bytes; null when the text is not such a sequence. */
export function parseDetachKeys(text: string): Buffer | null {
  if (text === '') return defaultDetachKeys
  const bytes: number[] = []
  for (const key of text.split(',')) {
    if (key.length === 1) bytes.push(key.charCodeAt(0))
    else {
      const match = /^ctrl-([a-z@[\\\]^_])$/.exec(key)
      if (!match) return null
      bytes.push((match[1] as string).toUpperCase().charCodeAt(0) & 0x1f)
    }
  }
  return Buffer.from(bytes)
}

/** Finds the detach sequence in a stream of input; bytes of a sequence that was only begun are given on when it breaks off. */
export class DetachFilter {
  readonly #keys: Buffer
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  push(bytes: Buffer): { pass: Buffer; detached: boolean } {
    const out: number[] = []
    for (const byte of bytes) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1
        if (this.#matched === this.#keys.length) return { pass: Buffer.from(out), detached: true }
        continue
      }
      for (let index = 0; index < this.#matched; index += 1) out.push(this.#keys[index] as number)
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) out.push(byte)
    }
    return { pass: Buffer.from(out), detached: false }
  }
}

const window = 1024 * 1024

/**
 * Joins a raw connection with a process: output multiplexed (or `plain`) within a window of 1 MiB, input with half-close, detach keys for terminals. Resolves
 * when the process ended, the client left or it detached.
 */
export async function pump(
  connection: RawConnection,
  options: {
    terminal: boolean
    plain: boolean
    stdin: boolean
    /** The input goes on for other clients when this one has no more. */
    keepStdin?: boolean
    stdout: boolean
    stderr: boolean
    replay: boolean
    detachKeys: Buffer
  },
  attach: (options: AttachOptions, listener: AttachListener) => Promise<Attachment>,
): Promise<'ended' | 'left' | 'detached'> {
  let attachment: Attachment | null = null
  let finish: (why: 'ended' | 'left' | 'detached') => void = () => undefined
  const finished = new Promise<'ended' | 'left' | 'detached'>((resolve) => {
    finish = resolve
  })
  // Output can come before attach() has resolved; the head must be out by then.
  const send = (stream: 1 | 2, bytes: Buffer) => {
    if (!options.plain) connection.write(frameHeader(stream, bytes.length), () => undefined)
    connection.write(bytes, () => attachment?.credit(bytes.length))
  }
  const listener: AttachListener = {
    stdout: (bytes) => options.stdout && send(1, bytes),
    stderr: (bytes) => options.stderr && send(2, bytes),
    replay: (stream, bytes) => options.replay && send(stream === 'stderr' ? 2 : 1, bytes),
    replayed: () => undefined,
    resized: () => undefined,
    ended: () => finish('ended'),
  }
  attachment = await attach(
    {
      stdin: options.stdin,
      stdout: options.stdout,
      stderr: options.stderr,
      replay: options.replay,
      flow: { kind: 'credit', bytes: window },
    },
    listener,
  )
  if (!connection.opened) connection.open(options.plain)
  const process = attachment
  connection.onClose(() => finish('left'))
  const filter = options.terminal ? new DetachFilter(options.detachKeys) : null
  connection.read(
    async (bytes) => {
      if (!options.stdin) return
      const { pass, detached } = filter ? filter.push(bytes) : { pass: bytes, detached: false }
      if (pass.length > 0) await process.write(pass)
      if (detached) finish('detached')
    },
    () => {
      if (options.stdin && !options.keepStdin) process.closeStdin()
    },
  )
  const why = await finished
  process.close()
  connection.end(why === 'detached')
  return why
}
