'use client'
import type { VolumeSummary } from '@berth/contract/volume'
import { createColumnHelper } from '@tanstack/react-table'
import { Eraser, HardDrive, Plus, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { DataTable } from '../../ui/data-table'
import { EmptyState } from '../../ui/empty-state'
import { Ago } from '../../ui/now'
import { PageHead } from '../../ui/page'
import { PartialList } from '../../ui/partial-list'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { useAllow } from '../../wire/allow'
import { useHosts } from '../../wire/hosts'
import { CreateVolume, PruneVolumes, RemoveVolumes } from './volume-dialogs'
import { VolumeMenu } from './volume-menu'

type Row = Placed<VolumeSummary>
const column = createColumnHelper<Row>()

/** Every volume of one host or of all. */
export function VolumeList({ scope }: { scope: string }) {
  const t = useTranslations('volumes')
  const { hosts } = useHosts()
  const allow = useAllow(scope)
  const list = useAcross(scope, 'volumes')
  const [asking, setAsking] = useState<'create' | 'prune' | null>(null)
  const several = scope === everyHost && hosts.length > 1
  const target = scope === everyHost ? (hosts.find((host) => host.state === 'online')?.id ?? '') : scope
  const columns = useMemo(
    () => [
      column.accessor((row) => row.item.name, {
        id: 'name',
        meta: { label: t('column.name'), fixed: true },
        cell: ({ row }) => <VolumeLink row={row.original} />,
      }),
      ...(several
        ? [
            column.accessor('hostName', {
              id: 'host',
              meta: { label: t('column.host'), width: 130 },
              cell: ({ getValue }) => <span className="block truncate text-ink-2">{getValue()}</span>,
            }),
          ]
        : []),
      column.accessor((row) => row.item.usedBy.length, {
        id: 'used',
        meta: { label: t('column.usedBy') },
        cell: ({ row }) => <Users row={row.original} />,
      }),
      column.accessor((row) => row.item.mountpoint, {
        id: 'mountpoint',
        meta: { label: t('column.mountpoint'), hidden: true },
        cell: ({ getValue }) => <span className="block truncate font-mono text-xs">{getValue()}</span>,
      }),
      column.accessor((row) => row.item.createdAt, {
        id: 'created',
        meta: { label: t('column.created'), width: 120, className: 'max-md:hidden' },
        cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
      }),
      column.display({
        id: 'actions',
        meta: { label: t('column.actions'), fixed: true, width: 52, align: 'right' },
        cell: ({ row }) => <VolumeMenu hostId={row.original.hostId} volume={row.original.item} />,
      }),
    ],
    [t, several],
  )
  const facets = useMemo(
    () => [
      {
        key: 'use',
        label: t('facet.use'),
        values: (row: Row) => [row.item.usedBy.length > 0 ? 'used' : 'unused'],
        name: (value: string) => t(`use.${value as 'used'}`),
      },
      {
        key: 'name',
        label: t('facet.kind'),
        values: (row: Row) => [row.item.anonymous ? 'anonymous' : 'named'],
        name: (value: string) => t(`kind.${value as 'named'}`),
      },
      ...(several ? [{ key: 'host', label: t('column.host'), values: (row: Row) => [row.hostName] }] : []),
    ],
    [t, several],
  )
  const create = (
    <Button tone="primary" disabledReason={allow('create', target)} onClick={() => setAsking('create')}>
      <Plus aria-hidden />
      {t('create.button')}
    </Button>
  )
  return (
    <>
      <PageHead
        title={t('title')}
        actions={
          <>
            <Button disabledReason={allow('create', target)} onClick={() => setAsking('prune')}>
              <Eraser aria-hidden />
              {t('prune.menu')}
            </Button>
            {create}
          </>
        }
      />
      <PartialList error={list.error} missing={list.gaps} onRetry={list.retry} />
      <DataTable
        id="volumes"
        label={t('title')}
        rows={list.rows}
        columns={columns}
        rowId={(row) => `${row.hostId}/${row.item.name}`}
        rowName={(row) => row.item.name}
        searchText={(row) =>
          [
            row.item.name,
            row.hostName,
            ...row.item.usedBy.map((user) => user.name),
            ...Object.entries(row.item.labels).map(([key, value]) => `${key}=${value}`),
          ].join(' ')
        }
        searchLabel={t('search')}
        facets={facets}
        initialSort={[{ id: 'name', desc: false }]}
        loading={list.pending}
        isStale={(row) => row.stale}
        bulk={(rows, clear) => <BulkRemove rows={rows} clear={clear} />}
        card={(row) => (
          <div className="flex items-start justify-between gap-2">
            <div className="grid min-w-0 gap-1">
              <VolumeLink row={row} />
              <p className="flex flex-wrap gap-x-3 text-ink-3 text-xs">
                <Users row={row} />
                {several ? <span>{row.hostName}</span> : null}
                <Ago at={row.item.createdAt} />
              </p>
            </div>
            <VolumeMenu hostId={row.hostId} volume={row.item} />
          </div>
        )}
        empty={
          list.error ? null : (
            <EmptyState
              icon={<HardDrive aria-hidden />}
              action={create}
              link={
                <Link className="text-accent hover:underline" href={`/h/${target}/containers/new`}>
                  {t('emptyLink')}
                </Link>
              }
            >
              {t('empty')}
            </EmptyState>
          )
        }
      />
      {asking === 'create' ? <CreateVolume hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'prune' ? <PruneVolumes hostId={target} onClose={() => setAsking(null)} /> : null}
    </>
  )
}

function VolumeLink({ row }: { row: Row }) {
  const t = useTranslations('volumes')
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link
        data-row-link
        href={`/h/${row.hostId}/volumes/${encodeURIComponent(row.item.name)}`}
        className="truncate font-medium hover:text-accent hover:underline"
      >
        {row.item.anonymous ? row.item.name.slice(0, 12) : row.item.name}
      </Link>
      {row.item.anonymous ? <Badge>{t('kind.anonymous')}</Badge> : null}
    </span>
  )
}

function Users({ row }: { row: Row }) {
  const t = useTranslations('volumes')
  const tu = useTranslations('ui')
  const { usedBy } = row.item
  if (usedBy.length === 0) return <span className="text-ink-3">{t('unused')}</span>
  return (
    <span className="flex min-w-0 items-center gap-2 truncate">
      {usedBy.slice(0, 2).map((user) => (
        <Link key={`${user.id}${user.destination}`} href={`/h/${row.hostId}/containers/${user.id}`} className="truncate hover:underline">
          {user.name}
        </Link>
      ))}
      {usedBy.length > 2 ? <span className="shrink-0 text-ink-3 text-2xs">{tu('plusMore', { count: usedBy.length - 2 })}</span> : null}
    </span>
  )
}

function BulkRemove({ rows, clear }: { rows: Row[]; clear: () => void }) {
  const t = useTranslations('volumes')
  const allow = useAllow('')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button
        size="small"
        tone="danger-quiet"
        disabledReason={rows.map((row) => allow('create', row.hostId)).find(Boolean) ?? null}
        onClick={() => setOpen(true)}
      >
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </Button>
      {open ? (
        <RemoveVolumes
          targets={rows.map((row) => ({ hostId: row.hostId, volume: row.item }))}
          onClose={() => setOpen(false)}
          onDone={clear}
        />
      ) : null}
    </>
  )
}
