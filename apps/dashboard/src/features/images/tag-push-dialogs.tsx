'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { useShowTask } from '../../ui/dock'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Select } from '../../ui/select'
import { agentClient } from '../../wire/agent'
import { type ImageRow, imageName } from './image-name'

export function TagImage({ row, onClose }: { row: ImageRow; onClose: () => void }) {
  const t = useTranslations('images')
  const [target, setTarget] = useState('')
  const source = row.item.tags[0] ?? row.item.id
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('tag.title', { name: imageName(row.item) })}
      description={t('tag.description')}
      verb={t('tag.verb')}
      tone="primary"
      commandLine={() => `docker tag ${source} ${target || 'NAME:TAG'}`}
      onConfirm={() => agentClient(row.hostId).images.tag.mutate({ source, target: target.trim() })}
    >
      <Field label={t('tag.target')} required>
        <Input mono value={target} placeholder="registry.example.com/team/app:2" onChange={(event) => setTarget(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

/** Sends an image to its registry; the progress stands in the dock. */
export function PushImage({ row, onClose }: { row: ImageRow; onClose: () => void }) {
  const t = useTranslations('images')
  const show = useShowTask()
  const [tag, setTag] = useState(row.item.tags[0] ?? '')
  const [allTags, setAllTags] = useState(false)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('push.title')}
      description={t('push.description')}
      verb={t('push.verb')}
      tone="primary"
      commandLine={() => `docker push ${allTags ? '-a ' : ''}${tag}`}
      onConfirm={async () => {
        const operation = await agentClient(row.hostId).images.push.mutate({
          reference: allTags ? tag.replace(/:[^:/]*$/, '') : tag,
          allTags,
        })
        show({ id: row.hostId, name: row.hostName }, operation.id, t('push.tab', { name: tag }))
      }}
    >
      <Field label={t('push.reference')}>
        <Select
          value={tag}
          onChange={setTag}
          choices={row.item.tags.map((value) => ({ value, label: <span className="font-mono text-xs">{value}</span> }))}
        />
      </Field>
      <Checkbox checked={allTags} onChange={setAllTags}>
        {t('push.allTags')}
      </Checkbox>
    </ConfirmDialog>
  )
}
