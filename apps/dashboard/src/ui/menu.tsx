'use client'
import { Check } from 'lucide-react'
import { DropdownMenu as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from './class-names'

const itemLook =
  'relative flex cursor-default select-none items-center gap-2.5 rounded-sm px-2 py-1.5 text-sm outline-none data-highlighted:bg-hover data-disabled:text-ink-3 [&_svg]:size-3.75 [&_svg]:shrink-0 [&_svg]:text-ink-3'

/** A list of actions behind a button. `trigger` must be one element that takes a ref. */
export function Menu({ trigger, children, align = 'end' }: { trigger: ReactNode; children: ReactNode; align?: 'start' | 'end' }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="pop-in z-70 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 overflow-y-auto rounded-md border border-line-strong bg-raised p-1 shadow-pop"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** One action. With `disabledReason` it stays in the list and says under its name why it cannot be used. */
export function MenuItem({
  children,
  onSelect,
  disabledReason,
  danger,
  hint,
}: {
  children: ReactNode
  onSelect?: () => void
  disabledReason?: string | null | false
  danger?: boolean
  /** A key, at the right end. */
  hint?: string
}) {
  return (
    <Radix.Item
      disabled={Boolean(disabledReason)}
      onSelect={onSelect}
      className={cn(itemLook, danger && !disabledReason && 'text-bad data-highlighted:bg-bad-soft [&_svg]:text-bad')}
    >
      {disabledReason ? (
        <span className="grid gap-0.5">
          <span className="flex items-center gap-2.5">{children}</span>
          <span className="max-w-60 text-2xs">{disabledReason}</span>
        </span>
      ) : (
        children
      )}
      {hint ? <kbd className="ml-auto pl-4 text-ink-3 text-xs">{hint}</kbd> : null}
    </Radix.Item>
  )
}

/** An entry that is on or off; the menu stays open. */
export function MenuCheck({
  checked,
  onChange,
  children,
}: {
  checked: boolean
  onChange: (checked: boolean) => void
  children: ReactNode
}) {
  return (
    <Radix.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={cn(itemLook, 'pl-7')}
    >
      <Radix.ItemIndicator className="absolute left-2">
        <Check aria-hidden />
      </Radix.ItemIndicator>
      {children}
    </Radix.CheckboxItem>
  )
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
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      {choices.map((choice) => (
        <Radix.RadioItem key={choice.value} value={choice.value} className={cn(itemLook, 'pl-7')}>
          <Radix.ItemIndicator className="absolute left-2">
            <Check aria-hidden />
          </Radix.ItemIndicator>
          {choice.label}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  )
}

/** Words above a group of entries. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="eyebrow px-2 pt-1.5 pb-1">{children}</Radix.Label>
}

export function MenuLine() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
}
