'use client'
import { useTranslations } from 'next-intl'
import { useSentenceText } from '../i18n/use-sentences'
import { ErrorPanel, Notice } from './error-panel'
import { Ago } from './now'

/** A source of a merged list that did not answer. */
export interface MissingPart {
  id: string
  name: string
  away: boolean
  /** When its rows were true; null: never read. */
  asOf: string | null
  message: string
}

/** Says above a list which of its sources did not answer and how old their rows are, or that nothing could be read at all. */
export function PartialList({ error, missing, onRetry }: { error: unknown; missing: readonly MissingPart[]; onRetry: () => void }) {
  const t = useTranslations('ui')
  const said = useSentenceText()
  if (error) return <ErrorPanel error={error} onRetry={onRetry} className="mx-3 mb-2 sm:mx-4" />
  if (missing.length === 0) return null
  return (
    <Notice tone="warn" className="mx-3 mt-1 mb-2 sm:mx-4">
      <ul className="grid gap-0.5">
        {missing.map((part) => (
          <li key={part.id}>
            <strong className="font-medium">{part.name}</strong>{' '}
            {part.away ? t('partAway') : t('partError', { message: said(part.message) })}{' '}
            {part.asOf ? (
              <>
                {t('partAsOf')} <Ago at={part.asOf} />
              </>
            ) : (
              t('partNever')
            )}
          </li>
        ))}
      </ul>
    </Notice>
  )
}
