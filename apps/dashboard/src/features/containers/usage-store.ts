'use client'
import type { StatsPoint } from '@berth/contract/stats'
import { useCallback, useSyncExternalStore } from 'react'
import { openStatsStream } from '../../wire/stats-stream'

/** Points kept per container: one minute. */
const kept = 60

interface Known {
  points: StatsPoint[]
  listeners: Set<() => void>
}
interface HostUsage {
  containers: Map<string, Known>
  users: number
  stop: () => void
}
const hosts = new Map<string, HostUsage>()
const none: readonly StatsPoint[] = []

function known(host: HostUsage, id: string): Known {
  let entry = host.containers.get(id)
  if (!entry) {
    entry = { points: [], listeners: new Set() }
    host.containers.set(id, entry)
  }
  return entry
}

function hold(hostId: string): HostUsage {
  let host = hosts.get(hostId)
  if (!host) {
    const made: HostUsage = { containers: new Map(), users: 0, stop: () => {} }
    made.stop = openStatsStream(
      hostId,
      { containers: 'all' },
      {
        items: ({ containers }) => {
          for (const { id, point } of containers) {
            const entry = known(made, id)
            entry.points = [...entry.points.slice(1 - kept), point]
            for (const listener of entry.listeners) listener()
          }
        },
      },
    )
    host = made
    hosts.set(hostId, host)
  }
  return host
}

/**
 * The last minute of one container's numbers, newest last. All cells of a page share one stream per host, and only the cell whose container moved is
 * drawn again. `running` false: nothing is asked for.
 */
export function useUsage(hostId: string, containerId: string, running: boolean): readonly StatsPoint[] {
  const subscribe = useCallback(
    (listener: () => void) => {
      if (!running) return () => {}
      const host = hold(hostId)
      const entry = known(host, containerId)
      host.users += 1
      entry.listeners.add(listener)
      return () => {
        entry.listeners.delete(listener)
        host.users -= 1
        if (host.users > 0) return
        // A route that changes lets go of every cell at once and takes them again at once.
        setTimeout(() => {
          if (host.users > 0 || hosts.get(hostId) !== host) return
          hosts.delete(hostId)
          host.stop()
        }, 2000)
      }
    },
    [hostId, containerId, running],
  )
  return useSyncExternalStore(
    subscribe,
    () => (running ? (hosts.get(hostId)?.containers.get(containerId)?.points ?? none) : none),
    () => none,
  )
}

/** The newest point without listening: for sorting. */
export function latestUsage(hostId: string, containerId: string): StatsPoint | undefined {
  return hosts.get(hostId)?.containers.get(containerId)?.points.at(-1)
}
