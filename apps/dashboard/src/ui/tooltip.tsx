'use client'
import { Tooltip as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from './class-names'

/** Put once around the application: delays are shared so that moving along a toolbar does not wait at each button. */
export function TooltipRoot({ children }: { children: ReactNode }) {
  return (
    <Radix.Provider delayDuration={450} skipDelayDuration={200} disableHoverableContent>
      {children}
    </Radix.Provider>
  )
}

/** A few words on hover and on focus. `children` must be one element that takes a ref. */
export function Tooltip({
  words,
  children,
  side = 'bottom',
  className,
}: {
  words: ReactNode
  children: ReactNode
  side?: 'top' | 'right' | 'bottom' | 'left'
  className?: string
}) {
  return (
    <Radix.Root>
      <Radix.Trigger
        asChild
        onFocus={(event) => {
          // Focus that comes back from a closed menu or dialog is no question about the button.
          if (!event.currentTarget.matches(':focus-visible')) event.preventDefault()
        }}
      >
        {children}
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className={cn(
            'pop-in pointer-events-none z-80 max-w-80 rounded-md bg-ink px-2.5 py-1.5 text-canvas text-xs shadow-pop',
            className,
          )}
        >
          {words}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
