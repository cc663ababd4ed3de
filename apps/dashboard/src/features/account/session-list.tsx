'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { Ago } from '../../ui/now'
import { Card, Rows } from '../../ui/section'
import { SkeletonRows } from '../../ui/skeleton'
import { useAction } from '../../ui/use-action'
import { dashboardClient, useDashboard } from '../../wire/dashboard'
import { browserOf } from './browser-of'

/** Where one is signed in, and the way to end each. */
export function SessionList() {
  const t = useTranslations('account')
  const sessions = useQuery(useDashboard().sessions.list.queryOptions())
  const words = { done: () => t('sessionEnded'), failed: () => t('sessionNotEnded'), after: () => void sessions.refetch() }
  const revoke = useAction((id: string) => dashboardClient().sessions.revoke.mutate({ id }), words)
  const revokeOthers = useAction(() => dashboardClient().sessions.revokeOthers.mutate(), words)
  const others = sessions.data?.some((session) => !session.current)
  return (
    <Card
      title={t('sessions')}
      bodyClassName="p-0"
      aside={
        others ? (
          <Button size="small" busy={revokeOthers.busy} onClick={() => revokeOthers.run(undefined)}>
            {t('endOthers')}
          </Button>
        ) : null
      }
    >
      {sessions.error ? <ErrorPanel error={sessions.error} onRetry={() => void sessions.refetch()} className="m-3.5" /> : null}
      {sessions.isPending ? <SkeletonRows rows={2} /> : null}
      <Rows>
        {(sessions.data ?? []).map((session) => (
          <li key={session.id} className="flex items-center justify-between gap-3 px-3.5 py-2">
            <div className="min-w-0">
              <p className="truncate">
                {browserOf(session.userAgent) || t('unknownBrowser')} {session.current ? <Badge tone="good">{t('thisOne')}</Badge> : null}
              </p>
              <p className="text-ink-3 text-xs">
                {session.from ? `${session.from} · ` : ''}
                <Ago at={session.lastSeenAt} />
              </p>
            </div>
            {session.current ? null : (
              <Button size="small" tone="danger-quiet" onClick={() => revoke.run(session.id)}>
                {t('end')}
              </Button>
            )}
          </li>
        ))}
      </Rows>
    </Card>
  )
}
