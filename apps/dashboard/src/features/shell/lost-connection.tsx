'use client'
import { Unplug } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { cn } from '../../ui/class-names'
import { Ago } from '../../ui/now'
import { useConnectionLost } from '../../wire/connection'

/** The page's content. While the dashboard does not answer it is grey, with a line above that says how old it is: nothing that is old looks live. */
export function Content({ children }: { children: ReactNode }) {
  const t = useTranslations('shell')
  const lost = useConnectionLost()
  return (
    <>
      <div
        role="status"
        className={cn(lost !== null && 'flex shrink-0 items-center gap-2 border-b bg-warn-soft px-3 py-1.5 text-sm sm:px-4')}
      >
        {lost === null ? null : (
          <>
            <Unplug className="size-4 shrink-0 text-warn" aria-hidden />
            <span>
              {t('lost')} <Ago at={lost} />
            </span>
          </>
        )}
      </div>
      <main
        id="content"
        tabIndex={-1}
        data-lost={lost === null ? undefined : ''}
        className={cn('flex min-h-0 flex-1 flex-col outline-none', lost !== null && 'opacity-60 grayscale')}
      >
        {children}
      </main>
    </>
  )
}
