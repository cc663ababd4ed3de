'use client'
import type { AgentRouter } from '@berth/agent/router'
import { type QueryKey, type UseQueryOptions, type UseQueryResult, useQueries, useQueryClient } from '@tanstack/react-query'
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from '@trpc/tanstack-react-query'
import { useCallback, useEffect, useMemo } from 'react'
import { agentClient } from './agent.ts'
import { keepHostFresh } from './host-freshness.ts'
import { type HostView, useHosts } from './hosts.ts'

/** The word for every host at once, where a host's id could stand. */
export const everyHost = 'all'

/** Where a row of a merged list lives, and whether what it says may be old. */
export interface Placed<T> {
  hostId: string
  hostName: string
  stale: boolean
  item: T
}
export interface Across<T> {
  rows: readonly Placed<T>[]
  /** Nothing has been answered yet. */
  pending: boolean
  /** Hosts that did not answer, with what they said instead. */
  failures: readonly { host: HostView; error: unknown }[]
  retry: () => void
}

type Agent = TRPCOptionsProxy<AgentRouter, { keyPrefix: true }>
// biome-ignore lint/suspicious/noExplicitAny: the options of one procedure, whichever it is; T is what counts
type Options<T> = UseQueryOptions<T[], any, T[], QueryKey>

/**
 * One list over one host or all of them, each host asked for itself: what a host that is away said last stays, marked stale. Events keep it fresh.
 * `ask` picks the procedure: `(agent) => agent.containers.list.queryOptions({})`; keep it outside of the component or memoised.
 */
export function useAcross<T>(scope: string, ask: (agent: Agent) => unknown): Across<T> {
  const queryClient = useQueryClient()
  const { hosts: all, pending: hostsPending } = useHosts()
  const hosts = useMemo(() => (scope === everyHost ? all : all.filter((host) => host.id === scope)), [all, scope])
  const ids = hosts.map((host) => host.id).join()
  useEffect(() => {
    const stops = ids ? ids.split(',').map((id) => keepHostFresh(id, queryClient)) : []
    return () => {
      for (const stop of stops) stop()
    }
  }, [ids, queryClient])
  const combine = useCallback((results: UseQueryResult<T[]>[]) => merge(hosts, results), [hosts])
  const queries = hosts.map(
    (host) =>
      ask(
        createTRPCOptionsProxy<AgentRouter, { keyPrefix: true }>({ client: agentClient(host.id), queryClient, keyPrefix: host.id }),
      ) as Options<T>,
  )
  const merged = useQueries({ queries, combine })
  return useMemo(() => ({ ...merged, pending: hostsPending || merged.pending }), [merged, hostsPending])
}

function merge<T>(hosts: readonly HostView[], results: UseQueryResult<T[]>[]): Across<T> {
  return {
    rows: hosts.flatMap((host, index) =>
      (results[index]?.data ?? []).map((item) => ({ hostId: host.id, hostName: host.name, stale: host.state !== 'online', item })),
    ),
    pending: results.length > 0 && results.every((result) => result.isPending),
    failures: hosts.flatMap((host, index) => {
      const error = results[index]?.error
      return error ? [{ host, error }] : []
    }),
    retry: () => {
      for (const result of results) if (result.isError) void result.refetch()
    },
  }
}
