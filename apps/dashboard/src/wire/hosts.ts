'use client'
import { useQuery } from '@tanstack/react-query'
import { everyHost } from './across.ts'
import { type DashboardOutputs, useDashboard } from './dashboard.ts'

/** A host as the dashboard knows it, with what the asking person may do there. */
export type HostView = DashboardOutputs['hosts']['list'][number]

const noHosts: HostView[] = []

/** Every host that this person may see. */
export function useHosts(): { hosts: readonly HostView[]; pending: boolean; error: unknown; retry: () => void } {
  const query = useQuery(useDashboard().hosts.list.queryOptions())
  return { hosts: query.data ?? noHosts, pending: query.isPending, error: query.error, retry: () => void query.refetch() }
}

/** One host, null while it is not known. */
export function useHost(hostId: string): HostView | null {
  return useHosts().hosts.find((host) => host.id === hostId) ?? null
}

/**
 * What the pages of a noun are about: `several` when rows of more than one host stand there, `target` is the host on which something new is made (the first that is online where all are shown; '' if
 * there is none).
 */
export function useScope(scope: string): { hosts: readonly HostView[]; several: boolean; target: string } {
  const { hosts } = useHosts()
  const all = scope === everyHost
  return { hosts, several: all && hosts.length > 1, target: all ? (hosts.find((host) => host.state === 'online')?.id ?? '') : scope }
}
