'use client'
import { Lock } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { Button } from './button'
import { EmptyState } from './empty-state'

/** In the place of a page that somebody else may see: says who, and leads away. Nothing went wrong, and trying again would not help. */
export function AdministratorsOnly() {
  const t = useTranslations('ui')
  return (
    <div role="alert">
      <EmptyState
        icon={<Lock aria-hidden />}
        action={
          <Button asChild>
            <Link href="/hosts">{t('toHosts')}</Link>
          </Button>
        }
      >
        {t('administratorsOnly')}
      </EmptyState>
    </div>
  )
}
