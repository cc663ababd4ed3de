'use client'
import { useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { sayDone } from '../../ui/toaster'
import { dashboardCommand } from '../../wire/command-line'
import { dashboardClient, useDashboard } from '../../wire/dashboard'
import type { HostView } from '../../wire/hosts'

export type HostAct = 'rename' | 'address' | 'revoke' | 'remove'

interface DialogOf {
  host: HostView
  onClose: () => void
  /** Runs after it has been done; the list of hosts is fresh by then. */
  onDone: () => Promise<void>
}

/** The dialog of what is being done to a host. */
export function HostDialogs({
  act,
  host,
  onClose,
  onRemoved,
}: {
  act: HostAct
  host: HostView
  onClose: () => void
  onRemoved?: () => void
}) {
  const queryClient = useQueryClient()
  const dashboard = useDashboard()
  const onDone = async () => {
    if (act === 'remove') onRemoved?.()
    await queryClient.invalidateQueries(dashboard.hosts.pathFilter())
  }
  const props = { host, onClose, onDone }
  if (act === 'rename') return <Rename {...props} />
  if (act === 'address') return <Address {...props} />
  return <End {...props} act={act} />
}

function Rename({ host, onClose, onDone }: DialogOf) {
  const t = useTranslations('hosts')
  const [name, setName] = useState(host.name)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rename.title', { name: host.name })}
      description={t('rename.description')}
      verb={t('rename.verb')}
      tone="primary"
      commandLine={() => dashboardCommand('hosts', 'rename', { host: host.id, name: name.trim() })}
      refusal={name.trim() ? null : t('rename.needed')}
      onConfirm={async () => {
        await dashboardClient().hosts.rename.mutate({ host: host.id, name: name.trim() })
        await onDone()
      }}
    >
      <Field label={t('rename.name')} required>
        <Input value={name} maxLength={63} onChange={(event) => setName(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

function Address({ host, onClose, onDone }: DialogOf) {
  const t = useTranslations('hosts')
  const [address, setAddress] = useState(host.address)
  const [port, setPort] = useState(String(host.port))
  const number = Number(port)
  const wrong = Number.isInteger(number) && number >= 1 && number <= 65535 ? null : t('setAddress.portRule')
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('setAddress.title', { name: host.name })}
      description={t('setAddress.description')}
      verb={t('setAddress.verb')}
      tone="primary"
      commandLine={() => dashboardCommand('hosts', 'setAddress', { host: host.id, address: address.trim(), port: number })}
      refusal={address.trim() ? wrong : t('setAddress.needed')}
      onConfirm={async () => {
        await dashboardClient().hosts.setAddress.mutate({ host: host.id, address: address.trim(), port: number })
        await onDone()
      }}
    >
      <div className="grid grid-cols-[minmax(0,1fr)_6rem] gap-3">
        <Field label={t('setAddress.address')} required>
          <Input mono value={address} onChange={(event) => setAddress(event.target.value)} />
        </Field>
        <Field label={t('setAddress.port')} required error={wrong}>
          <Input mono inputMode="numeric" value={port} onChange={(event) => setPort(event.target.value)} />
        </Field>
      </div>
    </ConfirmDialog>
  )
}

/** Revoke and remove: both end the link, neither stops a container. */
function End({ act, host, onClose, onDone }: DialogOf & { act: 'revoke' | 'remove' }) {
  const t = useTranslations('hosts')
  const perform = {
    revoke: () => dashboardClient().hosts.revoke.mutate({ host: host.id }),
    remove: () => dashboardClient().hosts.remove.mutate({ host: host.id }),
  }[act]
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t(`${act}.title`, { name: host.name })}
      description={t(`${act}.description`)}
      verb={t(`${act}.verb`)}
      typeName={host.name}
      commandLine={() => dashboardCommand('hosts', act, { host: host.id })}
      onConfirm={async () => {
        await perform()
        sayDone(t(`${act}.done`, { name: host.name }))
        await onDone()
      }}
    />
  )
}
