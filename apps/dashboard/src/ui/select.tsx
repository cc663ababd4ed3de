'use client'
import { Check, ChevronDown } from 'lucide-react'
import { Select as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from './class-names'
import { useFieldIds } from './field'
import { controlLook } from './input'

/** Radix has no empty value; this stands for it inside. */
const none = '\u0000none'

export interface Choice<T extends string = string> {
  value: T
  label: ReactNode
  /** A second, muted line. */
  detail?: ReactNode
  disabled?: boolean
}

/** One of a few. For many or unknown values use Combobox. An empty string is a value like any other. */
export function Select<T extends string>({
  value,
  onChange,
  choices,
  label,
  placeholder,
  disabled,
  className,
}: {
  value: T
  onChange: (value: T) => void
  choices: readonly Choice<T>[]
  /** Accessible name where there is no Field around it. */
  label?: string
  placeholder?: string
  disabled?: boolean
  className?: string
}) {
  const field = useFieldIds()
  return (
    <Radix.Root
      value={value === '' ? none : value}
      onValueChange={(next) => onChange((next === none ? '' : next) as T)}
      disabled={disabled}
    >
      <Radix.Trigger
        id={field?.control}
        aria-label={label}
        aria-describedby={field?.describedBy}
        aria-invalid={field?.invalid || undefined}
        className={cn(controlLook, 'flex items-center justify-between gap-2 text-left', className)}
      >
        <span className="truncate">
          <Radix.Value placeholder={placeholder} />
        </span>
        <Radix.Icon>
          <ChevronDown className="size-3.5 text-ink-3" aria-hidden />
        </Radix.Icon>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className="pop-in z-70 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) overflow-hidden rounded-md border border-line-strong bg-raised shadow-pop"
        >
          <Radix.Viewport className="p-1">
            {choices.map((choice) => (
              <Radix.Item
                key={choice.value || none}
                value={choice.value === '' ? none : choice.value}
                disabled={choice.disabled}
                className="relative flex cursor-default select-none items-start gap-2 rounded-sm py-1.5 pr-3 pl-7 pointer-coarse:py-3 text-sm outline-none data-disabled:text-ink-off data-highlighted:bg-hover"
              >
                <Radix.ItemIndicator className="absolute top-2 left-2 pointer-coarse:top-3.5">
                  <Check className="size-3.5 text-accent" aria-hidden />
                </Radix.ItemIndicator>
                <span className="grid">
                  <Radix.ItemText>{choice.label}</Radix.ItemText>
                  {choice.detail ? <span className="text-ink-3 text-xs">{choice.detail}</span> : null}
                </span>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
