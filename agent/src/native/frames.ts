/**
 * The frames of native/README.md that a monitor and its clients exchange: u32 big-endian payload length, u8 type, payload. Pure: bytes in, bytes out.
 */

export const frameTypes = {
  hello: 0x00,
  data: 0x01,
  resize: 0x02,
  signal: 0x03,
  credit: 0x04,
  closeStdin: 0x05,
  logRotate: 0x06,
  port: 0x07,
  welcome: 0x10,
  stdout: 0x11,
  stderr: 0x12,
  replay: 0x13,
  replayEnd: 0x14,
  resized: 0x15,
  stdinAck: 0x16,
  oom: 0x17,
  portSet: 0x18,
  exit: 0x1f,
} as const

export const headerBytes = 5
/** Largest payload either side may send. */
export const maxPayloadBytes = 1024 * 1024

export interface Frame {
  type: number
  /** A view of the received bytes: copy what is kept after the listener returned. */
  payload: Buffer
}

/** One frame as bytes. @throws RangeError for a payload over 1 MiB: split it first. */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  if (payload.length > maxPayloadBytes) throw new RangeError(`a frame holds at most ${maxPayloadBytes} bytes, not ${payload.length}`)
  const frame = Buffer.allocUnsafe(headerBytes + payload.length)
  frame.writeUInt32BE(payload.length, 0)
  frame[4] = type
  frame.set(payload, headerBytes)
  return frame
}

/** Payload of RESIZE. */
export function encodeSize(cols: number, rows: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt16BE(cols, 0)
  payload.writeUInt16BE(rows, 2)
  return payload
}

/** Payload of SIGNAL and CREDIT. */
export function encodeUint32(value: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(value, 0)
  return payload
}

/**
 * Cuts a byte stream into frames. Keeps at most one unfinished frame.
 * Invariant: what push() returned refers to its argument or to a buffer that is never written again.
 */
export class FrameDecoder {
  #pending: Buffer[] = []
  #pendingBytes = 0

  /** The frames completed by these bytes, in order. @throws RangeError when a length is over the limit: the stream is broken, close it. */
  push(bytes: Buffer): Frame[] {
    const frames: Frame[] = []
    let input = bytes
    if (this.#pendingBytes > 0) {
      this.#pending.push(bytes)
      this.#pendingBytes += bytes.length
      if (this.#pendingBytes < this.#wanted()) return frames
      input = Buffer.concat(this.#pending, this.#pendingBytes)
    }
    let at = 0
    while (input.length - at >= headerBytes) {
      const length = checkedLength(input.readUInt32BE(at))
      if (input.length - at < headerBytes + length) break
      frames.push({ type: input[at + 4] as number, payload: input.subarray(at + headerBytes, at + headerBytes + length) })
      at += headerBytes + length
    }
    this.#pending = at < input.length ? [input.subarray(at)] : []
    this.#pendingBytes = input.length - at
    return frames
  }

  /** Bytes needed before the pending frame can be looked at again; at least the header. */
  #wanted(): number {
    let head = this.#pending[0] as Buffer
    if (head.length < headerBytes) {
      if (this.#pendingBytes < headerBytes) return headerBytes
      head = Buffer.concat(this.#pending, this.#pendingBytes)
      this.#pending = [head]
    }
    return headerBytes + checkedLength(head.readUInt32BE(0))
  }
}

function checkedLength(length: number): number {
  if (length > maxPayloadBytes) throw new RangeError(`a frame of ${length} bytes is over the limit of ${maxPayloadBytes}`)
  return length
}
