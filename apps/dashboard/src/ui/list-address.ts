'use client'
import type { SortingState } from '@tanstack/react-table'
import { parseAsArrayOf, parseAsString, useQueryStates } from 'nuqs'
import { useCallback, useMemo } from 'react'
import { useStoredState } from './stored-state'

/** `name` or `-name` (descending), as it stands in the address. */
export function sortText(sorting: SortingState): string {
  return sorting.map(({ id, desc }) => `${desc ? '-' : ''}${id}`).join(' ')
}

/** The other way round; anything that is not a column's id sorts by nothing. */
export function sortOf(text: string): SortingState {
  return text
    .split(' ')
    .filter(Boolean)
    .map((word) => ({ id: word.replace(/^-/, ''), desc: word.startsWith('-') }))
}

/**
 * What a list is narrowed and sorted by, kept in the address (`?q=web&status=running&sort=-created`) so that a view can be sent to somebody and Back comes to it again. The
 * sorting is remembered by the browser too, for an address that says nothing.
 */
export function useListAddress(id: string, facetKeys: readonly string[], initialSort: SortingState) {
  const keys = facetKeys.join(' ')
  const parsers = useMemo(
    () => ({
      q: parseAsString.withDefault(''),
      sort: parseAsString.withDefault(''),
      ...Object.fromEntries(
        keys
          .split(' ')
          .filter(Boolean)
          .map((key) => [key, parseAsArrayOf(parseAsString).withDefault([])]),
      ),
    }),
    [keys],
  )
  const [values, setValues] = useQueryStates(parsers as { q: typeof parsers.q; sort: typeof parsers.sort })
  const [stored, setStored] = useStoredState<SortingState>(`table.${id}.sort`, initialSort)
  const sorting = useMemo(() => (values.sort ? sortOf(values.sort) : stored), [values.sort, stored])
  const chosen = useMemo(() => {
    const all = values as unknown as Record<string, string[]>
    return Object.fromEntries(
      keys
        .split(' ')
        .filter(Boolean)
        .map((key) => [key, all[key] ?? []]),
    )
  }, [values, keys])
  const setQuery = useCallback((q: string) => void setValues({ q }), [setValues])
  const setChosen = useCallback(
    (next: Record<string, string[]>) => void setValues(next as unknown as Parameters<typeof setValues>[0]),
    [setValues],
  )
  const setSorting = useCallback(
    (change: SortingState | ((before: SortingState) => SortingState)) => {
      const next = typeof change === 'function' ? change(sorting) : change
      setStored(next)
      void setValues({ sort: sortText(next) })
    },
    [setStored, setValues, sorting],
  )
  const clear = useCallback(
    () =>
      void setValues(
        Object.fromEntries(['q', ...keys.split(' ').filter(Boolean)].map((key) => [key, null])) as unknown as Parameters<
          typeof setValues
        >[0],
      ),
    [setValues, keys],
  )
  return { query: values.q, setQuery, chosen, setChosen, sorting, setSorting, clear }
}
