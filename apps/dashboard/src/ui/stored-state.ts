'use client'
import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Map<string, Set<() => void>>()
const cache = new Map<string, { text: string | null; value: unknown }>()

function storage(session: boolean): Storage | null {
  try {
    return session ? window.sessionStorage : window.localStorage
  } catch {
    return null
  }
}

/**
 * State that this browser keeps (`session`: that this tab keeps), under `berth.<key>`. The initial value while the server renders, and when what
 * is stored cannot be read. A browser that refuses storage gets state for as long as the page lives.
 */
export function useStoredState<T>(key: string, initial: T, session = false): [T, (next: T | ((before: T) => T)) => void] {
  const name = `berth.${key}`
  const read = useCallback((): T => {
    const text = storage(session)?.getItem(name) ?? null
    const known = cache.get(name)
    if (known && (known.text === text || storage(session) === null)) return known.value as T
    let value: unknown = initial
    try {
      if (text !== null) value = JSON.parse(text)
    } catch {
      // Written by another version or by hand: begin anew.
    }
    cache.set(name, { text, value })
    return value as T
  }, [name, session, initial])
  const value = useSyncExternalStore(
    useCallback(
      (listener) => {
        const set = listeners.get(name) ?? new Set()
        listeners.set(name, set.add(listener))
        return () => set.delete(listener)
      },
      [name],
    ),
    read,
    () => initial,
  )
  const write = useCallback(
    (next: T | ((before: T) => T)) => {
      const value = typeof next === 'function' ? (next as (before: T) => T)(read()) : next
      const text = JSON.stringify(value)
      cache.set(name, { text, value })
      try {
        storage(session)?.setItem(name, text)
      } catch {
        // Full or forbidden: the cache above serves this page.
      }
      for (const listener of listeners.get(name) ?? []) listener()
    },
    [name, session, read],
  )
  return [value, write]
}
