import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { dashboardClient, dashboardKey } from './dashboard.ts'
import type { FleetNoun } from './dashboard-events.ts'

interface FleetList {
  hosts: { host: string; name: string }[]
  items: { host: string }[]
}

/** A merged list with one host's part replaced; hosts stay in the order of their names. Pure. */
export function withPart<List extends FleetList>(list: List, part: List, host: string): List {
  const hosts = [...list.hosts.filter((one) => one.host !== host), ...part.hosts].sort((a, b) => a.name.localeCompare(b.name))
  // Unchanged items stay the same objects, so that rows that did not change are not drawn again.
  const known = new Map(list.items.filter((item) => item.host === host).map((item) => [JSON.stringify(item), item]))
  const fresh = part.items.map((item) => known.get(JSON.stringify(item)) ?? item)
  const others = list.items.filter((item) => item.host !== host)
  return { ...list, hosts, items: [...others, ...fresh] }
}

/** The newest reading of each part: an answer that was overtaken by a later one is old news. */
const newest = new Map<string, number>()

/**
 * After an event at one host: reads that host's part alone and puts it into the merged lists on screen. Lists that nobody looks at are read again when they are next shown.
 */
export async function refreshFleetPart(queryClient: QueryClient, host: string, noun: FleetNoun): Promise<void> {
  const queries = queryClient.getQueryCache().findAll({ predicate: ({ queryKey }) => isFleetQuery(queryKey, noun) })
  const concerned = queries.filter((query) => {
    const only = inputOf(query.queryKey)?.host
    return only === undefined || only === host
  })
  const onScreen = concerned.filter((query) => query.getObserversCount() > 0 && query.state.data !== undefined)
  for (const query of concerned) if (!onScreen.includes(query)) void query.invalidate()
  if (onScreen.length === 0) return
  const key = `${host} ${noun}`
  const turn = (newest.get(key) ?? 0) + 1
  newest.set(key, turn)
  try {
    const part = (await dashboardClient().fleet[noun].query({ host })) as unknown as FleetList
    if (newest.get(key) !== turn) return
    for (const query of onScreen)
      queryClient.setQueryData(query.queryKey, (list: FleetList | undefined) => list && withPart(list, part, host))
  } catch {
    // The part could not be read: the list is read as a whole, which shows the error where the list is.
    for (const query of onScreen) void queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true })
  }
}

function isFleetQuery(key: QueryKey, noun: string): boolean {
  const [prefix, words] = key as [unknown, unknown]
  return Array.isArray(prefix) && prefix[0] === dashboardKey && Array.isArray(words) && words[0] === 'fleet' && words[1] === noun
}

function inputOf(key: QueryKey): { host?: string } | undefined {
  return (key[2] as { input?: { host?: string } } | undefined)?.input
}
