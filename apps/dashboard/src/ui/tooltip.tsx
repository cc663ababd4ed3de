'use client'
import { Slot } from 'radix-ui'
import {
  type FocusEvent,
  type PointerEvent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { createPortal } from 'react-dom'
import { cn } from './class-names'

/**
 * Words on hover and on focus. One surface serves the whole page, because a long list has thousands of elements that could show something and only ever one does: an element
 * costs three listeners, and the words are drawn when they are shown.
 */
interface Shown {
  anchor: HTMLElement
  words: ReactNode
  side: Side
  className?: string
}
type Side = 'top' | 'right' | 'bottom' | 'left'

const surfaceId = 'tooltip'
const delayMs = 450
/** Right after another one was shown, moving along a toolbar does not wait at each button. */
const skipDelayMs = 250
const gap = 6
const margin = 8

let shown: Shown | null = null
let hiddenAt = 0
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()

function set(next: Shown | null): void {
  clearTimeout(timer)
  if (shown === next) return
  shown?.anchor.removeAttribute('aria-describedby')
  if (shown && !next) hiddenAt = Date.now()
  shown = next
  // What names itself by these words (a button that is only an icon) need not be described by them too.
  if (next && next.anchor.getAttribute('aria-label') !== next.words) next.anchor.setAttribute('aria-describedby', surfaceId)
  for (const listener of listeners) listener()
}
function leave(anchor: HTMLElement): void {
  clearTimeout(timer)
  if (shown?.anchor === anchor) set(null)
}

/** Put once around the application: draws what is shown. */
export function TooltipRoot({ children }: { children: ReactNode }) {
  return (
    <>
      {children}
      <Surface />
    </>
  )
}

function Surface() {
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => shown,
    () => null,
  )
  useEffect(() => {
    const hide = () => set(null)
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && hide()
    document.addEventListener('keydown', onKey)
    document.addEventListener('pointerdown', hide, true)
    window.addEventListener('scroll', hide, true)
    return () => {
      document.removeEventListener('keydown', onKey)
      document.removeEventListener('pointerdown', hide, true)
      window.removeEventListener('scroll', hide, true)
    }
  }, [])
  return current ? createPortal(<Bubble {...current} />, document.body) : null
}

function Bubble({ anchor, words, side, className }: Shown) {
  const box = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null)
  useLayoutEffect(() => {
    if (!anchor.isConnected) return set(null)
    if (box.current) setPlace(placeBeside(anchor.getBoundingClientRect(), box.current.getBoundingClientRect(), side))
  }, [anchor, side])
  // A row that is taken away takes its words along.
  useEffect(() => {
    const watch = new MutationObserver(() => !anchor.isConnected && set(null))
    watch.observe(document.body, { childList: true, subtree: true })
    return () => watch.disconnect()
  }, [anchor])
  return (
    <div
      ref={box}
      id={surfaceId}
      role="tooltip"
      style={place ?? { left: 0, top: 0, visibility: 'hidden' }}
      className={cn(
        'pop-in pointer-events-none fixed z-80 w-max max-w-80 rounded-md bg-ink px-2.5 py-1.5 text-canvas text-xs shadow-pop',
        className,
      )}
    >
      {words}
    </div>
  )
}

interface Box {
  left: number
  top: number
  width: number
  height: number
}
/** Beside the anchor, on the other side where there is no room, and always inside the window. */
function placeBeside(anchor: Box, box: Box, side: Side): { left: number; top: number } {
  const [right, bottom] = [window.innerWidth - margin, window.innerHeight - margin]
  const centre = { left: anchor.left + (anchor.width - box.width) / 2, top: anchor.top + (anchor.height - box.height) / 2 }
  const at = {
    top: { left: centre.left, top: anchor.top - gap - box.height },
    bottom: { left: centre.left, top: anchor.top + anchor.height + gap },
    left: { left: anchor.left - gap - box.width, top: centre.top },
    right: { left: anchor.left + anchor.width + gap, top: centre.top },
  }
  const other = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' } as const
  const fits = ({ left, top }: { left: number; top: number }) =>
    left >= margin && top >= margin && left + box.width <= right && top + box.height <= bottom
  const vertical = side === 'top' || side === 'bottom'
  const clear = (one: Side) => (vertical ? at[one].top >= margin && at[one].top + box.height <= bottom : fits(at[one]))
  const chosen = at[clear(side) || !clear(other[side]) ? side : other[side]]
  return {
    left: Math.max(margin, Math.min(chosen.left, right - box.width)),
    top: Math.max(margin, Math.min(chosen.top, bottom - box.height)),
  }
}

interface Listeners {
  onPointerEnter: (event: PointerEvent<HTMLElement>) => void
  onPointerLeave: (event: PointerEvent<HTMLElement>) => void
  onFocus: (event: FocusEvent<HTMLElement>) => void
  onBlur: (event: FocusEvent<HTMLElement>) => void
}

/** The listeners by which an element shows words; null words = none. For what is drawn by the hundred; elsewhere Tooltip. */
export function useTooltip(words: ReactNode, side: Side = 'bottom', className?: string): Listeners | null {
  const mine = useRef<HTMLElement | null>(null)
  // The reason may become another one while it is being read, or go.
  useEffect(() => {
    if (shown && shown.anchor === mine.current && shown.words !== words) set(words ? { ...shown, words } : null)
  }, [words])
  if (!words) return null
  const show = (anchor: HTMLElement) => {
    mine.current = anchor
    set({ anchor, words, side, ...(className ? { className } : {}) })
  }
  return {
    onPointerEnter: (event) => {
      if (event.pointerType === 'touch' || event.buttons > 0) return
      const anchor = event.currentTarget
      clearTimeout(timer)
      timer = setTimeout(() => show(anchor), shown || Date.now() - hiddenAt < skipDelayMs ? 0 : delayMs)
    },
    onPointerLeave: (event) => leave(event.currentTarget),
    onFocus: (event) => {
      // Focus that comes back from a closed menu or dialog is no question about the button.
      if (event.target === event.currentTarget && event.currentTarget.matches(':focus-visible')) show(event.currentTarget)
    },
    onBlur: (event) => leave(event.currentTarget),
  }
}

/** A few words on hover and on focus. `children` must be one element that takes a ref and listeners. */
export function Tooltip({
  words,
  children,
  side = 'bottom',
  className,
}: {
  words: ReactNode
  children: ReactElement
  side?: Side
  className?: string
}) {
  return <Slot.Root {...useTooltip(words, side, className)}>{children}</Slot.Root>
}
