'use client'
import { Search, X } from 'lucide-react'
import { type ComponentProps, type ReactNode, useEffect, useRef } from 'react'
import { cn } from './class-names'
import { useFieldIds } from './field'

export const controlLook =
  'h-control w-full min-w-0 rounded-md border border-line-strong bg-raised px-2.5 text-ink text-sm transition-colors duration-(--quick) placeholder:text-ink-3 hover:border-ink-off focus-visible:border-focus focus-visible:outline-offset-0 aria-invalid:border-bad disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken disabled:text-ink-3 [&:is(input,textarea):read-only]:bg-sunken'

/** One line of text. Inside a Field it takes the field's id, error state and description. */
export function Input({ className, mono, ...rest }: ComponentProps<'input'> & { mono?: boolean }) {
  const field = useFieldIds()
  return (
    <input
      id={field?.control}
      aria-describedby={field?.describedBy}
      aria-invalid={field?.invalid || undefined}
      aria-required={field?.required || undefined}
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={cn(controlLook, mono && 'font-mono text-xs', className)}
    />
  )
}

/** Several lines of text. */
export function Textarea({ className, mono, ...rest }: ComponentProps<'textarea'> & { mono?: boolean }) {
  const field = useFieldIds()
  return (
    <textarea
      id={field?.control}
      aria-describedby={field?.describedBy}
      aria-invalid={field?.invalid || undefined}
      aria-required={field?.required || undefined}
      spellCheck={false}
      rows={3}
      {...rest}
      className={cn(controlLook, 'h-auto min-h-16 resize-y py-1.5', mono && 'font-mono text-xs', className)}
    />
  )
}

/** An input with a word or a unit fixed to its right end. */
export function InputWithUnit({ unit, className, ...rest }: ComponentProps<typeof Input> & { unit: ReactNode }) {
  return (
    <div className={cn('relative', className)}>
      <Input {...rest} className="pr-14" />
      <span className="pointer-events-none absolute inset-y-0 right-2.5 grid place-items-center text-ink-3 text-xs">{unit}</span>
    </div>
  )
}

/** The filter of a list. `/` anywhere on the page brings the focus here, Escape empties it and then leaves. */
export function FilterInput({
  value,
  onChange,
  label,
  clearLabel,
  className,
}: {
  value: string
  onChange: (value: string) => void
  label: string
  clearLabel: string
  className?: string
}) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])
  return (
    <div className={cn('relative', className)}>
      <Search className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-ink-3" aria-hidden />
      <input
        ref={input}
        type="search"
        value={value}
        aria-label={label}
        placeholder={label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          if (value) onChange('')
          else input.current?.blur()
        }}
        className={cn(controlLook, 'pr-8 pl-8 [&::-webkit-search-cancel-button]:hidden')}
      />
      {value ? (
        <button
          type="button"
          aria-label={clearLabel}
          onClick={() => onChange('')}
          className="absolute inset-y-0 right-1 grid w-7 place-items-center text-ink-3 hover:text-ink"
        >
          <X className="size-3.5" aria-hidden />
        </button>
      ) : (
        <kbd aria-hidden className="pointer-events-none absolute inset-y-0 right-2 hidden place-items-center text-ink-3 text-xs sm:grid">
          /
        </kbd>
      )}
    </div>
  )
}

/** True when a key press belongs to whoever types there: fields, editors, terminals. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input, textarea, select, [role="textbox"], [role="combobox"]') ||
      target.closest('.xterm') !== null)
  )
}
