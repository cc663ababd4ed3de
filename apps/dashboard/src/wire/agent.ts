'use client'
import type { AgentRouter } from '@berth/agent/router'
import { useQueryClient } from '@tanstack/react-query'
import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from '@trpc/tanstack-react-query'
import { useEffect, useMemo } from 'react'
import { keepHostFresh } from './host-freshness.ts'
import { linksTo } from './links.ts'

export type AgentInputs = inferRouterInputs<AgentRouter>
export type AgentOutputs = inferRouterOutputs<AgentRouter>

const clients = new Map<string, TRPCClient<AgentRouter>>()

/** One host's agent, relayed: the agent's own router under `/api/hosts/<id>/trpc`. One client per host for the life of the page. */
export function agentClient(hostId: string): TRPCClient<AgentRouter> {
  let client = clients.get(hostId)
  if (!client) {
    client = createTRPCClient<AgentRouter>({ links: linksTo<AgentRouter>(`/api/hosts/${encodeURIComponent(hostId)}/trpc`) })
    clients.set(hostId, client)
  }
  return client
}

/**
 * Options for TanStack Query about one host: `useQuery(useAgent(hostId).containers.list.queryOptions({}))`. Every key begins with the host's id, so
 * hosts never share an entry. While a component uses it, the host's events keep these queries fresh.
 */
export function useAgent(hostId: string): TRPCOptionsProxy<AgentRouter, { keyPrefix: true }> {
  const queryClient = useQueryClient()
  useEffect(() => keepHostFresh(hostId, queryClient), [hostId, queryClient])
  return useMemo(
    () => createTRPCOptionsProxy<AgentRouter, { keyPrefix: true }>({ client: agentClient(hostId), queryClient, keyPrefix: hostId }),
    [hostId, queryClient],
  )
}

/** URL of a bulk byte route of a host, for downloads (`<a href>`) and uploads (`fetch`). Repeated parameters as arrays. */
export function dataUrl(hostId: string, route: string, parameters: Record<string, string | readonly string[]> = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const one of typeof value === 'string' ? [value] : value) query.append(name, one)
  const text = query.toString()
  return `/api/hosts/${encodeURIComponent(hostId)}/data/${route}${text ? `?${text}` : ''}`
}
