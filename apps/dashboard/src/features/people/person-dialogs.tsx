'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/code-block'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Dialog, DialogCancel } from '../../ui/dialog'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { dashboardClient } from '../../wire/dashboard'
import type { Person } from './people-page'
import { type Grant, RoleEditor } from './role-editor'

export type PersonAct = 'roles' | 'resetPassword' | 'endSessions' | 'clearTotp' | 'disable' | 'enable' | 'remove'

interface Props {
  act: PersonAct
  person: Person
  hosts: readonly { id: string; name: string }[]
  onClose: () => void
  onDone: () => void
}

/** The dialog of what is being done to a person. */
export function PersonDialogs(props: Props) {
  if (props.act === 'roles') return <RolesDialog {...props} />
  if (props.act === 'resetPassword') return <ResetDialog {...props} />
  return <ConfirmAct {...props} act={props.act} />
}

function ConfirmAct({ act, person, onClose, onDone }: Props & { act: Exclude<PersonAct, 'roles' | 'resetPassword'> }) {
  const t = useTranslations('people')
  const { people } = dashboardClient()
  const perform = {
    endSessions: () => people.endSessions.mutate({ person: person.id }),
    clearTotp: () => people.clearTotp.mutate({ person: person.id }),
    disable: () => people.setDisabled.mutate({ person: person.id, disabled: true }),
    enable: () => people.setDisabled.mutate({ person: person.id, disabled: false }),
    remove: () => people.remove.mutate({ person: person.id }),
  }[act]
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t(`confirm.${act}.title`, { name: person.name })}
      description={t(`confirm.${act}.lead`)}
      verb={t(`act.${act}`)}
      tone={act === 'enable' ? 'primary' : 'danger'}
      {...(act === 'remove' ? { typeName: person.email } : {})}
      onConfirm={async () => {
        await perform()
        onDone()
      }}
    />
  )
}

function RolesDialog({ person, hosts, onClose, onDone }: Props) {
  const t = useTranslations('people')
  const [grants, setGrants] = useState<Grant[]>(person.grants)
  const save = useMutation({
    mutationFn: () => dashboardClient().people.setGrants.mutate({ person: person.id, grants }),
    onSuccess: () => {
      onDone()
      onClose()
    },
  })
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rolesOf', { name: person.name })}
      description={t('rolesLead')}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button tone="primary" busy={save.isPending} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </>
      }
    >
      <div className="grid gap-3">
        <RoleEditor grants={grants} hosts={hosts} onChange={setGrants} />
        {save.error ? <ErrorPanel error={save.error} compact /> : null}
      </div>
    </Dialog>
  )
}

function ResetDialog({ person, onClose }: Props) {
  const t = useTranslations('people')
  const reset = useMutation({ mutationFn: () => dashboardClient().people.resetPassword.mutate({ person: person.id }) })
  const url = reset.data?.url
  return (
    <Dialog
      open
      sticky={Boolean(url)}
      onOpenChange={(open) => !open && onClose()}
      size="small"
      title={t('resetOf', { name: person.name })}
      description={t('resetLead')}
      footer={
        url ? (
          <Button tone="primary" onClick={onClose}>
            {t('copiedIt')}
          </Button>
        ) : (
          <>
            <DialogCancel />
            <Button tone="primary" busy={reset.isPending} onClick={() => reset.mutate()}>
              {t('makeLink')}
            </Button>
          </>
        )
      }
    >
      {url ? <LinkShownOnce url={url} /> : null}
      {reset.error ? <ErrorPanel error={reset.error} compact /> : null}
    </Dialog>
  )
}

/** A link that is a secret, to be handed over by the person who made it. */
export function LinkShownOnce({ url }: { url: string }) {
  const t = useTranslations('people')
  return (
    <div className="grid gap-3">
      <Notice tone="warn">{t('linkOnce')}</Notice>
      <CodeBlock code={url} wrap label={t('link')} />
    </div>
  )
}
