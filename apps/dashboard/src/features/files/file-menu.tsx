'use client'
import type { FileEntry, FileRoot } from '@berth/contract/file'
import { Archive, Download, Ellipsis, FileText, PencilLine, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import { type Asking, rootParameters } from './place'

/** What can be done with one file. */
export function FileMenu({
  hostId,
  root,
  path,
  entry,
  onAsk,
}: {
  hostId: string
  root: FileRoot
  path: string
  entry: FileEntry
  onAsk: (asking: Asking) => void
}) {
  const t = useTranslations('files')
  // What cannot be written as text cannot be asked for: the agent would look for another name.
  const broken = entry.name.includes('\ufffd') ? t('notUtf8') : null
  const get = (route: string) => window.location.assign(dataUrl(hostId, route, { ...rootParameters(root), path }))
  return (
    <Menu
      trigger={
        <Button tone="quiet" size="icon-small" hint={t('actionsOf', { name: entry.name })}>
          <Ellipsis aria-hidden />
        </Button>
      }
    >
      {entry.type === 'file' || entry.type === 'link' ? (
        <>
          <MenuItem disabledReason={broken} onSelect={() => onAsk({ what: 'view', entry })}>
            <FileText aria-hidden />
            {t('view')}
          </MenuItem>
          <MenuItem disabledReason={broken} onSelect={() => get('files/content')}>
            <Download aria-hidden />
            {t('download')}
          </MenuItem>
        </>
      ) : null}
      <MenuItem disabledReason={broken} onSelect={() => get('files/archive')}>
        <Archive aria-hidden />
        {t('downloadTar')}
      </MenuItem>
      <MenuItem disabledReason={broken} onSelect={() => onAsk({ what: 'rename', entry })}>
        <PencilLine aria-hidden />
        {t('rename')}
      </MenuItem>
      <MenuLine />
      <MenuItem danger disabledReason={broken} onSelect={() => onAsk({ what: 'remove', entry })}>
        <Trash2 aria-hidden />
        {t('remove')}
      </MenuItem>
    </Menu>
  )
}
