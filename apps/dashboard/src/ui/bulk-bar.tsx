'use client'
import { X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { createContext, type ReactNode, useContext } from 'react'
import { Button } from './button'
import type { Failure } from './run-each'
import { Sentence } from './sentence'

const Failures = createContext<((failures: readonly Failure[]) => void) | null>(null)

/** Inside a bulk bar: says which rows an action failed for (by the row's id), and why. Those alone stay selected. Null elsewhere. */
export function useBulkFailures() {
  return useContext(Failures)
}

/** What can be done with the rows that are selected; stands at the lower end of a list while any are. Above it: those that the last action failed for, with the reason. */
export function BulkBar({
  count,
  failures,
  onFailures,
  onClear,
  children,
}: {
  count: number
  failures: readonly Failure[]
  onFailures: (failures: readonly Failure[]) => void
  onClear: () => void
  children: ReactNode
}) {
  const t = useTranslations('ui')
  return (
    <Failures value={onFailures}>
      {failures.length > 0 ? (
        <ul
          role="alert"
          aria-label={t('failedRows')}
          className="max-h-32 shrink-0 overflow-y-auto border-bad border-t-2 bg-bad-soft px-3 py-2 sm:px-4"
        >
          {failures.map(({ key, name, message }) => (
            <li key={key} className="break-words">
              <span className="font-medium">{name}</span>
              <span className="text-ink-2">
                {t('colon')}
                <Sentence>{message}</Sentence>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      <div
        role="toolbar"
        aria-label={t('bulk')}
        className="pop-in flex shrink-0 items-center gap-2 overflow-x-auto border-brass border-t-2 bg-raised px-3 py-2 sm:px-4"
      >
        <span role="status" className="tabular shrink-0 font-medium text-sm">
          {t('selected', { count })}
        </span>
        <Button tone="quiet" size="icon-small" hint={t('clearSelection')} onClick={onClear}>
          <X aria-hidden />
        </Button>
        <div className="mx-1 h-5 w-px shrink-0 bg-line" />
        <div className="flex items-center gap-1.5">{children}</div>
      </div>
    </Failures>
  )
}
