import { ServerError } from '../errors.ts'

/** Failures that cost nothing: people mistype. */
const freeFailures = 4
const longestMs = 15 * 60_000
/** After so long without a failure the count begins anew. */
const memoryMs = 60 * 60_000
const mostKeys = 20_000

/**
 * Slows guessing: each failure beyond the first few doubles the time that the key (an account, an address) must wait. Counts are of this process; an account's
 * wait never exceeds 15 minutes, so nobody can lock somebody else out for long, and a right password while waiting is refused like a wrong one.
 */
export class Throttle {
  private readonly failures = new Map<string, { count: number; until: number; last: number }>()
  constructor(
    private readonly free = freeFailures,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws ServerError `resource_exhausted` saying how long to wait */
  check(keys: readonly string[]): void {
    const until = Math.max(0, ...keys.map((key) => this.failures.get(key)?.until ?? 0))
    const wait = until - this.now()
    if (wait > 0) throw new ServerError('resource_exhausted', `too many attempts; wait ${waitInWords(wait)} and try again`)
  }

  fail(keys: readonly string[]): void {
    const now = this.now()
    for (const key of keys) {
      const known = this.failures.get(key)
      const count = known && now - known.last < memoryMs ? known.count + 1 : 1
      const wait = count <= this.free ? 0 : Math.min(1000 * 2 ** Math.min(count - this.free, 20), longestMs)
      this.failures.delete(key)
      this.failures.set(key, { count, until: now + wait, last: now })
    }
    // Map keeps the order of insertion: the first is the longest quiet.
    while (this.failures.size > mostKeys) this.failures.delete(this.failures.keys().next().value as string)
  }

  succeed(keys: readonly string[]): void {
    for (const key of keys) this.failures.delete(key)
  }
}

function waitInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
}
