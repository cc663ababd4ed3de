'use client'
import { ServerOff } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Button } from '../../ui/button'
import { EmptyState } from '../../ui/empty-state'
import { everyHost } from '../../wire/across'
import { useHosts } from '../../wire/hosts'

/** The pages of a host that is there and may be seen; for another one a sentence that says so, in place of lists that look empty. */
export function KnownHost({ scope, children }: { scope: string; children: ReactNode }) {
  const t = useTranslations('hosts')
  const { hosts, pending, error } = useHosts()
  if (pending || error || scope === everyHost || hosts.some((host) => host.id === scope)) return children
  return (
    <EmptyState
      icon={<ServerOff aria-hidden />}
      action={
        <Button asChild>
          <Link href="/hosts">{t('toHosts')}</Link>
        </Button>
      }
    >
      {t('unknown')}
    </EmptyState>
  )
}
