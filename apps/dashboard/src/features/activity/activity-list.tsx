'use client'
import type { Operation } from '@berth/contract/operation'
import { createColumnHelper } from '@tanstack/react-table'
import { Activity, Ban, Eye } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { StateLabel } from '../../ui/badge'
import { Button } from '../../ui/button'
import { DataTable } from '../../ui/data-table'
import { useShowTask } from '../../ui/dock'
import { EmptyState } from '../../ui/empty-state'
import { useFormat } from '../../ui/format'
import { Ago, useNow } from '../../ui/now'
import { PageHead } from '../../ui/page'
import { PartialList } from '../../ui/partial-list'
import { useAction } from '../../ui/use-action'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useHosts } from '../../wire/hosts'
import { operationLook } from './operation-tab'

type Row = Placed<Operation>
const column = createColumnHelper<Row>()

/** Every long task of one host or of all: what, who, how it goes or went; its output opens in the dock. */
export function ActivityList({ scope }: { scope: string }) {
  const t = useTranslations('activity')
  const { hosts } = useHosts()
  const list = useAcross(scope, 'operations')
  const several = scope === everyHost && hosts.length > 1
  const columns = useMemo(
    () => [
      column.accessor((row) => `${row.item.kind} ${row.item.subject}`, {
        id: 'what',
        meta: { label: t('column.what'), fixed: true },
        cell: ({ row }) => <What row={row.original} />,
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
      column.accessor((row) => row.item.state, {
        id: 'state',
        meta: { label: t('column.state'), width: 190 },
        cell: ({ row }) => <State row={row.original} />,
      }),
      column.accessor((row) => row.item.startedBy, {
        id: 'by',
        meta: { label: t('column.by'), width: 150, className: 'max-lg:hidden' },
        cell: ({ getValue }) => <span className="block truncate text-ink-2">{getValue()}</span>,
      }),
      column.accessor((row) => row.item.startedAt, {
        id: 'started',
        meta: { label: t('column.started'), width: 120 },
        cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
      }),
      column.display({
        id: 'took',
        meta: { label: t('column.took'), width: 100, align: 'right', className: 'max-md:hidden' },
        cell: ({ row }) => <Took operation={row.original.item} />,
      }),
      column.display({
        id: 'actions',
        meta: { label: t('column.actions'), fixed: true, width: 84, align: 'right' },
        cell: ({ row }) => <Actions row={row.original} />,
      }),
    ],
    [t, several],
  )
  const facets = useMemo(
    () => [
      {
        key: 'state',
        label: t('facet.state'),
        values: (row: Row) => [row.item.state],
        name: (value: string) => t(`state.${value as 'running'}`),
      },
      { key: 'kind', label: t('facet.kind'), values: (row: Row) => [row.item.kind], name: (value: string) => t(`kind.${value as 'pull'}`) },
      ...(several ? [{ key: 'host', label: t('facet.host'), values: (row: Row) => [row.hostName] }] : []),
    ],
    [t, several],
  )
  return (
    <>
      <PageHead title={t('title')} />
      <PartialList error={list.error} missing={list.gaps} onRetry={list.retry} />
      <DataTable
        id="activity"
        label={t('title')}
        rows={list.rows}
        columns={columns}
        rowId={(row) => `${row.hostId}/${row.item.id}`}
        rowName={(row) => row.item.subject}
        searchText={(row) => [t(`kind.${row.item.kind}`), row.item.subject, row.item.startedBy, row.hostName].join(' ')}
        searchLabel={t('search')}
        facets={facets}
        initialSort={[{ id: 'started', desc: true }]}
        loading={list.pending}
        isStale={(row) => row.stale}
        card={(row) => (
          <div className="flex items-start justify-between gap-2">
            <div className="grid min-w-0 gap-1">
              <What row={row} />
              <p className="flex flex-wrap gap-x-3 text-xs">
                <State row={row} />
                <Ago at={row.item.startedAt} className="text-ink-3" />
                {several ? <span className="text-ink-3">{row.hostName}</span> : null}
              </p>
            </div>
            <Actions row={row} />
          </div>
        )}
        empty={
          list.error ? null : (
            <EmptyState
              icon={<Activity aria-hidden />}
              action={
                <Button asChild>
                  <Link href={`/h/${scope}/images`}>{t('emptyAction')}</Link>
                </Button>
              }
            >
              {t('empty')}
            </EmptyState>
          )
        }
      />
    </>
  )
}

function useShow(row: Row) {
  const t = useTranslations('activity')
  const show = useShowTask()
  return () => show({ id: row.hostId, name: row.hostName }, row.item.id, `${t(`kind.${row.item.kind}`)} ${row.item.subject}`)
}

function What({ row }: { row: Row }) {
  const t = useTranslations('activity')
  const show = useShow(row)
  return (
    <button type="button" data-row-link onClick={show} className="block max-w-full truncate text-left hover:text-accent hover:underline">
      <span className="font-medium">{t(`kind.${row.item.kind}`)}</span> <span className="font-mono text-xs">{row.item.subject}</span>
    </button>
  )
}

function State({ row }: { row: Row }) {
  const t = useTranslations('activity')
  const { item } = row
  return (
    <StateLabel {...operationLook(item.state)} className="min-w-0 max-w-full">
      <span className="block truncate">
        {t(`state.${item.state}`)}
        {item.error ? <span className="text-ink-3"> · {item.error.message}</span> : null}
      </span>
    </StateLabel>
  )
}

function Took({ operation }: { operation: Operation }) {
  const format = useFormat()
  const now = useNow()
  const end = operation.endedAt ? Date.parse(operation.endedAt) : now
  return <>{now === 0 ? '' : format.duration((end - Date.parse(operation.startedAt)) / 1000)}</>
}

function Actions({ row }: { row: Row }) {
  const t = useTranslations('activity')
  const allow = useAllow(row.hostId)
  const show = useShow(row)
  const cancel = useAction((_: undefined) => agentClient(row.hostId).operations.cancel.mutate({ operation: row.item.id }), {
    failed: () => t('cancelFailed'),
  })
  return (
    <span className="flex justify-end">
      {row.item.state === 'running' ? (
        <Button
          tone="quiet"
          size="icon-small"
          hint={t('cancel')}
          busy={cancel.busy}
          disabledReason={allow('operate')}
          onClick={() => cancel.run(undefined)}
        >
          <Ban aria-hidden />
        </Button>
      ) : null}
      <Button tone="quiet" size="icon-small" hint={t('show')} onClick={show}>
        <Eye aria-hidden />
      </Button>
    </span>
  )
}
