'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Dialog, DialogCancel } from '../../ui/dialog'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Select } from '../../ui/select'
import { dashboardClient, useDashboard } from '../../wire/dashboard'
import { LinkShownOnce } from './person-dialogs'
import { type Grant, RoleEditor } from './role-editor'

const lifetimes = ['24', '72', '168'] as const

/** Makes a link by which somebody makes an account with these roles. Berth sends no mail: the link is handed over by hand. */
export function InviteDialog({ hosts, onClose }: { hosts: readonly { id: string; name: string }[]; onClose: () => void }) {
  const t = useTranslations('people')
  const queryClient = useQueryClient()
  const dashboard = useDashboard()
  const [email, setEmail] = useState('')
  const [grants, setGrants] = useState<Grant[]>([{ scope: '*', role: 'viewer' }])
  const [hours, setHours] = useState<(typeof lifetimes)[number]>('72')
  const create = useMutation({
    mutationFn: () => dashboardClient().invitations.create.mutate({ email: email.trim(), grants, hours: Number(hours) }),
    onSuccess: () => queryClient.invalidateQueries(dashboard.invitations.pathFilter()),
  })
  const url = create.data?.url
  return (
    <Dialog
      open
      sticky={Boolean(url)}
      onOpenChange={(open) => !open && onClose()}
      title={t('invite')}
      description={t('inviteLead')}
      footer={
        url ? (
          <Button tone="primary" onClick={onClose}>
            {t('copiedIt')}
          </Button>
        ) : (
          <>
            <DialogCancel />
            <Button
              tone="primary"
              busy={create.isPending}
              disabledReason={/^[^\s@]+@[^\s@]+$/.test(email.trim()) ? null : t('needsEmail')}
              onClick={() => create.mutate()}
            >
              {t('makeLink')}
            </Button>
          </>
        )
      }
    >
      {url ? (
        <LinkShownOnce url={url} />
      ) : (
        <div className="grid gap-4">
          <Field label={t('email')} required>
            <Input type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
          </Field>
          <RoleEditor grants={grants} hosts={hosts} onChange={setGrants} />
          <Field label={t('validFor')}>
            <Select
              value={hours}
              onChange={setHours}
              choices={lifetimes.map((value) => ({ value, label: t('days', { count: Number(value) / 24 }) }))}
            />
          </Field>
          {create.error ? <ErrorPanel error={create.error} compact /> : null}
        </div>
      )}
    </Dialog>
  )
}
