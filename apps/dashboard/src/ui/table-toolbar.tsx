'use client'
import type { Table } from '@tanstack/react-table'
import { Columns3, ListFilter } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ReactNode, useMemo } from 'react'
import { Button } from './button'
import { cn } from './class-names'
import { FilterInput } from './input'
import type { useListAddress } from './list-address'
import { Menu, MenuCheck, MenuLabel } from './menu'

/** One dimension to narrow a list by. Its choices and their counts are read from the rows. */
export interface Facet<T> {
  key: string
  label: string
  /** A row may have several values (its networks), or none. */
  values: (row: T) => readonly string[]
  /** How a value is called; the value itself if absent. */
  name?: (value: string) => ReactNode
}

/** Whether a row has, for each facet, one of the chosen values. */
export function matchesFacets<T>(row: T, facets: readonly Facet<T>[], chosen: Record<string, string[]>): boolean {
  return facets.every((facet) => {
    const wanted = chosen[facet.key]
    return !wanted?.length || facet.values(row).some((value) => wanted.includes(value))
  })
}

/** Filter, facets, the number of rows, actions, and the choice of columns. */
export function TableToolbar<T>({
  rows,
  facets,
  searchLabel,
  actions,
  address,
  table,
  shown,
}: {
  rows: readonly T[]
  facets?: readonly Facet<T>[]
  searchLabel: string
  actions?: ReactNode
  address: ReturnType<typeof useListAddress>
  table: Table<T>
  shown: number
}) {
  const t = useTranslations('ui')
  const { query, chosen } = address
  const filtered = shown !== rows.length
  // A filter that happens to fit every row is a filter all the same.
  const active = query !== '' || Object.values(chosen).some((values) => values.length > 0)
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 px-3 py-2 sm:px-4">
      <FilterInput
        value={query}
        onChange={address.setQuery}
        label={searchLabel}
        clearLabel={t('clear')}
        className="min-w-0 grow basis-48 sm:w-72 sm:grow-0 sm:basis-auto"
      />
      <div
        data-sideways
        className="contents max-sm:order-1 max-sm:-mx-3 max-sm:flex max-sm:w-[100vw] max-sm:gap-2 max-sm:overflow-x-auto max-sm:px-3 max-sm:[scrollbar-width:none] max-sm:empty:hidden"
      >
        {facets?.map((facet) => (
          <FacetMenu
            key={facet.key}
            facet={facet}
            rows={rows}
            chosen={chosen[facet.key] ?? []}
            onChange={(values) => address.setChosen({ [facet.key]: values })}
          />
        ))}
      </div>
      <span role="status" className={cn('tabular text-ink-3 text-xs max-sm:order-1', !filtered && 'max-sm:hidden')}>
        {/* Without rows the list says why itself. */}
        {rows.length === 0 ? null : filtered ? t('shownOf', { shown, total: rows.length }) : t('rowCount', { count: rows.length })}
      </span>
      {active ? (
        <Button tone="quiet" size="small" className="max-sm:order-1" onClick={address.clear}>
          {t('clearFilter')}
        </Button>
      ) : null}
      <div className="ml-auto flex items-center gap-2 max-sm:has-[>:only-child]:hidden">
        <span className="max-sm:hidden">
          <Menu
            trigger={
              <Button tone="quiet" size="icon" hint={t('columns')}>
                <Columns3 aria-hidden />
              </Button>
            }
          >
            <MenuLabel>{t('columns')}</MenuLabel>
            {table
              .getAllLeafColumns()
              .filter((column) => !column.columnDef.meta?.fixed)
              .map((column) => (
                <MenuCheck key={column.id} checked={column.getIsVisible()} onChange={(next) => column.toggleVisibility(next)}>
                  {column.columnDef.meta?.label ?? column.id}
                </MenuCheck>
              ))}
          </Menu>
        </span>
        {actions}
      </div>
    </div>
  )
}

function FacetMenu<T>({
  facet,
  rows,
  chosen,
  onChange,
}: {
  facet: Facet<T>
  rows: readonly T[]
  chosen: string[]
  onChange: (values: string[]) => void
}) {
  const choices = useMemo(() => {
    const counts = new Map<string, number>()
    for (const row of rows) for (const value of facet.values(row)) counts.set(value, (counts.get(value) ?? 0) + 1)
    for (const value of chosen) if (!counts.has(value)) counts.set(value, 0)
    return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, 200)
  }, [rows, facet, chosen])
  if (choices.length < 2 && chosen.length === 0) return null
  const name = (value: string) => facet.name?.(value) ?? value
  return (
    <Menu
      align="start"
      trigger={
        <Button className={cn(chosen.length > 0 && 'border-brass bg-brass-soft hover:bg-brass-soft')}>
          <ListFilter className="text-ink-3" aria-hidden />
          {facet.label}
          {chosen.length > 0 ? (
            <span className="max-w-36 truncate font-normal">: {chosen.length === 1 ? name(chosen[0] as string) : chosen.length}</span>
          ) : null}
        </Button>
      }
    >
      {choices.map(([value, count]) => (
        <MenuCheck
          key={value}
          checked={chosen.includes(value)}
          onChange={(next) => onChange(next ? [...chosen, value] : chosen.filter((one) => one !== value))}
        >
          <span className="max-w-64 truncate">{name(value)}</span>
          <span className="tabular ml-auto pl-4 text-ink-3 text-xs">{count}</span>
        </MenuCheck>
      ))}
    </Menu>
  )
}
