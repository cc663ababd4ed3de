'use client'
import type { VolumeSummary } from '@berth/contract/volume'
import { ArchiveRestore, Copy, Download, Ellipsis, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { CloneVolume, RemoveVolumes, RestoreVolume } from './volume-dialogs'

/** What can be done with one volume. */
export function VolumeMenu({
  hostId,
  volume,
  trigger,
  onRemoved,
}: {
  hostId: string
  volume: VolumeSummary
  trigger?: ReactNode
  onRemoved?: () => void
}) {
  const t = useTranslations('volumes')
  const allow = useAllow(hostId)
  const [asking, setAsking] = useState<'clone' | 'restore' | 'remove' | null>(null)
  const close = () => setAsking(null)
  return (
    <>
      <Menu
        trigger={
          trigger ?? (
            <Button tone="quiet" size="icon-small" hint={t('actionsOf', { name: volume.name })}>
              <Ellipsis aria-hidden />
            </Button>
          )
        }
      >
        <MenuItem
          disabledReason={allow('files')}
          onSelect={() => window.location.assign(dataUrl(hostId, 'volumes/backup', { volume: volume.name }))}
        >
          <Download aria-hidden />
          {t('backup')}
        </MenuItem>
        <MenuItem disabledReason={allow('files')} onSelect={() => setAsking('restore')}>
          <ArchiveRestore aria-hidden />
          {t('restore.menu')}
        </MenuItem>
        <MenuItem disabledReason={allow('create')} onSelect={() => setAsking('clone')}>
          <Copy aria-hidden />
          {t('clone.menu')}
        </MenuItem>
        <MenuLine />
        <MenuItem
          danger
          disabledReason={allow('create') ?? (volume.usedBy.length > 0 ? t('remove.used', { name: volume.usedBy[0]?.name ?? '' }) : null)}
          onSelect={() => setAsking('remove')}
        >
          <Trash2 aria-hidden />
          {t('remove.menu')}
        </MenuItem>
      </Menu>
      {asking === 'clone' ? <CloneVolume hostId={hostId} volume={volume} onClose={close} /> : null}
      {asking === 'restore' ? <RestoreVolume hostId={hostId} volume={volume} onClose={close} /> : null}
      {asking === 'remove' ? <RemoveVolumes targets={[{ hostId, volume }]} onClose={close} onDone={onRemoved} /> : null}
    </>
  )
}
