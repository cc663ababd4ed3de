'use client'
import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './class-names'

/** A titled group on its own sheet. */
export function Card({
  title,
  aside,
  children,
  className,
  bodyClassName,
}: {
  title?: ReactNode
  aside?: ReactNode
  children: ReactNode
  className?: string
  bodyClassName?: string
}) {
  return (
    <section className={cn('min-w-0 rounded-lg border bg-surface', className)}>
      {title ? (
        <header className="flex min-h-10 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b px-3.5 py-1.5">
          <h2 className="font-semibold text-sm">{title}</h2>
          {aside ? <div className="flex items-center gap-2 text-ink-3 text-xs">{aside}</div> : null}
        </header>
      ) : null}
      <div className={cn('p-3.5', bodyClassName)}>{children}</div>
    </section>
  )
}

/** A section that stays folded until it is needed. `summary` says what is set inside while it is folded. */
export function Fold({
  title,
  summary,
  open,
  onToggle,
  children,
  invalid,
}: {
  title: ReactNode
  summary?: ReactNode
  open?: boolean
  onToggle?: (open: boolean) => void
  children: ReactNode
  /** Something inside is wrong. */
  invalid?: boolean
}) {
  return (
    <details open={open} onToggle={(event) => onToggle?.(event.currentTarget.open)} className="group/fold border-b last:border-b-0">
      <summary className="flex min-h-10 pointer-coarse:min-h-11 items-center gap-2 px-3.5 py-1.5 hover:bg-hover">
        <ChevronRight
          className="size-3.5 shrink-0 text-ink-3 transition-transform duration-(--quick) group-open/fold:rotate-90"
          aria-hidden
        />
        <span className={cn('shrink-0 font-medium', invalid && 'text-bad')}>{title}</span>
        <span className="ml-auto min-w-0 truncate pl-4 text-right text-ink-3 text-xs group-open/fold:invisible">{summary}</span>
      </summary>
      <div className="grid gap-3.5 px-3.5 pt-1 pb-4 sm:pl-9">{children}</div>
    </details>
  )
}

/** Names and values in two columns. */
export function Facts({ children, className }: { children: ReactNode; className?: string }) {
  return <dl className={cn('grid grid-cols-[minmax(5.5rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5', className)}>{children}</dl>
}

export function Fact({ name, children, mono }: { name: ReactNode; children: ReactNode; mono?: boolean }) {
  return (
    <>
      <dt className="text-ink-3 text-xs leading-5">{name}</dt>
      <dd className={cn('min-w-0 break-words', mono && 'font-mono text-xs leading-5 [overflow-wrap:anywhere]')}>{children}</dd>
    </>
  )
}

/** A list of rows with hairlines between. */
export function Rows({ children, className }: { children: ReactNode; className?: string }) {
  return <ul className={cn('divide-y divide-line', className)}>{children}</ul>
}
