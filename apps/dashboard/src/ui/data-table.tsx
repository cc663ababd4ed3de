'use client'
import {
  type ColumnDef,
  getCoreRowModel,
  getSortedRowModel,
  type Row,
  type RowData,
  type RowSelectionState,
  type SortingState,
  useReactTable,
  type VisibilityState,
} from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useTranslations } from 'next-intl'
import { type KeyboardEvent, type ReactNode, useDeferredValue, useMemo, useState } from 'react'
import { BulkBar } from './bulk-bar'
import { Checkbox } from './checkbox'
import { cn } from './class-names'
import { isTyping } from './input'
import { useListAddress } from './list-address'
import { usePhone } from './media-query'
import type { Failure } from './run-each'
import { SkeletonTable } from './skeleton'
import { useStoredState } from './stored-state'
import { TableBody, TableHead } from './table-parts'
import { type Facet, matchesFacets, TableToolbar } from './table-toolbar'

declare module '@tanstack/react-table' {
  interface ColumnMeta<TData extends RowData, TValue> {
    /** The column's name in words: header, column menu. */
    label: string
    /** Pixels; without it the column shares what is left. */
    width?: number
    /** Hidden until somebody chooses it. */
    hidden?: boolean
    /** Cannot be hidden. */
    fixed?: boolean
    align?: 'right'
    /** Classes for the head cell and every cell, e.g. `max-lg:hidden`. */
    className?: string
  }
}

export interface DataTableProps<T> {
  /** Under this name the browser keeps sorting and columns; filter, facets and sorting stand in the address. */
  id: string
  /** What the rows are, for screen readers. */
  label: string
  rows: readonly T[]
  // biome-ignore lint/suspicious/noExplicitAny: each column has a value type of its own; TanStack asks for any here
  columns: ColumnDef<T, any>[]
  rowId: (row: T) => string
  /** The row's name, for its check box. */
  rowName: (row: T) => string
  /** The text that the filter looks into. */
  searchText: (row: T) => string
  searchLabel: string
  facets?: readonly Facet<T>[]
  initialSort?: SortingState
  /** What can be done with several rows at once; null = no selection. */
  bulk?: (rows: T[], clear: () => void) => ReactNode
  /** A row on a phone. */
  card: (row: T) => ReactNode
  /** Shown when there are no rows at all. */
  empty: ReactNode
  /** To the right of the filter. */
  actions?: ReactNode
  loading?: boolean
  /** Rows whose values are old are shown in grey. */
  isStale?: (row: T) => boolean
  className?: string
}

/**
 * A list of anything: filter, facets, sorting, columns that are remembered, selection with a bar of actions, ten thousand rows without effort, and
 * cards instead of rows on a phone. Arrow keys go from row to row, `x` selects. Fills its parent's height.
 */
export function DataTable<T>(props: DataTableProps<T>) {
  const t = useTranslations('ui')
  const phone = usePhone()
  const address = useListAddress(props.id, props.facets?.map((facet) => facet.key) ?? [], useConstant(props.initialSort ?? []))
  const [visibility, setVisibility] = useStoredState<VisibilityState>(
    `table.${props.id}.columns`,
    useConstant(initialVisibility(props.columns)),
  )
  const [selection, setSelection] = useState<RowSelectionState>({})
  const [failures, setFailures] = useState<readonly Failure[]>([])
  const select = (ids: readonly string[]) => setSelection(Object.fromEntries(ids.map((id) => [id, true])))
  const clear = () => {
    setFailures([])
    select([])
  }
  const shown = useFiltered(props, useDeferredValue(address.query), address.chosen)
  const table = useReactTable({
    data: shown as T[],
    columns: props.columns,
    state: { sorting: address.sorting, columnVisibility: visibility, rowSelection: selection },
    getRowId: props.rowId,
    onSortingChange: address.setSorting as never,
    onColumnVisibilityChange: setVisibility as never,
    onRowSelectionChange: setSelection,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    enableRowSelection: props.bulk !== undefined,
  })
  const rows = table.getRowModel().rows
  // State and not a ref: the rows below are laid out before a ref of ours is filled, and a list that comes from the cache is drawn once only.
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const selected = rows.filter((row) => selection[row.id]).map((row) => row.original)
  const nothing = props.rows.length === 0
  return (
    <div className={cn('flex min-h-0 flex-1 flex-col', props.className)} aria-busy={props.loading}>
      <TableToolbar {...props} address={address} table={table} shown={rows.length} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys pressed on the links inside bubble up to here */}
      <div ref={setScroller} className="relative min-h-0 flex-1 overflow-auto border-t" onKeyDown={(event) => moveByKey(event, scroller)}>
        {props.loading && nothing ? (
          <SkeletonTable />
        ) : nothing ? (
          props.empty
        ) : rows.length === 0 ? (
          <p className="px-6 py-14 text-center text-ink-3" role="status">
            {t('noMatch')}
          </p>
        ) : phone ? (
          <CardList rows={rows} props={props} scroller={scroller} />
        ) : (
          <table className="w-full table-fixed border-separate border-spacing-0" aria-label={props.label} aria-rowcount={rows.length + 1}>
            <TableHead table={table} selectable={props.bulk !== undefined} />
            <TableBody
              rows={rows}
              scroller={scroller}
              selectable={props.bulk !== undefined}
              rowName={props.rowName}
              isStale={props.isStale}
            />
          </table>
        )}
      </div>
      {props.bulk && selected.length > 0 ? (
        <BulkBar
          count={selected.length}
          failures={failures.filter((failure) => selection[failure.key])}
          onFailures={(failed) => {
            setFailures(failed)
            if (failed.length > 0) select(failed.map((failure) => failure.key))
          }}
          onClear={clear}
        >
          {props.bulk(selected, clear)}
        </BulkBar>
      ) : null}
    </div>
  )
}

function useConstant<T>(value: T): T {
  return useState(value)[0]
}

// biome-ignore lint/suspicious/noExplicitAny: as in DataTableProps.columns
function initialVisibility<T>(columns: ColumnDef<T, any>[]): VisibilityState {
  return Object.fromEntries(columns.filter((column) => column.meta?.hidden).map((column) => [column.id as string, false]))
}

function useFiltered<T>(props: DataTableProps<T>, query: string, chosen: Record<string, string[]>): readonly T[] {
  const { rows, searchText, facets } = props
  return useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const active = (facets ?? []).filter((facet) => chosen[facet.key]?.length)
    if (words.length === 0 && active.length === 0) return rows
    return rows.filter((row) => {
      if (!matchesFacets(row, active, chosen)) return false
      if (words.length === 0) return true
      const text = searchText(row).toLowerCase()
      return words.every((word) => text.includes(word))
    })
  }, [rows, searchText, facets, query, chosen])
}

/** Arrow keys (and j, k) go to the next row's link; `x` presses its check box. */
function moveByKey(event: KeyboardEvent, root: HTMLElement | null) {
  if (!root || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
  const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
  if (event.key === 'x' && row) {
    row.querySelector<HTMLElement>('[role="checkbox"]')?.click()
    event.preventDefault()
  }
  if (!step || !row) return
  let next: Element | null = row
  do next = step > 0 ? next.nextElementSibling : next.previousElementSibling
  while (next && !next.hasAttribute('data-row'))
  const target = next?.querySelector<HTMLElement>('[data-row-link]')
  if (target) {
    target.focus()
    target.closest('[data-row]')?.scrollIntoView({ block: 'nearest' })
    event.preventDefault()
  }
}

function CardList<T>({ rows, props, scroller }: { rows: Row<T>[]; props: DataTableProps<T>; scroller: HTMLDivElement | null }) {
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => 84,
    overscan: 6,
    getItemKey: (index) => rows[index]?.id ?? index,
  })
  const items = virtual.getVirtualItems()
  return (
    <ul aria-label={props.label} className="relative" style={{ height: virtual.getTotalSize() }}>
      {items.map((item) => {
        const row = rows[item.index]
        if (!row) return null
        return (
          <li
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            data-row
            className={cn(
              // The whole card is the way to the thing; what else can be pressed in it lies above.
              'absolute inset-x-0 top-0 flex gap-3 border-b px-3 py-2.5 active:bg-hover [&_[data-row-link]]:after:absolute [&_[data-row-link]]:after:inset-0 [&_:is(button,a,[tabindex]):not([data-row-link])]:relative [&_:is(button,a,[tabindex]):not([data-row-link])]:z-10',
              row.getIsSelected() && 'bg-selected',
              props.isStale?.(row.original) && 'text-ink-3 grayscale [&_[data-row-link]]:text-ink-3',
            )}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {props.bulk ? (
              <span className="-m-2 self-start p-2.5">
                <Checkbox checked={row.getIsSelected()} onChange={(next) => row.toggleSelected(next)} label={props.rowName(row.original)} />
              </span>
            ) : null}
            <div className="min-w-0 flex-1">{props.card(row.original)}</div>
          </li>
        )
      })}
    </ul>
  )
}
