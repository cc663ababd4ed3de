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
          <MenuItem onSelect={() => onAsk({ what: 'view', entry })}>
            <FileText aria-hidden />
            {t('view')}
          </MenuItem>
          <MenuItem onSelect={() => get('files/content')}>
            <Download aria-hidden />
            {t('download')}
          </MenuItem>
        </>
      ) : null}
      <MenuItem onSelect={() => get('files/archive')}>
        <Archive aria-hidden />
        {t('downloadTar')}
      </MenuItem>
      <MenuItem onSelect={() => onAsk({ what: 'rename', entry })}>
        <PencilLine aria-hidden />
        {t('rename')}
      </MenuItem>
      <MenuLine />
      <MenuItem danger onSelect={() => onAsk({ what: 'remove', entry })}>
        <Trash2 aria-hidden />
        {t('remove')}
      </MenuItem>
    </Menu>
  )
}
