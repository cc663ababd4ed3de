import { ChevronLeft } from 'lucide-react'
import Link from 'next/link'
import { Fragment, type ReactNode, useEffect } from 'react'
import { cn } from './class-names'

/** The name of what a page shows, in the browser's tab, once it is known; until then and afterwards the tab has the name of the kind of page. */
export function useTabTitle(name: string | undefined): void {
  useEffect(() => {
    if (!name) return undefined
    const before = document.title
    document.title = `${name} · Berth`
    return () => {
      document.title = before
    }
  }, [name])
}

/** The way back from one thing to the list it stands in, above its name. */
export function Crumbs({ trail }: { trail: readonly { href: string; label: ReactNode }[] }) {
  return (
    <p className="flex min-w-0 items-center gap-1 text-ink-3 text-xs">
      <ChevronLeft className="-mr-0.5 size-3 shrink-0" aria-hidden />
      {trail.map(({ href, label }, index) => (
        <Fragment key={href}>
          {index > 0 ? <span aria-hidden>·</span> : null}
          <Link href={href} className="truncate hover:text-ink hover:underline pointer-coarse:-my-3.5 pointer-coarse:py-3.5">
            {label}
          </Link>
        </Fragment>
      ))}
    </p>
  )
}

/** The head of a page: what it is, beside it what can be done. */
export function PageHead({
  title,
  trail,
  lead,
  actions,
  children,
}: {
  title: ReactNode
  /** Where it belongs: stands above the title. */
  trail?: readonly { href: string; label: ReactNode }[]
  lead?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}) {
  return (
    <header className="flex shrink-0 flex-wrap items-center justify-between gap-x-3 gap-y-2 px-3 pt-3 pb-1.5 sm:px-4">
      <div className={cn('min-w-0 grow sm:basis-80', lead ? 'basis-44' : 'basis-26')}>
        {trail ? <Crumbs trail={trail} /> : null}
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
