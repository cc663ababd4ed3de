import type { QueryClient } from '@tanstack/react-query'
import { openEventStream } from './event-stream.ts'
import { pathsTouchedBy } from './invalidation.ts'

interface Keeper {
  users: number
  stop: () => void
}
const keepers = new WeakMap<QueryClient, Map<string, Keeper>>()

/**
 * While somebody holds it, the host's events invalidate this host's queries, and a gap that cannot be filled invalidates all of them. Held many times
 * it costs one stream. Gives back the function that lets go.
 */
export function keepHostFresh(hostId: string, queryClient: QueryClient): () => void {
  let byHost = keepers.get(queryClient)
  if (!byHost) {
    byHost = new Map()
    keepers.set(queryClient, byHost)
  }
  const map = byHost
  let keeper = map.get(hostId)
  if (!keeper) {
    const stop = openEventStream(
      hostId,
      {},
      {
        items: (events) => {
          for (const path of pathsTouchedBy(events)) invalidate(queryClient, hostId, path)
        },
        reset: () => invalidate(queryClient, hostId, []),
      },
    )
    keeper = { users: 0, stop }
    map.set(hostId, keeper)
  }
  const held = keeper
  held.users += 1
  let released = false
  return () => {
    if (released) return
    released = true
    held.users -= 1
    if (held.users > 0) return
    map.delete(hostId)
    held.stop()
    // Nobody listened from here on: what is cached may be untrue when it is shown again.
    invalidate(queryClient, hostId, [])
  }
}

/** Query keys are `[[prefix], [path…], {input}]` for a procedure and `[[prefix], [path…]]` for what lies below a path. */
function invalidate(queryClient: QueryClient, hostId: string, path: readonly string[]): void {
  void queryClient.invalidateQueries({
    predicate: ({ queryKey }) => {
      const [prefix, words] = queryKey as [unknown, unknown]
      if (!Array.isArray(prefix) || prefix[0] !== hostId || !Array.isArray(words)) return false
      return path.every((word, index) => words[index] === word)
    },
  })
}
