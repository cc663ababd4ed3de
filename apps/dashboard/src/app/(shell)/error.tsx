'use client'
import { useTranslations } from 'next-intl'
import { ErrorPanel } from '../../ui/error-panel'
import { useRecovery } from '../../ui/use-recovery'

/** A page that broke: the shell, and with it every open terminal, stays. One that only could not fetch a part of itself comes back when the server does. */
export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  const t = useTranslations('shell')
  useRecovery(error)
  return <ErrorPanel error={error} title={t('pageBroke')} onRetry={reset} className="m-4" />
}
