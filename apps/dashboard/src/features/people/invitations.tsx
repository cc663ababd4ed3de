'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { useFormat } from '../../ui/format'
import { Card, Rows } from '../../ui/section'
import { useAction } from '../../ui/use-action'
import { dashboardClient, useDashboard } from '../../wire/dashboard'

/** Links that have not been used yet; nothing when there are none. */
export function Invitations({ hosts }: { hosts: readonly { id: string; name: string }[] }) {
  const t = useTranslations('people')
  const format = useFormat()
  const invitations = useQuery(useDashboard().invitations.list.queryOptions())
  const withdraw = useAction((id: string) => dashboardClient().invitations.revoke.mutate({ id }), {
    done: () => t('withdrawn'),
    failed: () => t('notWithdrawn'),
    after: () => void invitations.refetch(),
  })
  if (!invitations.data?.length) return null
  return (
    <Card title={t('openInvitations')} bodyClassName="p-0" className="mx-3 mt-1 mb-2 shrink-0 sm:mx-4">
      <Rows className="max-h-48 overflow-y-auto">
        {invitations.data.map((invitation) => (
          <li key={invitation.id} className="flex items-center justify-between gap-3 px-3.5 py-2">
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-1.5">
                <span className="truncate font-medium">{invitation.email}</span>
                {invitation.reset ? <Badge tone="warn">{t('newPassword')}</Badge> : null}
                {invitation.grants.map((grant) => (
                  <Badge key={grant.scope}>
                    {t(`role.${grant.role}`)} ·{' '}
                    {grant.scope === '*' ? t('allHosts') : (hosts.find((host) => host.id === grant.scope)?.name ?? grant.scope)}
                  </Badge>
                ))}
              </p>
              <p className="text-ink-3 text-xs">
                {t('invitedBy', { name: invitation.createdBy, date: format.dateTime(invitation.expiresAt) })}
              </p>
            </div>
            <Button size="small" tone="danger-quiet" onClick={() => withdraw.run(invitation.id)}>
              {t('withdraw')}
            </Button>
          </li>
        ))}
      </Rows>
    </Card>
  )
}
