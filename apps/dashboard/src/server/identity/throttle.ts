import { isIPv6 } from 'node:net'
import type { Database } from '../data/database.ts'
import { ServerError } from '../errors.ts'

/** One thing that is counted. */
export interface ThrottleKey {
  name: string
  /** Failures that cost nothing: people mistype. */
  free: number
  longestMs: number
  /** Whether one success forgets every failure. Not for an address: whoever has one account would wipe the trace of guessing at all the others. */
  forgiven: boolean
}

/** An account's wait never exceeds 15 minutes. */
export const accountKey = (email: string): ThrottleKey => ({
  name: `account:${email}`,
  free: 4,
  longestMs: 15 * 60_000,
  forgiven: true,
})
/** Many people may sit behind one address, so it has more room and shorter waits: a guess a minute leads nowhere. An IPv6 host owns its /64, which counts as one. */
export const addressKey = (what: string, address: string, free = 30): ThrottleKey => ({
  name: `${what}:${networkOf(address)}`,
  free,
  longestMs: 60_000,
  forgiven: false,
})
/** The second step, and confirming a password when signed in. */
export const personKey = (what: 'code' | 'confirm', personId: string): ThrottleKey => ({
  name: `${what}:${personId}`,
  free: 4,
  longestMs: 15 * 60_000,
  forgiven: true,
})

/** After so long without a failure the count begins anew. */
const memoryMs = 60 * 60_000

/**
 * Slows guessing: each failure beyond the first few doubles the time that its keys (an account, an address) must wait. Counted in the database, so that a restart forgives nobody and replicas
 * count together. An attempt counts before it is looked at, so a thousand at the same instant are not free; a success takes it back.
 */
export class Throttle {
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly database: Database,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts an attempt. @throws ServerError `resource_exhausted` saying how long to wait; such a refusal does not count */
  take(keys: readonly ThrottleKey[]): Promise<void> {
    return this.alone(async () => {
      const now = this.now()
      const rows = await this.database.attempt.findMany({ where: { key: { in: keys.map((key) => key.name) } } })
      const wait = Math.max(0, ...rows.map((row) => row.until.getTime())) - now
      if (wait > 0) throw new ServerError('resource_exhausted', `too many attempts; wait ${waitInWords(wait)} and try again`)
      await this.database.attempt.deleteMany({ where: { lastAt: { lt: new Date(now - memoryMs) } } })
      for (const { name, free, longestMs } of keys) {
        const known = rows.find((row) => row.key === name)
        const failures = known && now - known.lastAt.getTime() < memoryMs ? known.failures + 1 : 1
        const waitMs = failures <= free ? 0 : Math.min(1000 * 2 ** Math.min(failures - free, 20), longestMs)
        const data = { failures, until: new Date(now + waitMs), lastAt: new Date(now) }
        await this.database.attempt.upsert({ where: { key: name }, create: { key: name, ...data }, update: data })
      }
    })
  }

  /** The attempt was right. */
  succeed(keys: readonly ThrottleKey[]): Promise<void> {
    return this.alone(async () => {
      for (const { name, free, forgiven } of keys) {
        if (forgiven) {
          await this.database.attempt.deleteMany({ where: { key: name } })
          continue
        }
        await this.database.attempt.updateMany({ where: { key: name, failures: { gt: 0 } }, data: { failures: { decrement: 1 } } })
        await this.database.attempt.updateMany({ where: { key: name, failures: { lte: free } }, data: { until: new Date(0) } })
      }
    })
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => undefined)
    return result
  }
}

/** The first 64 bits of an IPv6 address as `a:b:c:d::/64`; anything else as it is. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] as string).split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

function waitInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
}
