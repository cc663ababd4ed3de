'use client'
import { flexRender, type Row, type Table } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { memo } from 'react'
import { Checkbox } from './checkbox'
import { cn } from './class-names'

/** The head of a DataTable: sort buttons, the box that selects everything shown. */
export function TableHead<T>({ table, selectable }: { table: Table<T>; selectable: boolean }) {
  const t = useTranslations('ui')
  const all = table.getIsAllRowsSelected()
  return (
    <thead>
      <tr aria-rowindex={1}>
        {selectable ? (
          <th scope="col" className="sticky top-0 z-10 w-10 border-b bg-canvas pl-4 text-left">
            <Checkbox
              checked={all ? true : table.getIsSomeRowsSelected() ? 'indeterminate' : false}
              onChange={(next) => table.toggleAllRowsSelected(next)}
              label={t('selectAll')}
            />
          </th>
        ) : null}
        {table.getFlatHeaders().map((header) => {
          const meta = header.column.columnDef.meta
          const sorted = header.column.getIsSorted()
          const width = meta?.width
          return (
            <th
              key={header.id}
              scope="col"
              aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
              style={width ? { width } : undefined}
              className={cn(
                'sticky top-0 z-10 h-8 border-b bg-canvas px-2 font-medium text-ink-3 text-xs first:pl-4 last:pr-4 pointer-coarse:h-11',
                meta?.align === 'right' ? 'text-right' : 'text-left',
                meta?.className,
              )}
            >
              {header.column.getCanSort() ? (
                <button
                  type="button"
                  onClick={header.column.getToggleSortingHandler()}
                  className={cn('inline-flex max-w-full items-center gap-1 rounded-sm hover:text-ink', sorted && 'text-ink')}
                >
                  <span className="truncate">{meta?.label}</span>
                  {sorted === 'asc' ? <ArrowUp className="size-3 shrink-0" aria-hidden /> : null}
                  {sorted === 'desc' ? <ArrowDown className="size-3 shrink-0" aria-hidden /> : null}
                </button>
              ) : meta?.fixed ? (
                <span className="sr-only">{meta.label}</span>
              ) : (
                <span className="block truncate">{meta?.label}</span>
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

/** Rows drawn above and below those in view: one is where the arrow keys go next; each costs its share of every jump. */
const rowsBeyond = 4

/** The rows in view and a little beyond; two spacer rows stand for the others. */
export function TableBody<T>({
  rows,
  scroller,
  selectable,
  rowName,
  isStale,
}: {
  rows: Row<T>[]
  scroller: HTMLDivElement | null
  selectable: boolean
  rowName: (row: T) => string
  isStale?: (row: T) => boolean
}) {
  const height = typeof window !== 'undefined' && window.matchMedia('(pointer: coarse)').matches ? 48 : 36
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller, estimateSize: () => height, overscan: rowsBeyond })
  const items = virtual.getVirtualItems()
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  return (
    <tbody>
      {before > 0 ? <Spacer height={before} /> : null}
      {items.map((item) => {
        const row = rows[item.index]
        if (!row) return null
        return (
          <TableRow
            key={row.id}
            row={row}
            original={row.original}
            index={item.index}
            selected={row.getIsSelected()}
            selectable={selectable}
            name={rowName(row.original)}
            stale={isStale?.(row.original) ?? false}
            columns={row
              .getVisibleCells()
              .map((cell) => cell.column.id)
              .join()}
          />
        )
      })}
      {after > 0 ? <Spacer height={after} /> : null}
    </tbody>
  )
}

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden>
      <td style={{ height }} className="p-0" />
    </tr>
  )
}

interface TableRowProps<T> {
  row: Row<T>
  /** Compared by memo: the row object of TanStack is new at every change of the list, this is not. */
  original: T
  index: number
  selected: boolean
  selectable: boolean
  name: string
  stale: boolean
  /** Ids of the columns that are shown: a change draws the row again. */
  columns: string
}

const TableRow = memo(
  function TableRow<T>({ row, index, selected, selectable, name, stale }: TableRowProps<T>) {
    return (
      <tr
        data-row
        aria-rowindex={index + 2}
        data-selected={selected || undefined}
        className={cn(
          'group/row h-row hover:bg-hover',
          selected && 'bg-selected hover:bg-selected',
          stale && 'text-ink-3 grayscale [&_[data-row-link]]:text-ink-3',
        )}
      >
        {selectable ? (
          <td className="w-10 border-b pl-4">
            <Checkbox checked={selected} onChange={(next) => row.toggleSelected(next)} label={name} />
          </td>
        ) : null}
        {row.getVisibleCells().map((cell) => {
          const meta = cell.column.columnDef.meta
          return (
            <td
              key={cell.id}
              className={cn(
                'overflow-hidden border-b px-2 first:pl-4 last:pr-4 pointer-coarse:h-11',
                meta?.align === 'right' && 'tabular text-right',
                meta?.className,
              )}
            >
              {flexRender(cell.column.columnDef.cell, cell.getContext())}
            </td>
          )
        })}
      </tr>
    )
  },
  (a, b) =>
    a.original === b.original &&
    a.index === b.index &&
    a.selected === b.selected &&
    a.name === b.name &&
    a.stale === b.stale &&
    a.columns === b.columns &&
    a.row.getVisibleCells()[0]?.column.columnDef === b.row.getVisibleCells()[0]?.column.columnDef,
) as <T>(props: TableRowProps<T>) => ReturnType<typeof Spacer>
