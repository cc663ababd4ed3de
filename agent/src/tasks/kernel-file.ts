/** A file of /proc or /sys that is read again and again: opened once, read from its beginning, closed when its subject is gone. */
import { closeSync, openSync, readSync } from 'node:fs'

let shared = Buffer.allocUnsafe(64 * 1024)

/** Text of an open kernel file. Synchronous on purpose: such a read never waits, and the way through a thread would cost ten times the read. */
export class KernelFile {
  readonly #path: string
  /** -1: not opened yet; -2: is not there. */
  #fd = -1

  constructor(path: string) {
    this.#path = path
  }

  /** null when the file, or what it tells of, is not there (any more). */
  read(): string | null {
    if (this.#fd === -2) return null
    try {
      if (this.#fd === -1) this.#fd = openSync(this.#path, 'r')
      return readFrom(this.#fd)
    } catch {
      // ENOENT: the kernel has no such file; ENODEV, ESRCH: the cgroup or process is gone. Either way there is nothing to tell from now on.
      this.close()
      this.#fd = -2
      return null
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }
}

function readFrom(fd: number): string {
  let size = readSync(fd, shared, 0, shared.length, 0)
  while (size === shared.length && size < 4 * 1024 * 1024) {
    shared = Buffer.allocUnsafe(shared.length * 2)
    size = readSync(fd, shared, 0, shared.length, 0)
  }
  return shared.toString('latin1', 0, size)
}

/** A file that is opened and closed each time, for what an open descriptor would keep alive (/proc/PID/net holds the network namespace). */
export function readOnce(path: string): string | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    // The process has ended.
    return null
  }
  try {
    return readFrom(fd)
  } catch {
    return null
  } finally {
    closeSync(fd)
  }
}
