import type { ReactNode } from 'react'
import { cn } from './class-names'

/** Nothing here: one sentence, one action, one link. */
export function EmptyState({
  icon,
  children,
  action,
  link,
  className,
}: {
  icon?: ReactNode
  children: ReactNode
  action?: ReactNode
  link?: ReactNode
  className?: string
}) {
  return (
    <div className={cn('grid place-content-center justify-items-center gap-3 px-6 py-14 text-center', className)}>
      {icon ? <div className="text-ink-off [&_svg]:size-9 [&_svg]:stroke-[1.25]">{icon}</div> : null}
      <p className="max-w-[46ch] text-balance text-ink-2">{children}</p>
      {action || link ? (
        <div className="flex flex-wrap items-center justify-center gap-3">
          {action}
          {link ? <span className="text-sm">{link}</span> : null}
        </div>
      ) : null}
    </div>
  )
}
