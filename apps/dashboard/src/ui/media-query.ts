'use client'
import { useSyncExternalStore } from 'react'

/** Whether a media query holds; false while the server renders. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query)
      list.addEventListener('change', listener)
      return () => list.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches,
    () => false,
  )
}

/** Narrower than 640 px: cards in place of tables, sheets from below. */
export function usePhone(): boolean {
  return useMediaQuery('(max-width: 639px)')
}
