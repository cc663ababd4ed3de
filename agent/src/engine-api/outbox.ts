import { writeOut } from './call.ts'

/**
 * Lines for a client that may read slowly or not at all: they leave in order at the client's speed, and what waits is bounded. The caller says what becomes of
 * a line for which there is no room.
 */
export class Outbox {
  readonly #target: Parameters<typeof writeOut>[0]
  readonly #mostBytes: number
  readonly #waiting: string[] = []
  #waitingBytes = 0
  #sending: Promise<void> | null = null

  constructor(target: Parameters<typeof writeOut>[0], mostBytes: number) {
    this.#target = target
    this.#mostBytes = mostBytes
  }

  /** Takes a line if there is room. @returns false when there is none */
  offer(line: string): boolean {
    if (this.#waitingBytes >= this.#mostBytes) return false
    this.push(line)
    return true
  }

  /** Takes a line whatever waits: for the few that must not be missing. */
  push(line: string): void {
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    this.#sending ??= this.#send()
  }

  /** Whether everything has been given to the client's connection. */
  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** Resolves when nothing waits, or the client is gone. */
  async flushed(): Promise<void> {
    await this.#sending
  }

  async #send(): Promise<void> {
    // Lines of one turn are one write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const text = this.#waiting.splice(0, 500).join('')
      const alive = await writeOut(this.#target, text)
      this.#waitingBytes -= text.length
      if (!alive) {
        this.#waiting.length = 0
        this.#waitingBytes = 0
      }
    }
    this.#sending = null
  }
}
