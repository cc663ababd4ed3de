'use client'
import { RotateCw, TriangleAlert } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Button } from './button'
import { cn } from './class-names'
import { errorMessage } from './error-message'
import { Sentence } from './sentence'

/** What happened, in its own words, and what to do: try again, or the step given as `action`. */
export function ErrorPanel({
  error,
  title,
  onRetry,
  action,
  compact,
  className,
}: {
  error: unknown
  title?: ReactNode
  onRetry?: () => void
  action?: ReactNode
  compact?: boolean
  className?: string
}) {
  const t = useTranslations('ui')
  return (
    <div
      role="alert"
      className={cn('flex gap-3 rounded-md border border-bad/40 bg-bad-soft', compact ? 'px-3 py-2' : 'px-4 py-3', className)}
    >
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden />
      <div className="grid min-w-0 flex-1 gap-1">
        <p className="font-medium text-ink">{title ?? t('wentWrong')}</p>
        <p className="whitespace-pre-wrap break-words text-ink-2">
          <Sentence>{errorMessage(error)}</Sentence>
        </p>
        {onRetry || action ? (
          <div className="mt-1 flex flex-wrap gap-2">
            {onRetry ? (
              <Button size="small" onClick={onRetry}>
                <RotateCw aria-hidden />
                {t('tryAgain')}
              </Button>
            ) : null}
            {action}
          </div>
        ) : null}
      </div>
    </div>
  )
}

/** A quiet note in the flow of a page: something to know before going on. */
export function Notice({
  tone = 'calm',
  children,
  action,
  className,
}: {
  tone?: 'calm' | 'warn' | 'good'
  children: ReactNode
  action?: ReactNode
  className?: string
}) {
  const look = { calm: 'border-line bg-sunken', warn: 'border-warn/35 bg-warn-soft', good: 'border-good/35 bg-good-soft' }[tone]
  return (
    <div
      role="note"
      className={cn(
        'flex flex-wrap items-center justify-between gap-x-4 gap-y-2 rounded-md border px-3 py-2 text-ink-2 text-sm',
        look,
        className,
      )}
    >
      <div className="min-w-0 flex-1">{children}</div>
      {action}
    </div>
  )
}
