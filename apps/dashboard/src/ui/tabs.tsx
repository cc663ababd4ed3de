'use client'
import { Tabs as Radix } from 'radix-ui'
import { type ReactNode, useEffect, useRef } from 'react'
import { cn } from './class-names'

export interface Tab {
  value: string
  label: ReactNode
  content: ReactNode
  /** A number beside the label. */
  count?: number
}

/**
 * Tabs with the content of the open one only; the strip scrolls on a narrow screen. Keys as the APG has them: arrows go round, Home and End go to the ends. A tab is opened by
 * Enter or Space and not by the focus (manual activation, the APG's rule where a panel is not there at once): each panel asks the host for its content.
 */
export function Tabs({
  value,
  onChange,
  tabs,
  label,
  className,
  contentClassName,
}: {
  value: string
  onChange: (value: string) => void
  tabs: readonly Tab[]
  label: string
  className?: string
  contentClassName?: string
}) {
  const strip = useRef<HTMLDivElement>(null)
  // On a telephone the strip is wider than the screen: the tab that is open is brought into it, however it was opened.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the value says which one is open
  useEffect(() => {
    const open = strip.current?.querySelector<HTMLElement>('[data-state=active]')
    if (!strip.current || !open) return
    strip.current.scrollLeft = open.offsetLeft - (strip.current.clientWidth - open.offsetWidth) / 2
  }, [value])
  return (
    <Radix.Root value={value} onValueChange={onChange} activationMode="manual" className={cn('flex min-h-0 flex-col', className)}>
      <Radix.List
        ref={strip}
        aria-label={label}
        className="relative flex shrink-0 gap-0.5 overflow-x-auto border-b px-3 [scrollbar-width:none] sm:px-4"
      >
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.value}
            value={tab.value}
            className="relative flex h-9 shrink-0 pointer-coarse:h-11 items-center gap-1.5 whitespace-nowrap px-2.5 text-ink-3 text-sm outline-offset-[-3px] after:absolute after:inset-x-2 after:-bottom-px after:h-0.5 after:rounded-full hover:text-ink data-[state=active]:font-medium data-[state=active]:text-ink data-[state=active]:after:bg-accent"
          >
            {tab.label}
            {tab.count === undefined ? null : (
              <span className="tabular rounded-full bg-calm-soft px-1.5 text-2xs text-calm">{tab.count}</span>
            )}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} className={cn('min-h-0 flex-1 outline-offset-[-2px]', contentClassName)}>
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  )
}
