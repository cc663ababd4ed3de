'use client'
import type { Permission } from '@berth/contract/permission'
import type { HostPoint } from '@berth/contract/stats'
import type { SystemInfo } from '@berth/contract/system'
import { useQuery } from '@tanstack/react-query'

/** A host as the dashboard knows it. */
export interface HostView {
  id: string
  name: string
  state: 'online' | 'away' | 'revoked'
  lastSeenAt: string | null
  message: string
  system: SystemInfo | null
  point: HostPoint | null
  permissions: readonly Permission[]
}

const noHosts: HostView[] = []

/** Every host that this person may see. */
export function useHosts(): { hosts: HostView[]; pending: boolean; error: unknown } {
  const query = useQuery({ queryKey: ['tmp-hosts'], queryFn: async () => (await (await fetch('/api/tmp/hosts')).json()) as HostView[] })
  return { hosts: query.data ?? noHosts, pending: query.isPending, error: query.error }
}

/** One host, null while it is not known. */
export function useHost(hostId: string): HostView | null {
  return useHosts().hosts.find((host) => host.id === hostId) ?? null
}
