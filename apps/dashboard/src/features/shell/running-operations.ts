'use client'
import { everyHost, useAcross } from '../../wire/across'

/** How many long tasks run now, on any host. */
export function useRunningCount(): number {
  return useAcross(everyHost, 'operations').rows.filter((row) => row.item.state === 'running').length
}
