'use client'
import { useTranslations } from 'next-intl'
import { PageHead } from '../../ui/page'
import { EventList } from './event-list'

export function EventsPage({ scope }: { scope: string }) {
  const t = useTranslations('events')
  return (
    <>
      <PageHead title={t('title')} />
      <EventList scope={scope} />
    </>
  )
}
