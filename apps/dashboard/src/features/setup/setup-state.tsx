'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useDashboard } from '../../wire/dashboard.ts'

/** Says whether the first account is still to be made. */
export function SetupState() {
  const t = useTranslations('setup')
  const state = useQuery(useDashboard().setup.state.queryOptions())
  return <p>{state.data?.needed ? t('needed') : t('done')}</p>
}
