import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { failureOf } from './failure.ts'

/**
 * The cache behind every query. Nothing polls and nothing goes stale by the clock: what changes is invalidated by events (invalidation.ts), and a
 * connection that was lost reads everything that is on screen again. Only `unavailable` is tried again by itself.
 *
 * @param onSignedOut called when any request is answered `unauthenticated`
 */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const watch = (error: unknown): void => {
    if (failureOf(error).code === 'unauthenticated') onSignedOut()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError: watch }),
    mutationCache: new MutationCache({ onError: watch }),
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && failureOf(error).code === 'unavailable',
      },
      mutations: { retry: false },
    },
  })
}
