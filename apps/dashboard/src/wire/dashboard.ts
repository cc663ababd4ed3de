'use client'
import { useQueryClient } from '@tanstack/react-query'
import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from '@trpc/tanstack-react-query'
import { useMemo } from 'react'
import type { DashboardRouter } from '../server/api/router.ts'
import { linksTo } from './links.ts'

export type DashboardInputs = inferRouterInputs<DashboardRouter>
export type DashboardOutputs = inferRouterOutputs<DashboardRouter>

/** First element of every query key of the dashboard's own router. */
export const dashboardKey = 'dashboard'

let client: TRPCClient<DashboardRouter> | undefined

/** The dashboard's own questions (people, hosts, audit, the merged lists): `/api/trpc`. */
export function dashboardClient(): TRPCClient<DashboardRouter> {
  client ??= createTRPCClient<DashboardRouter>({ links: linksTo<DashboardRouter>('/api/trpc') })
  return client
}

/** Options for TanStack Query: `useQuery(useDashboard().hosts.list.queryOptions())`. */
export function useDashboard(): TRPCOptionsProxy<DashboardRouter, { keyPrefix: true }> {
  const queryClient = useQueryClient()
  return useMemo(
    () => createTRPCOptionsProxy<DashboardRouter, { keyPrefix: true }>({ client: dashboardClient(), queryClient, keyPrefix: dashboardKey }),
    [queryClient],
  )
}
