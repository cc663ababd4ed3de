'use client'
import { useQuery } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useMemo } from 'react'
import { everyHost } from './across.ts'
import { type DashboardOutputs, useDashboard } from './dashboard.ts'

/** A host as the dashboard knows it, with what the asking person may do there. */
export type HostView = DashboardOutputs['hosts']['list'][number]

interface Hosts {
  hosts: readonly HostView[]
  pending: boolean
  error: unknown
  retry: () => void
}
const noHosts: HostView[] = []
const HostsContext = createContext<Hosts>({ hosts: noHosts, pending: true, error: null, retry: () => {} })

/** Asks for the hosts once for everything below: every row of a list asks what may be done on its host, and a query's observer in each would be most of its cost. */
export function HostsProvider({ children }: { children: ReactNode }) {
  const { data, isPending, error, refetch } = useQuery(useDashboard().hosts.list.queryOptions())
  const value = useMemo(
    () => ({ hosts: data ?? noHosts, pending: isPending, error, retry: () => void refetch() }),
    [data, isPending, error, refetch],
  )
  return <HostsContext.Provider value={value}>{children}</HostsContext.Provider>
}

/** Every host that this person may see. */
export function useHosts(): Hosts {
  return useContext(HostsContext)
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
