'use client'
import { useTranslations } from 'next-intl'
import { ErrorPanel } from '../../ui/error-panel'

/** A page that broke: the shell, and with it every open terminal, stays. */
export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  const t = useTranslations('shell')
  return <ErrorPanel error={error} title={t('pageBroke')} onRetry={reset} className="m-4" />
}
