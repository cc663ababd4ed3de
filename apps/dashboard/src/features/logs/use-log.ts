'use client'
import { useEffect, useMemo, useRef, useState } from 'react'
import { LogReader, type LogView, type LogWish } from './log-reader'

/** One log or several, live or from a moment on, whole or only what a search finds. A new wish begins anew. */
export function useLog(wish: LogWish): { log: LogView; reader: LogReader } {
  const key = JSON.stringify(wish)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the wish
  const reader = useMemo(() => new LogReader(wish), [key])
  const [, redraw] = useState(0)
  const mounted = useRef(true)
  useEffect(() => {
    mounted.current = true
    const stop = reader.start(() => mounted.current && redraw((count) => count + 1))
    return () => {
      mounted.current = false
      stop()
    }
  }, [reader])
  return { log: { ...reader.view }, reader }
}
