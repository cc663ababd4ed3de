'use client'
import type { FileRoot } from '@berth/contract/file'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { agentClient } from '../../wire/agent'
import { agentCommand } from '../../wire/command-line'
import { joinPath } from './place'

interface DialogProps {
  hostId: string
  root: FileRoot
  onClose: () => void
  onDone: () => void
}

export function MakeDirectory({ hostId, root, folder, onClose, onDone }: DialogProps & { folder: string }) {
  const t = useTranslations('files')
  const [name, setName] = useState('')
  const path = joinPath(folder, name)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('mkdir')}
      description={t('mkdirHelp', { folder })}
      verb={t('make')}
      commandLine={() => agentCommand(hostId, 'files', 'mkdir', { root, path })}
      tone="primary"
      onConfirm={async () => {
        await agentClient(hostId).files.mkdir.mutate({ root, path })
        onDone()
      }}
    >
      <Field label={t('name')} required>
        <Input mono value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

export function RenameFile({ hostId, root, path, onClose, onDone }: DialogProps & { path: string }) {
  const t = useTranslations('files')
  const [to, setTo] = useState(path)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rename')}
      description={<span className="break-all font-mono">{path}</span>}
      verb={t('rename')}
      commandLine={() => agentCommand(hostId, 'files', 'rename', { root, path, to })}
      tone="primary"
      onConfirm={async () => {
        await agentClient(hostId).files.rename.mutate({ root, path, to })
        onDone()
      }}
    >
      <Field label={t('newPath')} help={t('newPathHelp')} required>
        <Input mono value={to} onChange={(event) => setTo(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

export function RemoveFile({ hostId, root, path, directory, onClose, onDone }: DialogProps & { path: string; directory: boolean }) {
  const t = useTranslations('files')
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('removeTitle')}
      description={directory ? t('removeFolder') : t('removeFile')}
      verb={t('remove')}
      commandLine={() => agentCommand(hostId, 'files', 'remove', { root, path })}
      typeName={directory ? path.split('/').at(-1) : undefined}
      onConfirm={async () => {
        await agentClient(hostId).files.remove.mutate({ root, path })
        onDone()
      }}
    >
      <p className="break-all rounded-md border bg-sunken px-3 py-2 font-mono text-xs">{path}</p>
    </ConfirmDialog>
  )
}
