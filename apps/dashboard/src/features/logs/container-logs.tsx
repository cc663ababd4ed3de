'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { Merge } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { parseAsArrayOf, parseAsString, useQueryStates } from 'nuqs'
import { useCallback, useMemo, useState } from 'react'
import { Button } from '../../ui/button'
import { Checkbox } from '../../ui/checkbox'
import { Input } from '../../ui/input'
import { Popover } from '../../ui/popover'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { addressOfSearch, type LogSearch, searchOfAddress } from './log-search'
import { LogView } from './log-view'

type Row = Placed<ContainerSummary>
const keyOf = (row: Pick<Row, 'hostId'> & { item: { id: string } }) => `${row.hostId}/${row.item.id}`
/** More than fit on a screen are found by typing. */
const mostShown = 200

/** What stands in the address: `at`, a line's offset or a time; `with`, the logs that are merged with this one; `find` and `how`, the search. */
const addressed = {
  at: parseAsString,
  with: parseAsArrayOf(parseAsString).withDefault([]),
  find: parseAsString,
  how: parseAsArrayOf(parseAsString).withDefault([]),
}

/** The log of a container's page, with the choice of further containers, of any host, to merge with it. */
export function ContainerLogs({ hostId, container, name }: { hostId: string; container: string; name: string }) {
  const { rows, pending } = useAcross(everyHost, 'containers')
  const [{ at, with: merged, find, how }, setAddress] = useQueryStates(addressed)
  const setMerged = useCallback((next: readonly string[]) => void setAddress({ with: [...next] }), [setAddress])
  const setAt = useCallback((next: string | null) => void setAddress({ at: next }), [setAddress])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same search stays the same object, whatever else the address says
  const search = useMemo(() => searchOfAddress({ find, how }), [find, how.join()])
  const setSearch = useCallback((next: LogSearch | null) => void setAddress(addressOfSearch(next)), [setAddress])
  const others = useMemo(
    () => rows.filter((row) => row.item.id !== container || row.hostId !== hostId).sort((a, b) => a.item.name.localeCompare(b.item.name)),
    [rows, container, hostId],
  )
  const chosen = others.filter((row) => merged.includes(keyOf(row)))
  const key = JSON.stringify([name, ...chosen.map((row) => [keyOf(row), row.item.name])])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same sources stay the same array, whatever else the list says
  const sources = useMemo(
    () => [{ hostId, container, name }, ...chosen.map((row) => ({ hostId: row.hostId, container: row.item.id, name: row.item.name }))],
    [hostId, container, key],
  )
  // What the address wants to have merged is known with the list of containers; without it the log would begin twice.
  if (merged.length > 0 && pending) return null
  return (
    <LogView
      sources={sources}
      at={at}
      onAt={setAt}
      search={search}
      onSearch={setSearch}
      tools={others.length > 0 ? <MergeWith rows={others} merged={merged} onChange={setMerged} /> : null}
    />
  )
}

function MergeWith({
  rows,
  merged,
  onChange,
}: {
  rows: readonly Row[]
  merged: readonly string[]
  onChange: (merged: readonly string[]) => void
}) {
  const t = useTranslations('logs')
  const [query, setQuery] = useState('')
  const severalHosts = new Set(rows.map((row) => row.hostId)).size > 1
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const found = rows.filter((row) =>
    words.every((word) => `${row.item.name} ${row.item.image} ${row.hostName}`.toLowerCase().includes(word)),
  )
  return (
    <Popover
      align="start"
      label={t('merged')}
      className="w-80 p-2"
      trigger={
        <Button tone="quiet" size="small" className="text-term-ink/80 hover:bg-term-line hover:text-term-ink" hint={t('mergedHelp')}>
          <Merge aria-hidden />
          <span className="max-sm:sr-only">{t('merged')}</span>
          {merged.length > 0 ? ` (${merged.length})` : null}
        </Button>
      }
    >
      <Input
        type="search"
        aria-label={t('mergeFind')}
        placeholder={t('mergeFind')}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
      />
      <ul className="mt-2 grid max-h-72 gap-0.5 overflow-y-auto">
        {found.slice(0, mostShown).map((row) => (
          <li key={keyOf(row)} className="rounded-sm px-1.5 py-1 hover:bg-hover">
            <Checkbox
              checked={merged.includes(keyOf(row))}
              onChange={(next) => onChange(next ? [...merged, keyOf(row)] : merged.filter((one) => one !== keyOf(row)))}
            >
              <span className="block max-w-56 truncate">
                {row.item.name}
                {severalHosts ? <span className="text-ink-3"> · {row.hostName}</span> : null}
              </span>
            </Checkbox>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p className="px-1.5 py-2 text-ink-3">{t('mergeNone')}</p> : null}
    </Popover>
  )
}
