'use client'
import type { Operation } from '@berth/contract/operation'
import { everyHost, useAcross } from '../../wire/across'

/** How many long tasks run now, on any host. */
export function useRunningCount(): number {
  const { rows } = useAcross<Operation>(everyHost, (agent) => agent.operations.list.queryOptions())
  return rows.filter((row) => row.item.state === 'running').length
}
