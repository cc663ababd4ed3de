import type { HostPoint, StatsPoint, StatsSample } from '@berth/contract/stats'
import type { WireFailure } from './failure.ts'
import { holdHostChannel } from './sockets.ts'

export interface StatsItems {
  containers: { id: string; point: StatsPoint; sample?: StatsSample }[]
  host: HostPoint | null
}
export interface StatsInput {
  containers: 'all' | string[]
  host?: boolean
  full?: boolean
}
interface Listener {
  items(items: StatsItems): void
  refused?(error: WireFailure): void
}
interface Shared {
  listeners: Set<Listener>
  latest: StatsItems | undefined
  stop(): void
}
const shared = new Map<string, Shared>()

/** Samples once per second. Equal wishes of one page share one stream; a later listener gets the newest sample at once. */
export function openStatsStream(hostId: string, input: StatsInput, listener: Listener): () => void {
  const containers: 'all' | string[] = input.containers === 'all' ? 'all' : [...input.containers].sort()
  const wish = { containers, host: input.host ?? false, full: input.full ?? false }
  const key = JSON.stringify([hostId, wish])
  let entry = shared.get(key)
  if (!entry) {
    const { channel, release } = holdHostChannel(hostId)
    const created: Shared = { listeners: new Set(), latest: undefined, stop: () => {} }
    const stream = channel.add<'stats.open'>({
      event: 'stats.open',
      attempt: () => wish,
      refused: (error) => {
        for (const one of created.listeners) one.refused?.(error)
      },
      lost: () => {
        created.latest = undefined
      },
      sink: {
        'stats.items': (items) => {
          created.latest = items
          for (const one of created.listeners) one.items(items)
        },
      },
    })
    created.stop = () => {
      stream.close()
      release()
    }
    entry = created
    shared.set(key, entry)
  }
  const held = entry
  held.listeners.add(listener)
  if (held.latest) listener.items(held.latest)
  return () => {
    if (!held.listeners.delete(listener) || held.listeners.size > 0) return
    shared.delete(key)
    held.stop()
  }
}
