'use client'
import { Command } from 'cmdk'
import { Check, ChevronsUpDown } from 'lucide-react'
import { Popover as Radix } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { cn } from './class-names'
import { useFieldIds } from './field'
import { controlLook } from './input'

export interface ComboboxItem {
  value: string
  label?: ReactNode
  detail?: ReactNode
}

/** One of many, found by typing; with `free`, also what is not in the list. */
export function Combobox({
  value,
  onChange,
  items,
  label,
  placeholder,
  emptyWords,
  free,
  freeWords,
  mono,
  disabled,
}: {
  value: string
  onChange: (value: string) => void
  items: readonly ComboboxItem[]
  label: string
  placeholder?: string
  /** Said when nothing matches. */
  emptyWords: string
  free?: boolean
  /** Words before what was typed: "Use". */
  freeWords?: string
  mono?: boolean
  disabled?: boolean
}) {
  const field = useFieldIds()
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const choose = (next: string) => {
    onChange(next)
    setOpen(false)
    setTyped('')
  }
  const shown = items.find((item) => item.value === value)
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger
        id={field?.control}
        aria-label={field ? undefined : label}
        aria-describedby={field?.describedBy}
        aria-invalid={field?.invalid || undefined}
        role="combobox"
        aria-expanded={open}
        disabled={disabled}
        className={cn(controlLook, 'flex items-center justify-between gap-2 text-left', mono && 'font-mono text-xs')}
      >
        <span className={cn('truncate', !value && 'font-sans text-ink-3 text-sm')}>{shown?.label ?? (value || placeholder)}</span>
        <ChevronsUpDown className="size-3.5 shrink-0 text-ink-3" aria-hidden />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className="pop-in z-70 w-(--radix-popover-trigger-width) min-w-56 overflow-hidden rounded-md border border-line-strong bg-raised shadow-pop"
        >
          <Command label={label} loop>
            <Command.Input
              value={typed}
              onValueChange={setTyped}
              placeholder={placeholder ?? label}
              className="h-9 w-full border-b bg-transparent px-3 text-sm outline-none placeholder:text-ink-3"
            />
            <Command.List label={label} className="max-h-64 overflow-y-auto p-1">
              <Command.Empty className="px-3 py-4 text-center text-ink-3 text-sm">{emptyWords}</Command.Empty>
              {items.map((item) => (
                <Command.Item
                  key={item.value}
                  value={item.value}
                  onSelect={() => choose(item.value)}
                  className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-sm data-[selected=true]:bg-hover"
                >
                  <Check className={cn('size-3.5 shrink-0 text-accent', item.value !== value && 'invisible')} aria-hidden />
                  <span className={cn('min-w-0 flex-1 truncate', mono && 'font-mono text-xs')}>{item.label ?? item.value}</span>
                  {item.detail ? <span className="shrink-0 text-ink-3 text-xs">{item.detail}</span> : null}
                </Command.Item>
              ))}
              {free && typed && !items.some((item) => item.value === typed) ? (
                <Command.Item
                  value={typed}
                  forceMount
                  onSelect={() => choose(typed)}
                  className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-sm data-[selected=true]:bg-hover"
                >
                  <span className="size-3.5" />
                  <span className="text-ink-3">{freeWords}</span>
                  <span className="truncate font-mono text-xs">{typed}</span>
                </Command.Item>
              ) : null}
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
