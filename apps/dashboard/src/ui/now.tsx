'use client'
import { useSyncExternalStore } from 'react'
import { useFormat } from './format'
import { Tooltip } from './tooltip'

/** One clock for every age on the page: it ticks once a second while somebody looks, and not at all in a hidden tab. */
const listeners = new Set<() => void>()
let now = 0
let timer: ReturnType<typeof setInterval> | undefined

function tick() {
  if (document.hidden) return
  now = Date.now()
  for (const listener of listeners) listener()
}
function listen(listener: () => void) {
  listeners.add(listener)
  if (!timer) timer = setInterval(tick, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The time in ms, rounded down to `everySeconds`; 0 while the server renders. */
export function useNow(everySeconds = 1): number {
  const step = everySeconds * 1000
  return useSyncExternalStore(
    listen,
    () => {
      if (now === 0) now = Date.now()
      return Math.floor(now / step) * step
    },
    () => 0,
  )
}

/** "3 min ago", with the full date on hover. */
export function Ago({ at, className }: { at: string | number | null; className?: string }) {
  const format = useFormat()
  const at0 = at === null ? 0 : typeof at === 'number' ? at : Date.parse(at)
  const current = useNow(1)
  if (at === null || Number.isNaN(at0)) return <span className={className}>–</span>
  return (
    <Tooltip words={format.dateTime(at0)}>
      <time dateTime={new Date(at0).toISOString()} className={className} suppressHydrationWarning>
        {current === 0 ? format.dateTime(at0) : format.ago(at0, current)}
      </time>
    </Tooltip>
  )
}
