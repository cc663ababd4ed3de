'use client'
import { cva, type VariantProps } from 'class-variance-authority'
import { LoaderCircle } from 'lucide-react'
import { Slot } from 'radix-ui'
import type { ComponentProps, FocusEvent, MouseEvent, PointerEvent } from 'react'
import { cn } from './class-names'
import { useTooltip } from './tooltip'

const look = cva(
  'inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md border font-medium text-sm transition-colors duration-(--quick) aria-disabled:cursor-not-allowed [&_svg]:size-3.75 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        primary:
          'border-transparent bg-accent text-accent-ink hover:bg-accent-hover aria-disabled:bg-calm-soft aria-disabled:text-ink-3 aria-disabled:hover:bg-calm-soft',
        plain:
          'border-line-strong bg-raised text-ink hover:bg-hover aria-disabled:border-line aria-disabled:bg-surface aria-disabled:text-ink-3',
        quiet:
          'border-transparent bg-transparent text-ink-2 hover:bg-hover hover:text-ink aria-disabled:text-ink-off aria-disabled:hover:bg-transparent',
        danger:
          'border-transparent bg-bad text-bad-ink hover:bg-bad-hover aria-disabled:bg-calm-soft aria-disabled:text-ink-3 aria-disabled:hover:bg-calm-soft',
        'danger-quiet':
          'border-transparent bg-transparent text-bad hover:bg-bad-soft aria-disabled:text-ink-off aria-disabled:hover:bg-transparent',
      },
      size: {
        normal: 'h-control px-3',
        small: 'h-6.5 px-2 text-xs pointer-coarse:h-11 pointer-coarse:px-3 [&_svg]:size-3.25',
        icon: 'h-control w-control px-0',
        'icon-small': 'size-6.5 px-0 pointer-coarse:size-11 [&_svg]:size-3.5',
      },
    },
    defaultVariants: { tone: 'plain', size: 'normal' },
  },
)

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'>, VariantProps<typeof look> {
  /** Why it cannot be used now; a sentence for people. Present = disabled, still reachable by keyboard so that the reason can be read. */
  disabledReason?: string | null | false
  /** Disabled for a reason that is plain to see (an empty form). Prefer `disabledReason`. */
  disabled?: boolean
  /** Work is under way: shows a turning mark and takes no further click. */
  busy?: boolean
  /** Shown on hover and focus; for buttons that are only an icon it is the accessible name too. */
  hint?: string
  asChild?: boolean
}

/** Every button. A disabled one stays focusable (`aria-disabled`) and says why. */
export function Button({ tone, size, className, disabledReason, disabled, busy, hint, asChild, onClick, children, ...rest }: ButtonProps) {
  const off = Boolean(disabledReason) || disabled || busy
  const Root = (asChild ? Slot.Root : 'button') as 'button'
  const press = (event: MouseEvent<HTMLButtonElement>) => {
    if (off) {
      event.preventDefault()
      event.stopPropagation()
      return
    }
    onClick?.(event)
  }
  const tip = useTooltip(disabledReason || hint || null)
  return (
    <Root
      type={asChild ? undefined : 'button'}
      {...rest}
      {...(tip && both(tip, rest))}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-label={rest['aria-label'] ?? (size?.startsWith('icon') ? hint : undefined)}
      className={cn(look({ tone, size }), className)}
      onClick={press}
    >
      {asChild ? (
        children
      ) : (
        <>
          {busy ? <LoaderCircle className="turning" aria-hidden /> : null}
          {busy && size?.startsWith('icon') ? null : children}
        </>
      )}
    </Root>
  )
}

type Tip = NonNullable<ReturnType<typeof useTooltip>>

/** The tooltip's listeners after those that the button was given (a menu's, a link's). */
function both(tip: Tip, given: ComponentProps<'button'>): Tip {
  return {
    onPointerEnter: (event) => {
      given.onPointerEnter?.(event as PointerEvent<HTMLButtonElement>)
      tip.onPointerEnter(event)
    },
    onPointerLeave: (event) => {
      given.onPointerLeave?.(event as PointerEvent<HTMLButtonElement>)
      tip.onPointerLeave(event)
    },
    onFocus: (event) => {
      given.onFocus?.(event as FocusEvent<HTMLButtonElement>)
      tip.onFocus(event)
    },
    onBlur: (event) => {
      given.onBlur?.(event as FocusEvent<HTMLButtonElement>)
      tip.onBlur(event)
    },
  }
}
