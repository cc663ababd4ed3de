'use client'
import { objectName } from '@berth/contract/id'
import type { VolumeSummary } from '@berth/contract/volume'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { useShowTask } from '../../ui/dock'
import { Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { FileInput } from '../../ui/file-input'
import { useFormat } from '../../ui/format'
import { HostField } from '../../ui/host-field'
import { Input, Textarea } from '../../ui/input'
import { Meter } from '../../ui/meter'
import { PruneDialog } from '../../ui/prune-dialog'
import { sayDone } from '../../ui/toaster'
import { agentClient, dataUrl } from '../../wire/agent'
import { useHost, useHosts } from '../../wire/hosts'
import { upload } from '../../wire/upload'

interface DialogOf {
  hostId: string
  onClose: () => void
}

/** `a=b` lines as a record. */
function pairsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line) => (line.includes('=') ? [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] : [line, ''])),
  )
}

export function CreateVolume({ hostId, onClose }: DialogOf) {
  const t = useTranslations('volumes')
  const tu = useTranslations('ui')
  const { hosts } = useHosts()
  const [host, setHost] = useState(hostId)
  const [name, setName] = useState('')
  const [labels, setLabels] = useState('')
  const [options, setOptions] = useState('')
  const wrong = name && !objectName.safeParse(name).success ? t('nameRule') : null
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('create.title')}
      description={t('create.description')}
      verb={t('create.button')}
      tone="primary"
      commandLine={() =>
        [
          'docker volume create',
          ...Object.entries(pairsOf(labels)).map(([key, value]) => `--label ${key}=${value}`),
          ...Object.entries(pairsOf(options)).map(([key, value]) => `-o ${key}=${value}`),
          name,
        ]
          .filter(Boolean)
          .join(' ')
      }
      onConfirm={async () => {
        const volume = await agentClient(host).volumes.create.mutate({
          ...(name ? { name } : {}),
          labels: pairsOf(labels),
          options: pairsOf(options),
        })
        sayDone(t('create.done', { name: volume.name }))
      }}
    >
      <HostField hosts={hosts} value={host} onChange={setHost} />
      <Field label={t('column.name')} optional={tu('optional')} error={wrong} help={t('create.nameHelp')}>
        <Input mono value={name} placeholder="data" onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label={t('labels')} optional={tu('optional')}>
        <Textarea mono rows={2} value={labels} placeholder="team=payments" onChange={(event) => setLabels(event.target.value)} />
      </Field>
      <Field label={t('create.options')} optional={tu('optional')} help={t('create.optionsHelp')}>
        <Textarea
          mono
          rows={2}
          value={options}
          placeholder={'type=tmpfs\ndevice=tmpfs\no=size=64m'}
          onChange={(event) => setOptions(event.target.value)}
        />
      </Field>
    </ConfirmDialog>
  )
}

/** A volume's content cannot be brought back: its name is typed. */
export function RemoveVolumes({
  targets,
  onClose,
  onDone,
}: {
  targets: readonly { hostId: string; volume: VolumeSummary }[]
  onClose: () => void
  onDone?: () => void
}) {
  const t = useTranslations('volumes')
  const one = targets.length === 1 ? targets[0] : undefined
  const used = targets.filter((target) => target.volume.usedBy.length > 0)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={one ? t('remove.titleOne', { name: one.volume.name }) : t('remove.titleMany', { count: targets.length })}
      description={t('remove.description')}
      verb={t('remove.verb')}
      typeName={one ? one.volume.name : `${targets.length}`}
      commandLine={() => `docker volume rm ${targets.map((target) => target.volume.name).join(' ')}`}
      each={targets.map(({ hostId, volume }) => ({
        key: `${hostId}/${volume.name}`,
        name: volume.name,
        run: () => agentClient(hostId).volumes.remove.mutate({ volume: volume.name }),
      }))}
      onConfirm={async () => {
        sayDone(t('remove.done', { count: targets.length }))
        onDone?.()
      }}
    >
      {used.length > 0 ? <Notice tone="warn">{t('remove.someUsed', { count: used.length })}</Notice> : null}
    </ConfirmDialog>
  )
}

export function CloneVolume({ hostId, volume, onClose }: DialogOf & { volume: VolumeSummary }) {
  const t = useTranslations('volumes')
  const host = useHost(hostId)
  const show = useShowTask()
  const [target, setTarget] = useState(`${volume.name.slice(0, 40)}-copy`)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('clone.title', { name: volume.name })}
      description={t('clone.description')}
      verb={t('clone.verb')}
      tone="primary"
      onConfirm={async () => {
        const operation = await agentClient(hostId).volumes.clone.mutate({ source: volume.name, target })
        show({ id: hostId, name: host?.name }, operation.id, t('clone.tab', { name: volume.name }))
      }}
      commandLine={() =>
        `docker volume create ${target} && docker run --rm -v ${volume.name}:/from:ro -v ${target}:/to busybox cp -a /from/. /to/`
      }
    >
      {volume.usedBy.length > 0 ? <Notice tone="warn">{t('clone.used', { name: volume.usedBy[0]?.name ?? '' })}</Notice> : null}
      <Field label={t('clone.target')} required error={objectName.safeParse(target).success ? null : t('nameRule')}>
        <Input mono value={target} onChange={(event) => setTarget(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

/** Puts an archive's files into the volume. What has the same path is replaced. */
export function RestoreVolume({ hostId, volume, onClose }: DialogOf & { volume: VolumeSummary }) {
  const t = useTranslations('volumes')
  const format = useFormat()
  const host = useHost(hostId)
  const show = useShowTask()
  const [file, setFile] = useState<File | null>(null)
  const [sent, setSent] = useState<number | null>(null)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('restore.title', { name: volume.name })}
      description={t('restore.description')}
      verb={t('restore.verb')}
      tone="danger"
      commandLine={() => `docker run --rm -i -v ${volume.name}:/to busybox tar -xzf - -C /to < ${file?.name ?? 'backup.tar.gz'}`}
      onConfirm={async () => {
        if (!file) throw new Error(t('restore.needed'))
        setSent(0)
        try {
          const operation = await upload(dataUrl(hostId, 'volumes/restore', { volume: volume.name }), 'POST', file, { onProgress: setSent })
          if (operation) show({ id: hostId, name: host?.name }, operation, t('restore.tab', { name: volume.name }))
        } finally {
          setSent(null)
        }
      }}
    >
      {volume.usedBy.length > 0 ? <Notice tone="warn">{t('restore.used', { name: volume.usedBy[0]?.name ?? '' })}</Notice> : null}
      <Field label={t('restore.file')} required>
        <FileInput accept=".tar,.tgz,.tar.gz" onFiles={(files) => setFile(files[0] ?? null)} />
      </Field>
      {sent === null || !file ? null : (
        <Meter value={sent} max={file.size} label={t('restore.sending')} text={`${format.bytes(sent)} / ${format.bytes(file.size)}`} />
      )}
    </ConfirmDialog>
  )
}

/** Removes volumes that nothing uses; anonymous ones only unless the box is ticked. Shows first which. */
export function PruneVolumes({ hostId, onClose }: DialogOf) {
  const t = useTranslations('volumes')
  const host = useHost(hostId)
  const [all, setAll] = useState(false)
  return (
    <PruneDialog
      title={t('prune.title')}
      description={t('prune.description')}
      nothing={t('prune.nothing')}
      list={t('prune.list')}
      queryKey={['volumes', hostId, all]}
      prune={(dryRun) => agentClient(hostId).volumes.prune.mutate({ all, dryRun })}
      typeName={all ? (host?.name ?? '') : undefined}
      commandLine={`docker volume prune ${all ? '-a ' : ''}-f`}
      words={{
        verb: (count, size) => t('prune.verb', { count, size }),
        done: (count, size) => t('prune.done', { count, size }),
      }}
      onClose={onClose}
    >
      <Checkbox checked={all} onChange={setAll} help={t('prune.allHelp')}>
        {t('prune.all')}
      </Checkbox>
    </PruneDialog>
  )
}
