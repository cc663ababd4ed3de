'use client'
import { createColumnHelper } from '@tanstack/react-table'
import { ChevronDown, Download, Eraser, FileUp, Hammer, Layers, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { useFormat } from '../../ui/format'
import { ListPage } from '../../ui/list-page'
import { Menu, MenuItem } from '../../ui/menu'
import { Ago } from '../../ui/now'
import { RowLink } from '../../ui/row-link'
import { useAcross } from '../../wire/across'
import { dataUrl } from '../../wire/agent'
import { type Allow, useAllow } from '../../wire/allow'
import { useScope } from '../../wire/hosts'
import { BuildImage } from './build-dialog'
import { ImageMenu } from './image-menu'
import { type ImageRow, imageName } from './image-name'
import { LoadImages } from './load-dialog'
import { PruneImages } from './prune-dialog'
import { PullImage } from './pull-dialog'
import { RemoveImages } from './remove-dialog'

const column = createColumnHelper<ImageRow>()

/** Every image of one host or of all. */
export function ImageList({ scope }: { scope: string }) {
  const t = useTranslations('images')
  const format = useFormat()
  const { several, target } = useScope(scope)
  const allow = useAllow(scope)
  const [asking, setAsking] = useState<'pull' | 'load' | 'build' | 'prune' | null>(null)
  const columns = useMemo(() => imageColumns(t, format), [t, format])
  const facets = useMemo(
    () => [
      {
        key: 'use',
        label: t('facet.use'),
        values: (row: ImageRow) => [row.item.containers > 0 ? 'used' : row.item.tags.length === 0 ? 'untagged' : 'unused'],
        name: (value: string) => t(`use.${value as 'used'}`),
      },
      {
        key: 'repository',
        label: t('facet.repository'),
        values: (row: ImageRow) => [...new Set(row.item.tags.map((tag) => tag.replace(/:[^:/]*$/, '')))],
      },
    ],
    [t],
  )
  const pull = (
    <Button tone="primary" disabledReason={allow('operate', target)} onClick={() => setAsking('pull')}>
      <Download aria-hidden />
      {t('pull.button')}
    </Button>
  )
  return (
    <>
      <ListPage
        id="images"
        title={t('title')}
        actions={
          <>
            <MoreMenu target={target} allow={allow} onAsk={setAsking} />
            {pull}
          </>
        }
        list={useAcross(scope, 'images')}
        several={several}
        columns={columns}
        itemId={(image) => image.id}
        itemName={imageName}
        words={(image) => [...image.tags, image.id, ...Object.entries(image.labels).map(([key, value]) => `${key}=${value}`)]}
        searchLabel={t('search')}
        facets={facets}
        initialSort={[{ id: 'name', desc: false }]}
        bulk={(rows, clear) => <BulkActions rows={rows} clear={clear} />}
        card={(row) => ({
          head: <ImageLink row={row} />,
          facts: (
            <>
              <span>{format.bytes(row.item.sizeBytes)}</span>
              <span>{row.item.containers > 0 ? t('usedBy', { count: row.item.containers }) : t('unused')}</span>
              <Ago at={row.item.createdAt} />
            </>
          ),
          actions: <ImageMenu row={row} />,
        })}
        empty={{
          icon: <Layers aria-hidden />,
          words: t('empty'),
          action: pull,
          link: allow('build', target) ? null : (
            <button type="button" className="text-accent hover:underline" onClick={() => setAsking('build')}>
              {t('build.menu')}
            </button>
          ),
        }}
      />
      {asking === 'pull' ? <PullImage hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'load' ? <LoadImages hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'build' ? <BuildImage hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'prune' ? <PruneImages hostId={target} onClose={() => setAsking(null)} /> : null}
    </>
  )
}

function MoreMenu({ target, allow, onAsk }: { target: string; allow: Allow; onAsk: (what: 'build' | 'load' | 'prune') => void }) {
  const t = useTranslations('images')
  return (
    <Menu
      trigger={
        <Button>
          {t('more')}
          <ChevronDown aria-hidden />
        </Button>
      }
    >
      <MenuItem disabledReason={allow('build', target)} onSelect={() => onAsk('build')}>
        <Hammer aria-hidden />
        {t('build.menu')}
      </MenuItem>
      <MenuItem disabledReason={allow('create', target)} onSelect={() => onAsk('load')}>
        <FileUp aria-hidden />
        {t('load.menu')}
      </MenuItem>
      <MenuItem disabledReason={allow('create', target)} onSelect={() => onAsk('prune')}>
        <Eraser aria-hidden />
        {t('prune.menu')}
      </MenuItem>
    </Menu>
  )
}

function imageColumns(t: ReturnType<typeof useTranslations<'images'>>, format: ReturnType<typeof useFormat>) {
  return [
    column.accessor((row) => imageName(row.item), {
      id: 'name',
      meta: { label: t('column.name'), fixed: true },
      cell: ({ row: { original } }) => <ImageLink row={original} />,
    }),
    column.accessor((row) => row.item.sizeBytes, {
      id: 'size',
      meta: { label: t('column.size'), width: 104, align: 'right' },
      cell: ({ getValue }) => format.bytes(getValue()),
    }),
    column.accessor((row) => row.item.containers, {
      id: 'containers',
      meta: { label: t('column.usedBy'), width: 130 },
      cell: ({ getValue }) =>
        getValue() > 0 ? (
          <span className="tabular">{t('usedBy', { count: getValue() })}</span>
        ) : (
          <span className="text-ink-3">{t('unused')}</span>
        ),
    }),
    column.accessor((row) => row.item.id, {
      id: 'id',
      meta: { label: t('column.id'), width: 130, className: 'max-lg:hidden' },
      cell: ({ getValue }) => <span className="font-mono text-ink-2 text-xs">{getValue().slice(7, 19)}</span>,
    }),
    column.accessor((row) => `${row.item.platform.os}/${row.item.platform.architecture}`, {
      id: 'platform',
      meta: { label: t('column.platform'), width: 130, hidden: true },
      cell: ({ getValue }) => <span className="font-mono text-xs">{getValue()}</span>,
    }),
    column.accessor((row) => row.item.createdAt ?? '', {
      id: 'created',
      meta: { label: t('column.created'), width: 120, className: 'max-md:hidden' },
      cell: ({ row }) => <Ago at={row.original.item.createdAt} className="text-ink-2" />,
    }),
    column.display({
      id: 'actions',
      meta: { label: t('column.actions'), fixed: true, width: 52, align: 'right' },
      cell: ({ row }) => <ImageMenu row={row.original} />,
    }),
  ]
}

function ImageLink({ row }: { row: ImageRow }) {
  const t = useTranslations('images')
  const tu = useTranslations('ui')
  const { tags } = row.item
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <RowLink
        data-row-link
        href={`/h/${row.hostId}/images/${encodeURIComponent(row.item.id)}`}
        className="truncate font-mono font-medium text-xs hover:text-accent hover:underline"
      >
        {imageName(row.item)}
      </RowLink>
      {tags.length > 0 ? null : <Badge>{t('untagged')}</Badge>}
      {tags.length > 1 ? (
        <span className="shrink-0 text-ink-3 text-2xs" title={tags.join('\n')}>
          {tu('plusMore', { count: tags.length - 1 })}
        </span>
      ) : null}
    </span>
  )
}

function BulkActions({ rows, clear }: { rows: ImageRow[]; clear: () => void }) {
  const t = useTranslations('images')
  const allow = useAllow('')
  // Those that were selected then: rows leave the list while they are being removed.
  const [asked, setAsked] = useState<ImageRow[] | null>(null)
  const reason = rows.map((row) => allow('create', row.hostId)).find(Boolean) ?? null
  const oneHost = new Set(rows.map((row) => row.hostId)).size === 1
  return (
    <>
      <Button
        size="small"
        disabledReason={oneHost ? (rows.map((row) => allow('operate', row.hostId)).find(Boolean) ?? null) : t('save.oneHost')}
        onClick={() =>
          window.location.assign(dataUrl(rows[0]?.hostId ?? '', 'images/save', { image: rows.map((row) => imageName(row.item)) }))
        }
      >
        <Download aria-hidden />
        {t('save.menu')}
      </Button>
      <Button size="small" tone="danger-quiet" disabledReason={reason} onClick={() => setAsked(rows)}>
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </Button>
      {asked ? <RemoveImages rows={asked} onClose={() => setAsked(null)} onDone={clear} /> : null}
    </>
  )
}
