'use client'
import type { Role } from '@berth/contract/claim'
import { roles } from '@berth/contract/claim'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/code-block'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Dialog, DialogCancel } from '../../ui/dialog'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { useFormat } from '../../ui/format'
import { Input } from '../../ui/input'
import { Ago } from '../../ui/now'
import { Card, Rows } from '../../ui/section'
import { Select } from '../../ui/select'
import { dashboardClient, useDashboard } from '../../wire/dashboard'

interface Host {
  id: string
  name: string
}
const lifetimes = ['7', '30', '90', '365'] as const

/** Tokens for programs: limited to a role and a place, with an end, shown once. */
export function ApiTokens({ hosts }: { hosts: readonly Host[] }) {
  const t = useTranslations('account')
  const format = useFormat()
  const tokens = useQuery(useDashboard().tokens.list.queryOptions())
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<{ id: string; name: string } | null>(null)
  const placeOf = (scope: string): string => (scope === '*' ? t('allHosts') : (hosts.find((host) => host.id === scope)?.name ?? scope))
  return (
    <Card
      title={t('tokens')}
      bodyClassName="p-0"
      aside={
        <Button size="small" onClick={() => setMaking(true)}>
          {t('newToken')}
        </Button>
      }
    >
      {tokens.error ? <ErrorPanel error={tokens.error} onRetry={() => void tokens.refetch()} className="m-3.5" /> : null}
      {tokens.data?.length === 0 ? <EmptyState>{t('noTokens')}</EmptyState> : null}
      <Rows>
        {(tokens.data ?? []).map((token) => (
          <li key={token.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-3.5 py-2">
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-2">
                <span className="font-medium">{token.name}</span>
                <code className="text-ink-3 text-xs">{token.prefix}…</code>
                <Badge>
                  {t(`role.${token.role}`)} · {placeOf(token.scope)}
                </Badge>
                {Date.parse(token.expiresAt) < Date.now() ? <Badge tone="warn">{t('expired')}</Badge> : null}
              </p>
              <p className="text-ink-3 text-xs">
                {t('until', { date: format.dateTime(token.expiresAt) })} ·{' '}
                {token.lastUsedAt ? (
                  <>
                    {t('lastUsed')} <Ago at={token.lastUsedAt} /> {token.lastFrom}
                  </>
                ) : (
                  t('neverUsed')
                )}
              </p>
            </div>
            <Button size="small" tone="danger-quiet" onClick={() => setRevoking(token)}>
              {t('revoke')}
            </Button>
          </li>
        ))}
      </Rows>
      {making ? (
        <NewToken
          hosts={hosts}
          onClose={() => {
            setMaking(false)
            void tokens.refetch()
          }}
        />
      ) : null}
      <ConfirmDialog
        open={revoking !== null}
        onOpenChange={(open) => !open && setRevoking(null)}
        title={t('revokeToken', { name: revoking?.name ?? '' })}
        description={t('revokeTokenLead')}
        verb={t('revoke')}
        onConfirm={async () => {
          if (revoking) await dashboardClient().tokens.revoke.mutate({ id: revoking.id })
          await tokens.refetch()
        }}
      />
    </Card>
  )
}

function NewToken({ hosts, onClose }: { hosts: readonly Host[]; onClose: () => void }) {
  const t = useTranslations('account')
  const [name, setName] = useState('')
  const [scope, setScope] = useState('*')
  const [role, setRole] = useState<Role>('viewer')
  const [days, setDays] = useState<(typeof lifetimes)[number]>('30')
  const create = useMutation({
    mutationFn: () => dashboardClient().tokens.create.mutate({ name: name.trim(), scope, role, days: Number(days) }),
  })
  const token = create.data?.token
  return (
    <Dialog
      open
      sticky={Boolean(token)}
      onOpenChange={(open) => !open && onClose()}
      title={t('newToken')}
      description={t('newTokenLead')}
      size="small"
      footer={
        token ? (
          <Button tone="primary" onClick={onClose}>
            {t('copiedIt')}
          </Button>
        ) : (
          <>
            <DialogCancel />
            <Button
              tone="primary"
              busy={create.isPending}
              disabledReason={name.trim() ? null : t('problem.tokenName')}
              onClick={() => create.mutate()}
            >
              {t('create')}
            </Button>
          </>
        )
      }
    >
      {token ? (
        <div className="grid gap-3">
          <Notice tone="warn">{t('shownOnce')}</Notice>
          <CodeBlock code={token} wrap label={t('token')} />
        </div>
      ) : (
        <div className="grid gap-3">
          <Field label={t('tokenName')} help={t('tokenNameHelp')} required>
            <Input value={name} onChange={(event) => setName(event.target.value)} />
          </Field>
          <Field label={t('place')}>
            <Select
              value={scope}
              onChange={setScope}
              choices={[{ value: '*', label: t('allHosts') }, ...hosts.map((host) => ({ value: host.id, label: host.name }))]}
            />
          </Field>
          <Field label={t('mostRole')} help={t('mostRoleHelp')}>
            <Select value={role} onChange={setRole} choices={roles.map((value) => ({ value, label: t(`role.${value}`) }))} />
          </Field>
          <Field label={t('lifetime')}>
            <Select
              value={days}
              onChange={setDays}
              choices={lifetimes.map((value) => ({ value, label: t('days', { count: Number(value) }) }))}
            />
          </Field>
          {create.error ? <ErrorPanel error={create.error} compact /> : null}
        </div>
      )}
    </Dialog>
  )
}
