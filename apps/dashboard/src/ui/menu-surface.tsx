'use client'
import { Check } from 'lucide-react'
import { DropdownMenu as Radix } from 'radix-ui'
import { type ReactNode, useContext, useEffect, useMemo, useRef } from 'react'
import { cn } from './class-names'
import { type MenuCheckProps, type MenuItemProps, MenuPartsContext, type MenuRadioProps } from './menu-parts'

const itemLook =
  'relative flex cursor-default select-none items-center gap-2.5 rounded-sm px-2 py-1.5 text-sm outline-none data-highlighted:bg-hover data-disabled:text-ink-3 pointer-coarse:min-h-11 [&_svg]:size-3.75 [&_svg]:shrink-0 [&_svg]:text-ink-3'

/** What a Menu opens; mounted while it is open. Stands where its button stands, which must be its nearest positioned ancestor. */
export function MenuSurface({
  labelledBy,
  align,
  focusFirst,
  onClose,
  giveFocusBack,
  children,
}: {
  labelledBy: string
  align: 'start' | 'end'
  /** Opened by a key: the first entry has the focus. */
  focusFirst: boolean
  onClose: () => void
  giveFocusBack: () => void
  children: ReactNode
}) {
  const content = useRef<HTMLDivElement>(null)
  const outside = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the button does not change while its menu is open
  const parts = useMemo(() => ({ Item, Check: CheckItem, Radio, Label, Line, giveFocusBack }), [])
  useEffect(() => {
    if (!focusFirst) return undefined
    const frame = requestAnimationFrame(() =>
      content.current?.querySelector<HTMLElement>('[role^="menuitem"]:not([data-disabled])')?.focus(),
    )
    return () => cancelAnimationFrame(frame)
  }, [focusFirst])
  return (
    <Radix.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      <Radix.Trigger asChild>
        <span aria-hidden className="pointer-events-none absolute inset-0" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          ref={content}
          aria-labelledby={labelledBy}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          onInteractOutside={() => {
            outside.current = true
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            const nowhere = document.activeElement === document.body || document.activeElement === null
            if (!outside.current && nowhere) giveFocusBack()
          }}
          className="pop-in z-70 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 overflow-y-auto rounded-md border border-line-strong bg-raised p-1 shadow-pop outline-none"
        >
          <MenuPartsContext value={parts}>{children}</MenuPartsContext>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

function Item({ children, onSelect, disabledReason, danger, hint }: MenuItemProps) {
  const parts = useContext(MenuPartsContext)
  return (
    <Radix.Item
      disabled={Boolean(disabledReason)}
      onSelect={() => {
        parts?.giveFocusBack()
        onSelect?.()
      }}
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

function CheckItem({ checked, onChange, children }: MenuCheckProps) {
  return (
    <Radix.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={cn(itemLook, 'pl-8')}
    >
      {/* A box that is there when it is empty too: that several can be chosen is seen before the first is. */}
      <span
        aria-hidden
        className={cn(
          'absolute left-2 grid size-4 place-items-center rounded-sm border',
          checked ? 'border-accent bg-accent [&_svg]:text-accent-ink' : 'border-line-strong bg-raised',
        )}
      >
        {checked ? <Check className="!size-3 !text-accent-ink" strokeWidth={3} /> : null}
      </span>
      {children}
    </Radix.CheckboxItem>
  )
}

function Radio({ value, onChange, choices }: MenuRadioProps) {
  return (
    <Radix.RadioGroup value={value} onValueChange={onChange}>
      {choices.map((choice) => (
        <Radix.RadioItem key={choice.value} value={choice.value} className={cn(itemLook, 'pl-7')}>
          <Mark />
          {choice.label}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  )
}

function Mark() {
  return (
    <Radix.ItemIndicator className="absolute left-2">
      <Check aria-hidden />
    </Radix.ItemIndicator>
  )
}

function Label({ children }: { children: ReactNode }) {
  return <Radix.Label className="eyebrow px-2 pt-1.5 pb-1">{children}</Radix.Label>
}

function Line() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
}
