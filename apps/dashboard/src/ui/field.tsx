'use client'
import { CircleAlert } from 'lucide-react'
import { createContext, type ReactNode, useContext, useId } from 'react'
import { cn } from './class-names'
import { Sentence } from './sentence'

interface FieldIds {
  control: string
  describedBy: string | undefined
  invalid: boolean
  required: boolean
}
const FieldContext = createContext<FieldIds | null>(null)

/** Ids of the surrounding Field, for a control to wire itself to its label, help and error. Null outside of one. */
export function useFieldIds(): FieldIds | null {
  return useContext(FieldContext)
}

/** A labelled control with help below it and, when there is one, the error beside it. */
export function Field({
  label,
  help,
  error,
  required = false,
  optional,
  aside,
  className,
  children,
}: {
  label: ReactNode
  help?: ReactNode
  error?: string | null
  required?: boolean
  /** Words after the label of what need not be given. */
  optional?: string
  /** At the right end of the label's line: current use, a link. */
  aside?: ReactNode
  className?: string
  children: ReactNode
}) {
  const id = useId()
  const describedBy = [error ? `${id}-error` : '', help ? `${id}-help` : ''].filter(Boolean).join(' ') || undefined
  return (
    <FieldContext.Provider value={{ control: id, describedBy, invalid: Boolean(error), required }}>
      <div className={cn('grid min-w-0 grid-cols-1 content-start gap-1', className)}>
        <div className="flex min-h-4.5 items-baseline justify-between gap-3">
          <label htmlFor={id} className="font-medium text-ink-2 text-xs">
            {label}
            {required ? (
              <span className="text-bad" aria-hidden>
                {' *'}
              </span>
            ) : null}
            {optional ? <span className="font-normal text-ink-3"> · {optional}</span> : null}
          </label>
          {aside ? <span className="truncate text-ink-3 text-xs">{aside}</span> : null}
        </div>
        {children}
        {error ? (
          <p id={`${id}-error`} role="alert" className="flex items-start gap-1 text-bad text-xs">
            <CircleAlert className="mt-0.75 size-3 shrink-0" aria-hidden />
            <span className="min-w-0 break-words">
              <Sentence>{error}</Sentence>
            </span>
          </p>
        ) : null}
        {help ? (
          <p id={`${id}-help`} className="text-ink-3 text-xs">
            {help}
          </p>
        ) : null}
      </div>
    </FieldContext.Provider>
  )
}
