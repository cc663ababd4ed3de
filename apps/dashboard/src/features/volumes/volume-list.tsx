'use client'
import type { VolumeSummary } from '@berth/contract/volume'
import { useQuery } from '@tanstack/react-query'
import { createColumnHelper } from '@tanstack/react-table'
import { Eraser, HardDrive, Plus, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { useFormat } from '../../ui/format'
import { ListPage } from '../../ui/list-page'
import { Ago } from '../../ui/now'
import { RowLink } from '../../ui/row-link'
import { type Placed, useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useScope } from '../../wire/hosts'
import { CreateVolume, PruneVolumes, RemoveVolumes } from './volume-dialogs'
import { VolumeMenu } from './volume-menu'

type Row = Placed<VolumeSummary>
const column = createColumnHelper<Row>()

/** Every volume of one host or of all. */
export function VolumeList({ scope }: { scope: string }) {
  const t = useTranslations('volumes')
  const { several, target } = useScope(scope)
  const allow = useAllow(scope)
  const [asking, setAsking] = useState<'create' | 'prune' | null>(null)
  const columns = useMemo(() => volumeColumns(t), [t])
  const facets = useMemo(
    () => [
      {
        key: 'use',
        label: t('facet.use'),
        values: (row: Row) => [row.item.usedBy.length > 0 ? 'used' : 'unused'],
        name: (value: string) => t(`use.${value as 'used'}`),
      },
      {
        key: 'kind',
        label: t('facet.kind'),
        values: (row: Row) => [row.item.anonymous ? 'anonymous' : 'named'],
        name: (value: string) => t(`kind.${value as 'named'}`),
      },
    ],
    [t],
  )
  const create = (
    <Button tone="primary" disabledReason={allow('create', target)} onClick={() => setAsking('create')}>
      <Plus aria-hidden />
      {t('create.button')}
    </Button>
  )
  return (
    <>
      <ListPage
        id="volumes"
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
        list={useAcross(scope, 'volumes')}
        several={several}
        columns={columns}
        itemId={(volume) => volume.name}
        itemName={(volume) => volume.name}
        words={(volume) => [
          volume.name,
          ...volume.usedBy.map((user) => user.name),
          ...Object.entries(volume.labels).map(([key, value]) => `${key}=${value}`),
        ]}
        searchLabel={t('search')}
        facets={facets}
        initialSort={[{ id: 'name', desc: false }]}
        bulk={(rows, clear) => <BulkRemove rows={rows} clear={clear} />}
        card={(row) => ({
          head: <VolumeLink row={row} />,
          facts: (
            <>
              <Users row={row} />
              <Ago at={row.item.createdAt} />
            </>
          ),
          actions: <VolumeMenu hostId={row.hostId} volume={row.item} />,
        })}
        empty={{
          icon: <HardDrive aria-hidden />,
          words: t('empty'),
          action: create,
          link: (
            <Link className="text-accent hover:underline" href={`/h/${target}/containers/new`}>
              {t('emptyLink')}
            </Link>
          ),
        }}
      />
      {asking === 'create' ? <CreateVolume hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'prune' ? <PruneVolumes hostId={target} onClose={() => setAsking(null)} /> : null}
    </>
  )
}

function volumeColumns(t: ReturnType<typeof useTranslations<'volumes'>>) {
  return [
    column.accessor((row) => row.item.name, {
      id: 'name',
      meta: { label: t('column.name'), fixed: true },
      cell: ({ row }) => <VolumeLink row={row.original} />,
    }),
    column.accessor((row) => row.item.usedBy.length, {
      id: 'used',
      meta: { label: t('column.usedBy') },
      cell: ({ row }) => <Users row={row.original} />,
    }),
    column.display({
      id: 'size',
      meta: { label: t('column.size'), width: 104, align: 'right', className: 'max-md:hidden' },
      cell: ({ row }) => <Size row={row.original} />,
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
  ]
}

/** Measured at the host for the rows that are in view alone: a size means that the host walks through every file. */
function Size({ row }: { row: Row }) {
  const format = useFormat()
  // A key of its own: events of containers would have it measured again and again.
  const measured = useQuery({
    queryKey: ['volume-size', row.hostId, row.item.name],
    queryFn: async () => (await agentClient(row.hostId).volumes.inspect.query({ volume: row.item.name, withSize: true })).sizeBytes,
    enabled: !row.stale,
    staleTime: 5 * 60_000,
    retry: false,
  })
  const bytes = measured.data ?? null
  return <span className="text-ink-2">{bytes === null ? '–' : format.bytes(bytes)}</span>
}

function VolumeLink({ row }: { row: Row }) {
  const t = useTranslations('volumes')
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <RowLink
        data-row-link
        href={`/h/${row.hostId}/volumes/${encodeURIComponent(row.item.name)}`}
        className="truncate font-medium hover:text-accent hover:underline"
      >
        {row.item.anonymous ? row.item.name.slice(0, 12) : row.item.name}
      </RowLink>
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
        <RowLink key={`${user.id}${user.destination}`} href={`/h/${row.hostId}/containers/${user.id}`} className="truncate hover:underline">
          {user.name}
        </RowLink>
      ))}
      {usedBy.length > 2 ? <span className="shrink-0 text-ink-3 text-2xs">{tu('plusMore', { count: usedBy.length - 2 })}</span> : null}
    </span>
  )
}

function BulkRemove({ rows, clear }: { rows: Row[]; clear: () => void }) {
  const t = useTranslations('volumes')
  const allow = useAllow('')
  // Those that were selected then: rows leave the list while they are being removed.
  const [asked, setAsked] = useState<Row[] | null>(null)
  return (
    <>
      <Button
        size="small"
        tone="danger-quiet"
        disabledReason={rows.map((row) => allow('create', row.hostId)).find(Boolean) ?? null}
        onClick={() => setAsked(rows)}
      >
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </Button>
      {asked ? (
        <RemoveVolumes
          targets={asked.map((row) => ({ hostId: row.hostId, volume: row.item }))}
          onClose={() => setAsked(null)}
          onDone={clear}
        />
      ) : null}
    </>
  )
}
