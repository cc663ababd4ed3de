'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { useShowTask } from '../../ui/dock'
import { Field } from '../../ui/field'
import { FileInput } from '../../ui/file-input'
import { useFormat } from '../../ui/format'
import { Input } from '../../ui/input'
import { Meter } from '../../ui/meter'
import { Select } from '../../ui/select'
import { dataUrl } from '../../wire/agent'
import { useHost } from '../../wire/hosts'
import { upload } from '../../wire/upload'

/** Images from an archive: of `docker save`, an OCI layout, or a root file system that becomes an image of one layer. */
export function LoadImages({ hostId, onClose }: { hostId: string; onClose: () => void }) {
  const t = useTranslations('images')
  const format = useFormat()
  const host = useHost(hostId)
  const show = useShowTask()
  const [kind, setKind] = useState<'load' | 'import'>('load')
  const [file, setFile] = useState<File | null>(null)
  const [reference, setReference] = useState('')
  const [sent, setSent] = useState<number | null>(null)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('load.title')}
      description={t('load.description', { host: host?.name ?? '' })}
      verb={t('load.verb')}
      tone="primary"
      commandLine={() =>
        kind === 'load' ? `docker load -i ${file?.name ?? 'images.tar'}` : `docker import ${file?.name ?? 'root.tar'} ${reference}`
      }
      onConfirm={async () => {
        if (!file) throw new Error(t('load.needed'))
        setSent(0)
        try {
          const url = kind === 'load' ? dataUrl(hostId, 'images/load') : dataUrl(hostId, 'images/import', { reference })
          const operation = await upload(url, 'POST', file, { onProgress: setSent })
          if (operation) show({ id: hostId, name: host?.name }, operation, t('load.tab', { name: file.name }))
        } finally {
          setSent(null)
        }
      }}
    >
      <Field label={t('load.kind')}>
        <Select
          value={kind}
          onChange={setKind}
          choices={[
            { value: 'load', label: t('load.images'), detail: t('load.imagesHelp') },
            { value: 'import', label: t('load.root'), detail: t('load.rootHelp') },
          ]}
        />
      </Field>
      <Field label={t('load.file')} required>
        <FileInput accept=".tar,.tgz,.tar.gz,.tar.zst,.tar.xz" onFiles={(files) => setFile(files[0] ?? null)} />
      </Field>
      {kind === 'import' ? (
        <Field label={t('tag.target')}>
          <Input mono value={reference} placeholder="app:1" onChange={(event) => setReference(event.target.value)} />
        </Field>
      ) : null}
      {sent === null || !file ? null : (
        <Meter value={sent} max={file.size} label={t('load.sending')} text={`${format.bytes(sent)} / ${format.bytes(file.size)}`} />
      )}
    </ConfirmDialog>
  )
}
