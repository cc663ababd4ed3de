import type { HostPoint, StatsPoint, StatsSample } from '@berth/contract/stats'
import type { AgentLink } from '../links/agent-link.ts'
import { dashboardAsker } from '../links/asker.ts'
import type { UpstreamStream } from '../links/upstream-streams.ts'

export interface StatsItems {
  containers: { id: string; point: StatsPoint; sample?: StatsSample }[]
  host: HostPoint | null
}
export interface StatsWish {
  containers: 'all' | string[]
  host: boolean
  full: boolean
}
export interface StatsListener {
  items(items: StatsItems): void
  /** The stream is over for all; ask again when the host is online. */
  ended(reason: string, message: string): void
}
interface Shared {
  stream: UpstreamStream
  listeners: Set<StatsListener>
  latest: StatsItems | null
}

/** Above so many containers by name, everything is asked for once and picked from here. */
const mostByName = 20

/**
 * Samples of one host, each source asked for once however many look. Everybody who wants "all" shares one stream; a wish for some containers is
 * a stream per container, shared by all who look at that container.
 */
export class StatsHub {
  private readonly shared = new Map<string, Shared>()

  constructor(private link: AgentLink) {}

  follow(link: AgentLink): void {
    this.link = link
  }

  /** @returns the function that leaves. @throws ServerError when the agent refuses or is away */
  async subscribe(wish: StatsWish, listener: StatsListener): Promise<() => void> {
    const parts: StatsWish[] =
      wish.containers === 'all' || (wish.containers.length > mostByName && !wish.full)
        ? [{ containers: 'all', host: wish.host, full: wish.full }]
        : [
            ...wish.containers.map((id): StatsWish => ({ containers: [id], host: false, full: wish.full })),
            ...(wish.host ? [{ containers: [], host: true, full: false }] : []),
          ]
    const wanted = wish.containers === 'all' ? null : new Set(wish.containers)
    const leaves: (() => void)[] = []
    const leave = (): void => {
      for (const one of leaves.splice(0)) one()
    }
    const inner: StatsListener = {
      items: (items) =>
        listener.items(
          wanted && parts[0]?.containers === 'all' ? { ...items, containers: items.containers.filter((one) => wanted.has(one.id)) } : items,
        ),
      ended: (reason, message) => {
        leave()
        listener.ended(reason, message)
      },
    }
    try {
      for (const part of parts) leaves.push(await this.join(part, inner))
    } catch (error) {
      leave()
      throw error
    }
    return leave
  }

  get openStreams(): number {
    return this.shared.size
  }

  private async join(wish: StatsWish, listener: StatsListener): Promise<() => void> {
    const key = JSON.stringify(wish)
    let entry = this.shared.get(key)
    if (!entry) {
      const listeners = new Set<StatsListener>()
      const created: Shared = {
        listeners,
        latest: null,
        stream: this.link.streams.open('stats.open', dashboardAsker, wish, (name, args) => {
          if (name === 'stats.items') {
            created.latest = args[0] as StatsItems
            for (const one of listeners) one.items(created.latest)
          } else if (name === 'stream.end') {
            if (this.shared.get(key) === created) this.shared.delete(key)
            for (const one of [...listeners]) one.ended(String(args[0]), (args[1] as { message?: string } | undefined)?.message ?? '')
          }
        }),
      }
      entry = created
      this.shared.set(key, created)
    }
    const held = entry
    held.listeners.add(listener)
    const leave = (): void => {
      if (!held.listeners.delete(listener) || held.listeners.size > 0) return
      if (this.shared.get(key) === held) this.shared.delete(key)
      held.stream.close(dashboardAsker)
    }
    try {
      await held.stream.answer
    } catch (error) {
      if (this.shared.get(key) === held) this.shared.delete(key)
      held.listeners.delete(listener)
      throw error
    }
    if (held.latest && held.listeners.has(listener)) listener.items(held.latest)
    return leave
  }
}
