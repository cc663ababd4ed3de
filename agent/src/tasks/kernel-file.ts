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

/** Descriptor of a file that was not opened yet, and of one that is not there. */
const unopened = -1
const missing = -2
/** Most files in a set: their descriptors lie in the object itself then, not in memory of their own. */
const mostFiles = 16

/**
 * Kernel files as KernelFile reads them, for subjects of which there are hundreds: a set holds nothing but descriptors. Which number belongs to which file, and
 * its path, the owner knows.
 */
export class KernelFileSet {
  readonly #fds = new Int32Array(mostFiles).fill(unopened)

  /** @param number below 16 @param path made only when the file is opened */
  read(number: number, path: () => string): string | null {
    if (number >= mostFiles) throw new RangeError(`a set holds ${mostFiles} kernel files, and this is number ${number}`)
    const known = this.#fds[number] as number
    if (known === missing) return null
    try {
      if (known === unopened) this.#fds[number] = openSync(path(), 'r')
      return readFrom(this.#fds[number] as number)
    } catch {
      // As in KernelFile: from now on there is nothing to tell.
      this.#close(number)
      this.#fds[number] = missing
      return null
    }
  }

  /** They may be read again: each is opened anew then. */
  close(): void {
    for (let number = 0; number < mostFiles; number++) this.#close(number)
  }

  #close(number: number): void {
    const fd = this.#fds[number] as number
    if (fd >= 0) closeSync(fd)
    this.#fds[number] = unopened
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
