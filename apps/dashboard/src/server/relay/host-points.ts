import type { HostPoint } from '@berth/contract/stats'
import type { Links } from '../links/links.ts'
import type { HostHubs } from './host-hubs.ts'

/** What is older is not shown as live. */
const freshMs = 8_000
const retryMs = 3_000
const lingerMs = 60_000

/**
 * The newest numbers of each machine, for the list of hosts; of one that is away the last that were heard (`at` in them says how old they are). Asked of the hosts only while somebody looks: a `newest` within the last minute keeps the stream open.
 */
export class HostPoints {
  private readonly held = new Map<
    string,
    { leave: (() => void) | null; point: HostPoint | null; at: number; asked: number; trying: boolean }
  >()
  /** What was heard last of each host, however long ago. */
  private readonly last = new Map<string, HostPoint>()
  private readonly timer: NodeJS.Timeout

  constructor(
    private readonly hubs: HostHubs,
    private readonly links: Links,
  ) {
    this.timer = setInterval(() => this.look(), retryMs)
    this.timer.unref()
  }

  newest(hostId: string): HostPoint | null {
    let entry = this.held.get(hostId)
    if (!entry) {
      entry = { leave: null, point: null, at: 0, asked: Date.now(), trying: false }
      this.held.set(hostId, entry)
      this.look()
    }
    entry.asked = Date.now()
    if (entry.point && Date.now() - entry.at < freshMs) return entry.point
    return this.links.find(hostId)?.state.state === 'online' ? null : (this.last.get(hostId) ?? null)
  }

  close(): void {
    clearInterval(this.timer)
    for (const entry of this.held.values()) entry.leave?.()
    this.held.clear()
  }

  private look(): void {
    for (const [hostId, entry] of this.held) {
      const link = this.links.find(hostId)
      if (!link || Date.now() - entry.asked > lingerMs) {
        entry.leave?.()
        this.held.delete(hostId)
      } else if (!entry.leave && !entry.trying && link.state.state === 'online') {
        entry.trying = true
        this.hubs
          .get(hostId)
          .stats.subscribe(
            { containers: [], host: true, full: false },
            {
              items: (items) => {
                if (!items.host) return
                entry.point = items.host
                this.last.set(hostId, items.host)
                entry.at = Date.now()
              },
              ended: () => {
                entry.leave = null
              },
            },
          )
          .then(
            (leave) => {
              entry.trying = false
              if (this.held.get(hostId) === entry) entry.leave = leave
              else leave()
            },
            () => {
              entry.trying = false
            },
          )
      }
    }
  }
}
