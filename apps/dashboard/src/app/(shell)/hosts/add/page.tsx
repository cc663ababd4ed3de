import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { AddHostPage } from '../../../../features/hosts-enrol/add-host-page'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('hosts-enrol'))('title') }
}

export default async function Page({ searchParams }: { searchParams: Promise<{ again?: string }> }) {
  return <AddHostPage again={(await searchParams).again ?? null} />
}
