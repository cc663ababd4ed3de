'use client'
import { Slot } from 'radix-ui'
import { type KeyboardEvent, type PointerEvent, type ReactNode, useContext, useEffect, useId, useRef, useState } from 'react'
import { cn } from './class-names'
import { later } from './later'
import { type MenuCheckProps, type MenuItemProps, MenuPartsContext } from './menu-parts'

/*
 * The button of a menu is on the page from the beginning; what opens (menu-surface.tsx: focus, arrow keys, typing ahead, placing itself) is fetched when a page is idle or somebody comes near.
 * The entries are drawn by the surface's parts, which reach them by context.
 */
const fetchSurface = () => import('./menu-surface')
const Surface = later(() => fetchSurface().then((module) => module.MenuSurface))
let fetching = false
function fetchEarly(): void {
  if (fetching) return
  fetching = true
  fetchSurface().catch(() => {
    fetching = false
  })
}
const idleMs = 4000

/** A list of actions behind a button. `trigger` must be one element that takes a ref. `block`: the button takes the whole width. */
export function Menu({
  trigger,
  children,
  align = 'end',
  block,
}: {
  trigger: ReactNode
  children: ReactNode
  align?: 'start' | 'end'
  block?: boolean
}) {
  const id = useId()
  const button = useRef<HTMLElement>(null)
  const [open, setOpen] = useState<false | 'pointer' | 'keyboard'>(false)
  useEffect(() => {
    const timer = setTimeout(fetchEarly, idleMs)
    return () => clearTimeout(timer)
  }, [])
  return (
    <span className={cn('relative', block ? 'block' : 'inline-flex shrink-0')}>
      <Slot.Root
        ref={button}
        id={id}
        aria-haspopup="menu"
        aria-expanded={open !== false}
        data-state={open ? 'open' : 'closed'}
        onPointerEnter={fetchEarly}
        onFocus={fetchEarly}
        onPointerDown={(event: PointerEvent<HTMLElement>) => {
          if (event.button !== 0 || event.ctrlKey || isOff(event.currentTarget)) return
          // Keeps the focus where it is until the menu takes it.
          if (!open) event.preventDefault()
          setOpen(open ? false : 'pointer')
        }}
        onKeyDown={(event: KeyboardEvent<HTMLElement>) => {
          if (!['Enter', ' ', 'ArrowDown'].includes(event.key) || isOff(event.currentTarget)) return
          event.preventDefault()
          setOpen('keyboard')
        }}
      >
        {trigger}
      </Slot.Root>
      {open ? (
        <Surface
          labelledBy={id}
          align={align}
          focusFirst={open === 'keyboard'}
          onClose={() => setOpen(false)}
          giveFocusBack={() => button.current?.focus({ preventScroll: true })}
        >
          {children}
        </Surface>
      ) : null}
    </span>
  )
}

const isOff = (button: HTMLElement) => button.getAttribute('aria-disabled') === 'true'

/** One action. With `disabledReason` it stays in the list and says under its name why it cannot be used. */
export function MenuItem(props: MenuItemProps) {
  const parts = useContext(MenuPartsContext)
  return parts ? <parts.Item {...props} /> : null
}

/** An entry that is on or off; the menu stays open. */
export function MenuCheck(props: MenuCheckProps) {
  const parts = useContext(MenuPartsContext)
  return parts ? <parts.Check {...props} /> : null
}

/** One of several; the menu closes. */
export function MenuRadio<T extends string>({
  value,
  onChange,
  choices,
}: {
  value: T
  onChange: (value: T) => void
  choices: readonly { value: T; label: ReactNode }[]
}) {
  const parts = useContext(MenuPartsContext)
  return parts ? <parts.Radio value={value} onChange={(next) => onChange(next as T)} choices={choices} /> : null
}

/** Words above a group of entries. */
export function MenuLabel({ children }: { children: ReactNode }) {
  const parts = useContext(MenuPartsContext)
  return parts ? <parts.Label>{children}</parts.Label> : null
}

export function MenuLine() {
  const parts = useContext(MenuPartsContext)
  return parts ? <parts.Line /> : null
}
