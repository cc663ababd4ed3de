'use client'
import type { ColumnDef } from '@tanstack/react-table'
import { useTranslations } from 'next-intl'
import { type ReactNode, useCallback, useMemo } from 'react'
import { DataTable, type DataTableProps } from './data-table'
import { EmptyState } from './empty-state'
import { PageHead } from './page'
import { type MissingPart, PartialList } from './partial-list'
import { RowLink } from './row-link'
import type { Facet } from './table-toolbar'

/** A row that lives at one of several hosts. */
export interface HostedRow<Item> {
  hostId: string
  hostName: string
  /** What it says may be old. */
  stale: boolean
  item: Item
}

/** A list merged from several hosts, as far as it has been answered. */
export interface HostedList<Item> {
  rows: readonly HostedRow<Item>[]
  pending: boolean
  gaps: readonly MissingPart[]
  error: unknown
  retry: () => void
}

type Kept = 'id' | 'columns' | 'searchLabel' | 'bulk' | 'initialSort'
interface ListPageProps<Item> extends Pick<DataTableProps<HostedRow<Item>>, Kept> {
  title: string
  /** Buttons beside the title. */
  actions?: ReactNode
  list: HostedList<Item>
  /** Rows of several hosts are shown: each says of which it is. */
  several: boolean
  /** What names an item on its host for ever. */
  itemId: (item: Item) => string
  itemName: (item: Item) => string
  /** Everything that the filter looks into; the host's name is added. */
  words: (item: Item) => readonly string[]
  facets: readonly Facet<HostedRow<Item>>[]
  /** On a phone: what it is, a line of facts, what can be done, and what stands below. */
  card: (row: HostedRow<Item>) => { head: ReactNode; facts: ReactNode; actions?: ReactNode; more?: ReactNode }
  empty: { icon: ReactNode; words: ReactNode; action?: ReactNode; link?: ReactNode }
}

/**
 * The page of a noun: title and actions, a note for each host that did not answer, and the table of its items over one host or all. With several hosts
 * it adds the host as second column, as facet, as word of the filter and as fact of a card.
 */
export function ListPage<Item>({
  title,
  actions,
  list,
  several,
  itemId,
  itemName,
  words,
  facets,
  columns,
  card,
  empty,
  ...table
}: ListPageProps<Item>) {
  const t = useTranslations('ui')
  const allColumns = useMemo(() => (several ? withHost(columns, t('host')) : columns), [columns, several, t])
  const allFacets = useMemo(
    () => (several ? [...facets, { key: 'host', label: t('host'), values: (row: HostedRow<Item>) => [row.hostName] }] : facets),
    [facets, several, t],
  )
  // The same function while the words are: otherwise every redraw would look through every row again.
  const searchText = useCallback((row: HostedRow<Item>) => [...words(row.item), row.hostName].join(' '), [words])
  return (
    <>
      <PageHead title={title} actions={actions} />
      <PartialList error={list.error} missing={list.gaps} onRetry={list.retry} />
      <DataTable
        {...table}
        label={title}
        rows={list.rows}
        columns={allColumns}
        rowId={(row) => `${row.hostId}/${itemId(row.item)}`}
        rowName={(row) => itemName(row.item)}
        searchText={searchText}
        facets={allFacets}
        loading={list.pending}
        isStale={(row) => row.stale}
        card={(row) => {
          const parts = card(row)
          return (
            <div className="flex items-start justify-between gap-2">
              <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1">
                {parts.head}
                <div className="flex min-w-0 flex-wrap gap-x-3 text-ink-3 text-xs">
                  {parts.facts}
                  {several ? <span className="truncate">{row.hostName}</span> : null}
                </div>
                {parts.more}
              </div>
              {parts.actions}
            </div>
          )
        }}
        empty={
          // What a host that does not answer has is not known: the note above says so, and 'nothing' would not be true.
          list.error || list.gaps.length > 0 ? null : (
            <EmptyState icon={empty.icon} action={empty.action} link={empty.link}>
              {empty.words}
            </EmptyState>
          )
        }
      />
    </>
  )
}

// biome-ignore lint/suspicious/noExplicitAny: each column has a value type of its own, as in DataTableProps.columns
function withHost<Item>(columns: ColumnDef<HostedRow<Item>, any>[], label: string): ColumnDef<HostedRow<Item>, any>[] {
  const [first, ...others] = columns
  const host: ColumnDef<HostedRow<Item>, string> = {
    id: 'host',
    accessorFn: (row) => row.hostName,
    meta: { label, width: 130, className: 'max-lg:!w-28 max-md:hidden' },
    cell: ({ row, getValue }) => (
      <RowLink href={`/h/${row.original.hostId}`} className="block truncate text-ink-2 hover:underline">
        {getValue()}
      </RowLink>
    ),
  }
  return first ? [first, host, ...others] : [host]
}
