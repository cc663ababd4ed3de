'use client'
import { Download, Ellipsis, Play, Tag, Trash2, Upload } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { type ImageRow, imageName } from './image-name'
import { RemoveImages } from './remove-dialog'
import { PushImage, TagImage } from './tag-push-dialogs'

/** What can be done with one image. */
export function ImageMenu({ row, trigger, onRemoved }: { row: ImageRow; trigger?: ReactNode; onRemoved?: () => void }) {
  const t = useTranslations('images')
  const router = useRouter()
  const allow = useAllow(row.hostId)
  const [asking, setAsking] = useState<'tag' | 'push' | 'remove' | null>(null)
  const name = imageName(row.item)
  const close = () => setAsking(null)
  return (
    <>
      <Menu
        trigger={
          trigger ?? (
            <Button tone="quiet" size="icon-small" hint={t('actionsOf', { name })}>
              <Ellipsis aria-hidden />
            </Button>
          )
        }
      >
        <MenuItem
          disabledReason={allow('create')}
          onSelect={() => router.push(`/h/${row.hostId}/containers/new?image=${encodeURIComponent(row.item.tags[0] ?? row.item.id)}`)}
        >
          <Play aria-hidden />
          {t('run')}
        </MenuItem>
        <MenuItem disabledReason={allow('create')} onSelect={() => setAsking('tag')}>
          <Tag aria-hidden />
          {t('tag.menu')}
        </MenuItem>
        <MenuItem
          disabledReason={allow('configure') ?? (row.item.tags.length === 0 ? t('push.untagged') : null)}
          onSelect={() => setAsking('push')}
        >
          <Upload aria-hidden />
          {t('push.menu')}
        </MenuItem>
        <MenuItem
          disabledReason={allow('operate')}
          onSelect={() =>
            window.location.assign(dataUrl(row.hostId, 'images/save', { image: row.item.tags.length > 0 ? row.item.tags : [row.item.id] }))
          }
        >
          <Download aria-hidden />
          {t('save.menu')}
        </MenuItem>
        <MenuLine />
        <MenuItem danger disabledReason={allow('create')} onSelect={() => setAsking('remove')}>
          <Trash2 aria-hidden />
          {t('remove.menu')}
        </MenuItem>
      </Menu>
      {asking === 'tag' ? <TagImage row={row} onClose={close} /> : null}
      {asking === 'push' ? <PushImage row={row} onClose={close} /> : null}
      {asking === 'remove' ? <RemoveImages rows={[row]} onClose={close} onDone={onRemoved} /> : null}
    </>
  )
}
