'use client'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { dashboardKey } from './dashboard.ts'
import type { FleetNoun } from './dashboard-events.ts'
import { refreshFleetPart } from './fleet-parts.ts'
import { createQueryClient } from './query-client.ts'
import { leaveForSignIn } from './sign-out.ts'
import { dashboardSocket } from './sockets.ts'

/**
 * Queries and live updates for everything below. `signedIn` opens the dashboard's namespace: without a session there is none.
 * When the session ends, the browser goes to the sign-in page and comes back to where it was afterwards.
 */
export function WireProvider({ signedIn, children }: { signedIn: boolean; children: ReactNode }) {
  const [queryClient] = useState(() => createQueryClient(leaveForSignIn))
  useEffect(() => (signedIn ? listen(queryClient) : undefined), [signedIn, queryClient])
  return <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
}

function listen(queryClient: QueryClient): () => void {
  const socket = dashboardSocket()
  const invalidate = (...path: string[]): void => {
    void queryClient.invalidateQueries({
      predicate: ({ queryKey }) => {
        const [prefix, words] = queryKey as [unknown, unknown]
        return Array.isArray(prefix) && prefix[0] === dashboardKey && Array.isArray(words) && path.every((word, at) => words[at] === word)
      },
    })
  }
  let connectedBefore = false
  const handlers = {
    connect: () => {
      // What happened while the connection was away is unknown.
      if (connectedBefore) invalidate()
      connectedBefore = true
    },
    'hosts.changed': () => invalidate('hosts'),
    'fleet.changed': (host: string, nouns: FleetNoun[]) => {
      for (const noun of nouns) void refreshFleetPart(queryClient, host, noun)
    },
    'access.changed': () => {
      invalidate('me')
      invalidate('hosts')
      invalidate('fleet')
    },
    'audit.changed': () => {
      invalidate('audit')
      // Somebody who has accepted an invitation or signed in has no event of their own, but is always a line there.
      invalidate('people')
      invalidate('invitations')
    },
    'session.ended': leaveForSignIn,
    // The session ended while the connection was away: nothing else would say so.
    connect_error: (error: Error & { data?: { code?: string } }) => {
      if (error.data?.code === 'unauthenticated') leaveForSignIn()
    },
  }
  socket.on('connect', handlers.connect)
  socket.on('hosts.changed', handlers['hosts.changed'])
  socket.on('fleet.changed', handlers['fleet.changed'])
  socket.on('access.changed', handlers['access.changed'])
  socket.on('audit.changed', handlers['audit.changed'])
  socket.on('session.ended', handlers['session.ended'])
  socket.on('connect_error', handlers.connect_error)
  return () => {
    socket.off('connect', handlers.connect)
    socket.off('hosts.changed', handlers['hosts.changed'])
    socket.off('fleet.changed', handlers['fleet.changed'])
    socket.off('access.changed', handlers['access.changed'])
    socket.off('audit.changed', handlers['audit.changed'])
    socket.off('session.ended', handlers['session.ended'])
    socket.off('connect_error', handlers.connect_error)
  }
}
