import type { ReactNode } from 'react'
import { cn } from './class-names'

/** The head of a page: what it is, beside it what can be done. */
export function PageHead({
  title,
  lead,
  actions,
  children,
}: {
  title: ReactNode
  lead?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}) {
  return (
    <header className="flex shrink-0 flex-wrap items-center justify-between gap-x-4 gap-y-2 px-3 pt-3 pb-1.5 sm:px-4">
      <div className="min-w-0">
        <h1 className="truncate font-semibold text-xl tracking-tight">{title}</h1>
        {lead ? <p className="text-ink-3">{lead}</p> : null}
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      {children}
    </header>
  )
}

/** The part of a page that scrolls. */
export function PageBody({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={cn('min-h-0 flex-1 overflow-auto px-3 pt-2 pb-8 sm:px-4', className)}>{children}</div>
}
