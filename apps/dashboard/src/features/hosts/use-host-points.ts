'use client'
import type { HostPoint } from '@berth/contract/stats'
import { useState } from 'react'
import { useStats } from '../../wire/hooks'

/** The machine's own numbers, once a second; what came since the page was opened, newest last. `hostId` null: nothing is asked. */
export function useHostPoints(hostId: string | null, keep = 60): readonly HostPoint[] {
  const [points, setPoints] = useState<readonly HostPoint[]>([])
  useStats(hostId, hostId ? { containers: [], host: true } : null, ({ host }) => {
    if (host) setPoints((before) => [...before.slice(1 - keep), host])
  })
  return points
}
