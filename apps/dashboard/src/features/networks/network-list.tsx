'use client'
import type { NetworkSummary } from '@berth/contract/network'
import { createColumnHelper } from '@tanstack/react-table'
import { Eraser, Network, Plus, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { ListPage } from '../../ui/list-page'
import { Ago } from '../../ui/now'
import { RowLink } from '../../ui/row-link'
import { type Placed, useAcross } from '../../wire/across'
import { useAllow } from '../../wire/allow'
import { useScope } from '../../wire/hosts'
import { CreateNetwork, PruneNetworks, RemoveNetworks } from './network-dialogs'

type Row = Placed<NetworkSummary>
const column = createColumnHelper<Row>()

/** Every network of one host or of all. */
export function NetworkList({ scope }: { scope: string }) {
  const t = useTranslations('networks')
  const { several, target } = useScope(scope)
  const allow = useAllow(scope)
  const [asking, setAsking] = useState<'create' | 'prune' | null>(null)
  const columns = useMemo(() => networkColumns(t), [t])
  const facets = useMemo(
    () => [
      { key: 'driver', label: t('column.driver'), values: (row: Row) => [row.item.driver] },
      {
        key: 'use',
        label: t('facet.use'),
        values: (row: Row) => [row.item.endpoints.length > 0 ? 'used' : 'unused'],
        name: (value: string) => t(`use.${value as 'used'}`),
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
        id="networks"
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
        list={useAcross(scope, 'networks')}
        several={several}
        columns={columns}
        itemId={(network) => network.id}
        itemName={(network) => network.name}
        words={(network) => [
          network.name,
          network.id,
          ...network.pools.map((pool) => pool.subnet),
          ...network.endpoints.map((endpoint) => `${endpoint.containerName} ${endpoint.ipv4}`),
        ]}
        searchLabel={t('search')}
        facets={facets}
        initialSort={[{ id: 'name', desc: false }]}
        bulk={(rows, clear) => <BulkRemove rows={rows} clear={clear} />}
        card={(row) => ({
          head: <NetworkLink row={row} />,
          facts: (
            <>
              <span className="font-mono">{row.item.pools[0]?.subnet ?? row.item.driver}</span>
              <span>{t('memberCount', { count: row.item.endpoints.length })}</span>
            </>
          ),
          actions: <RemoveButton row={row} />,
        })}
        empty={{ icon: <Network aria-hidden />, words: t('empty'), action: create }}
      />
      {asking === 'create' ? <CreateNetwork hostId={target} onClose={() => setAsking(null)} /> : null}
      {asking === 'prune' ? <PruneNetworks hostId={target} onClose={() => setAsking(null)} /> : null}
    </>
  )
}

function networkColumns(t: ReturnType<typeof useTranslations<'networks'>>) {
  return [
    column.accessor((row) => row.item.name, {
      id: 'name',
      meta: { label: t('column.name'), fixed: true },
      cell: ({ row }) => <NetworkLink row={row.original} />,
    }),
    column.accessor((row) => row.item.driver, {
      id: 'driver',
      meta: { label: t('column.driver'), width: 90 },
      cell: ({ getValue }) => <span className="font-mono text-xs">{getValue()}</span>,
    }),
    column.accessor((row) => row.item.pools.map((pool) => pool.subnet).join(', '), {
      id: 'subnet',
      meta: { label: t('column.subnet'), width: 180 },
      cell: ({ getValue }) => <span className="block truncate font-mono text-xs">{getValue() || '–'}</span>,
    }),
    column.accessor((row) => row.item.endpoints.length, {
      id: 'members',
      meta: { label: t('column.members'), width: 110, align: 'right' },
    }),
    column.accessor((row) => row.item.bridge, {
      id: 'bridge',
      meta: { label: t('column.bridge'), width: 150, className: 'max-lg:hidden' },
      cell: ({ getValue }) => <span className="block truncate font-mono text-ink-2 text-xs">{getValue() || '–'}</span>,
    }),
    column.accessor((row) => row.item.createdAt, {
      id: 'created',
      meta: { label: t('column.created'), width: 120, className: 'max-md:hidden' },
      cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
    }),
    column.display({
      id: 'actions',
      meta: { label: t('column.actions'), fixed: true, width: 52, align: 'right' },
      cell: ({ row }) => <RemoveButton row={row.original} />,
    }),
  ]
}

function NetworkLink({ row }: { row: Row }) {
  const t = useTranslations('networks')
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <RowLink
        data-row-link
        href={`/h/${row.hostId}/networks/${row.item.id}`}
        className="truncate font-medium hover:text-accent hover:underline"
      >
        {row.item.name}
      </RowLink>
      {row.item.predefined ? <Badge>{t('predefined')}</Badge> : null}
      {row.item.internal ? <Badge tone="brass">{t('internal')}</Badge> : null}
    </span>
  )
}

/** Why a network cannot be removed, or null. */
function obstacle(t: ReturnType<typeof useTranslations<'networks'>>, network: NetworkSummary): string | null {
  if (network.predefined) return t('remove.predefined')
  if (network.endpoints.length > 0) return t('remove.used', { name: network.endpoints[0]?.containerName ?? '' })
  return null
}

function RemoveButton({ row }: { row: Row }) {
  const t = useTranslations('networks')
  const allow = useAllow(row.hostId)
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button
        tone="quiet"
        size="icon-small"
        hint={t('remove.one', { name: row.item.name })}
        disabledReason={allow('create') ?? obstacle(t, row.item)}
        onClick={() => setOpen(true)}
      >
        <Trash2 aria-hidden />
      </Button>
      {open ? <RemoveNetworks targets={[{ hostId: row.hostId, network: row.item }]} onClose={() => setOpen(false)} /> : null}
    </>
  )
}

function BulkRemove({ rows, clear }: { rows: Row[]; clear: () => void }) {
  const t = useTranslations('networks')
  const allow = useAllow('')
  // Those that were selected then: rows leave the list while they are being removed.
  const [asked, setAsked] = useState<Row[] | null>(null)
  const reason = rows.map((row) => allow('create', row.hostId) ?? obstacle(t, row.item)).find(Boolean) ?? null
  return (
    <>
      <Button size="small" tone="danger-quiet" disabledReason={reason} onClick={() => setAsked(rows)}>
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </Button>
      {asked ? (
        <RemoveNetworks
          targets={asked.map((row) => ({ hostId: row.hostId, network: row.item }))}
          onClose={() => setAsked(null)}
          onDone={clear}
        />
      ) : null}
    </>
  )
}
