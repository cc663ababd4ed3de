'use client'
import { X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Button } from './button'

/** What can be done with the rows that are selected; stands at the lower end of a list while any are. */
export function BulkBar({ count, onClear, children }: { count: number; onClear: () => void; children: ReactNode }) {
  const t = useTranslations('ui')
  return (
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
  )
}
