'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { Badge } from '../../ui/badge'
import { ErrorPanel } from '../../ui/error-panel'
import { PageBody, PageHead } from '../../ui/page'
import { Card, Fact, Facts } from '../../ui/section'
import { SkeletonRows } from '../../ui/skeleton'
import { useDashboard } from '../../wire/dashboard'
import { ApiTokens } from './api-tokens'
import { ChangePassword } from './change-password'
import { SessionList } from './session-list'
import { TwoStep } from './two-step'

/** One's own account: what one may do, password, second step, sessions and API tokens. */
export function AccountPage() {
  const t = useTranslations('account')
  const dashboard = useDashboard()
  const me = useQuery(dashboard.me.get.queryOptions())
  const hosts = useQuery(dashboard.hosts.list.queryOptions())
  const nameOf = (scope: string): string => (scope === '*' ? t('allHosts') : (hosts.data?.find((host) => host.id === scope)?.name ?? scope))
  return (
    <>
      <PageHead title={t('title')} lead={me.data?.email} />
      <PageBody>
        {me.error ? <ErrorPanel error={me.error} onRetry={() => void me.refetch()} /> : null}
        {me.data ? (
          <div className="grid max-w-5xl gap-4 lg:grid-cols-2">
            <Card title={t('you')}>
              <Facts>
                <Fact name={t('name')}>{me.data.name}</Fact>
                <Fact name={t('email')}>{me.data.email}</Fact>
                <Fact name={t('roles')}>
                  {me.data.grants.length === 0 ? t('noRoles') : null}
                  <span className="flex flex-wrap gap-1.5">
                    {me.data.grants.map((grant) => (
                      <Badge key={grant.scope} tone={grant.role === 'admin' ? 'accent' : 'calm'}>
                        {t(`role.${grant.role}`)} · {nameOf(grant.scope)}
                      </Badge>
                    ))}
                  </span>
                </Fact>
              </Facts>
            </Card>
            <TwoStep enabled={me.data.totpEnabled} onChanged={() => void me.refetch()} />
            <ChangePassword />
            <SessionList />
            <div className="lg:col-span-2">
              <ApiTokens hosts={hosts.data ?? []} />
            </div>
          </div>
        ) : me.isPending ? (
          <SkeletonRows rows={6} />
        ) : null}
      </PageBody>
    </>
  )
}
