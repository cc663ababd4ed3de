'use client'
import { useTranslations } from 'next-intl'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { sayDone } from '../../ui/toaster'
import { agentClient } from '../../wire/agent'
import { type ImageRow, imageName } from './image-name'

/** Removes images with all their tags. One that containers use needs a box ticked. */
export function RemoveImages({ rows, onClose, onDone }: { rows: readonly ImageRow[]; onClose: () => void; onDone?: () => void }) {
  const t = useTranslations('images')
  const used = rows.filter((row) => row.item.containers > 0)
  const tagged = rows.some((row) => row.item.tags.length > 1)
  return (
    <ConfirmDialog<'force'>
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        rows.length === 1
          ? t('remove.titleOne', { name: rows[0] ? imageName(rows[0].item) : '' })
          : t('remove.titleMany', { count: rows.length })
      }
      description={t('remove.description')}
      verb={t('remove.verb')}
      effects={
        used.length > 0 || tagged
          ? [
              {
                key: 'force',
                label: used.length > 0 ? t('remove.force', { count: used.length }) : t('remove.allTags'),
                help: t('remove.forceHelp'),
                needed: true,
              },
            ]
          : []
      }
      commandLine={({ force }) => `docker rmi ${force ? '-f ' : ''}${rows.map((row) => imageName(row.item)).join(' ')}`}
      each={rows.map((row) => ({
        key: `${row.hostId}/${row.item.id}`,
        name: imageName(row.item),
        run: (chosen) => agentClient(row.hostId).images.remove.mutate({ image: row.item.id, force: chosen.force ?? false }),
      }))}
      onConfirm={async () => {
        sayDone(t('remove.done', { count: rows.length }))
        onDone?.()
      }}
    />
  )
}
