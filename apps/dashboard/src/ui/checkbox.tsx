'use client'
import { Check, Minus } from 'lucide-react'
import { Switch as RadixSwitch } from 'radix-ui'
import { type ReactNode, useId } from 'react'
import { cn } from './class-names'

/** A box with words beside it. `label` alone (no `children`) names a box that stands in a table. */
export function Checkbox({
  checked,
  onChange,
  label,
  children,
  help,
  disabled,
  className,
}: {
  checked: boolean | 'indeterminate'
  onChange: (checked: boolean) => void
  label?: string
  children?: ReactNode
  help?: ReactNode
  disabled?: boolean
  className?: string
}) {
  const id = useId()
  const box = (
    // biome-ignore lint/a11y/useSemanticElements: an <input> cannot show a mark of ours inside it
    <button
      type="button"
      role="checkbox"
      id={id}
      disabled={disabled}
      aria-checked={checked === 'indeterminate' ? 'mixed' : checked}
      data-state={checked === 'indeterminate' ? 'indeterminate' : checked ? 'checked' : 'unchecked'}
      aria-label={children ? undefined : label}
      aria-describedby={help ? `${id}-help` : undefined}
      onClick={() => onChange(checked !== true)}
      // A check box is pressed with the space bar alone (WAI-ARIA APG, Checkbox).
      onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
      className="relative grid size-4 shrink-0 place-items-center pointer-coarse:size-5 pointer-coarse:after:absolute pointer-coarse:after:-inset-3.5 rounded-sm border border-line-strong bg-raised text-accent-ink hover:border-ink-3 disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken data-[state=checked]:border-accent data-[state=indeterminate]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:bg-accent"
    >
      {checked === 'indeterminate' ? (
        <Minus className="size-3" aria-hidden />
      ) : checked ? (
        <Check className="size-3" strokeWidth={3} aria-hidden />
      ) : null}
    </button>
  )
  if (!children) return box
  return (
    <div className={cn('flex items-start gap-2', className)}>
      <span className="mt-0.5">{box}</span>
      <div className="min-w-0">
        <label
          htmlFor={id}
          className={cn('text-sm pointer-coarse:-my-3 pointer-coarse:block pointer-coarse:py-3', disabled && 'text-ink-3')}
        >
          {children}
        </label>
        {help ? (
          <p id={`${id}-help`} className="text-ink-3 text-xs">
            {help}
          </p>
        ) : null}
      </div>
    </div>
  )
}

/** On or off, at once. */
export function Switch({
  checked,
  onChange,
  label,
  disabled,
}: {
  checked: boolean
  onChange: (checked: boolean) => void
  label: string
  disabled?: boolean
}) {
  return (
    <RadixSwitch.Root
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      className="inline-flex h-4.5 w-8 shrink-0 items-center rounded-full border border-line-strong bg-sunken p-px transition-colors duration-(--quick) data-[state=checked]:border-accent data-[state=checked]:bg-accent"
    >
      <RadixSwitch.Thumb className="size-3.5 rounded-full bg-ink-3 transition-transform duration-(--quick) data-[state=checked]:translate-x-3.5 data-[state=checked]:bg-accent-ink" />
    </RadixSwitch.Root>
  )
}
