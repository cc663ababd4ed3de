'use client'
import type { Operation } from '@berth/contract/operation'
import { createColumnHelper } from '@tanstack/react-table'
import { Activity, Ban, Eye } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { StateLabel } from '../../ui/badge'
import { Button } from '../../ui/button'
import { useShowTask } from '../../ui/dock'
import { useFormat } from '../../ui/format'
import { ListPage } from '../../ui/list-page'
import { Ago, useNow } from '../../ui/now'
import { Sentence } from '../../ui/sentence'
import { useAction } from '../../ui/use-action'
import { type Placed, useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { familiarReference } from '../../wire/familiar'
import { useScope } from '../../wire/hosts'
import { operationLook } from './operation-tab'

type Row = Placed<Operation>
const column = createColumnHelper<Row>()

/** Every long task of one host or of all: what, who, how it goes or went; its output opens in the dock. */
export function ActivityList({ scope }: { scope: string }) {
  const t = useTranslations('activity')
  const { several } = useScope(scope)
  const columns = useMemo(() => activityColumns(t), [t])
  const facets = useMemo(
    () => [
      {
        key: 'state',
        label: t('facet.state'),
        values: (row: Row) => [row.item.state],
        name: (value: string) => t(`state.${value as 'running'}`),
      },
      { key: 'kind', label: t('facet.kind'), values: (row: Row) => [row.item.kind], name: (value: string) => t(`kind.${value as 'pull'}`) },
    ],
    [t],
  )
  return (
    <ListPage
      id="activity"
      title={t('title')}
      list={useAcross(scope, 'operations')}
      several={several}
      columns={columns}
      itemId={(operation) => operation.id}
      itemName={(operation) => operation.subject}
      words={(operation) => [t(`kind.${operation.kind}`), operation.subject, operation.startedBy]}
      searchLabel={t('search')}
      facets={facets}
      initialSort={[{ id: 'started', desc: true }]}
      card={(row) => ({
        head: <What row={row} />,
        facts: (
          <>
            <State row={row} />
            <Ago at={row.item.startedAt} />
          </>
        ),
        actions: <Actions row={row} />,
      })}
      empty={{
        icon: <Activity aria-hidden />,
        words: t('empty'),
        action: (
          <Button asChild>
            <Link href={`/h/${scope}/images`}>{t('emptyAction')}</Link>
          </Button>
        ),
      }}
    />
  )
}

function activityColumns(t: ReturnType<typeof useTranslations<'activity'>>) {
  return [
    column.accessor((row) => `${row.item.kind} ${row.item.subject}`, {
      id: 'what',
      meta: { label: t('column.what'), fixed: true },
      cell: ({ row }) => <What row={row.original} />,
    }),
    column.accessor((row) => row.item.state, {
      id: 'state',
      meta: { label: t('column.state') },
      cell: ({ row }) => <State row={row.original} />,
    }),
    column.accessor((row) => row.item.startedBy, {
      id: 'by',
      meta: { label: t('column.by'), width: 150, className: 'max-lg:hidden' },
      cell: ({ getValue }) => <span className="block truncate text-ink-2">{getValue()}</span>,
    }),
    column.accessor((row) => row.item.startedAt, {
      id: 'started',
      meta: { label: t('column.started'), width: 108 },
      cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
    }),
    column.display({
      id: 'took',
      meta: { label: t('column.took'), width: 84, align: 'right', className: 'max-md:hidden' },
      cell: ({ row }) => <Took operation={row.original.item} />,
    }),
    column.display({
      id: 'actions',
      meta: { label: t('column.actions'), fixed: true, width: 84, align: 'right' },
      cell: ({ row }) => <Actions row={row.original} />,
    }),
  ]
}

function useShow(row: Row) {
  const t = useTranslations('activity')
  const show = useShowTask()
  return () =>
    show({ id: row.hostId, name: row.hostName }, row.item.id, `${t(`kind.${row.item.kind}`)} ${familiarReference(row.item.subject)}`)
}

function What({ row }: { row: Row }) {
  const t = useTranslations('activity')
  const show = useShow(row)
  return (
    <button type="button" data-row-link onClick={show} className="block max-w-full truncate text-left hover:text-accent hover:underline">
      <span className="font-medium">{t(`kind.${row.item.kind}`)}</span>{' '}
      <span className="font-mono text-xs">{familiarReference(row.item.subject)}</span>
    </button>
  )
}

function State({ row }: { row: Row }) {
  const t = useTranslations('activity')
  const { item } = row
  return (
    <StateLabel {...operationLook(item.state)} className="min-w-0 max-w-full">
      {t(`state.${item.state}`)}
      {item.error ? (
        <span className="text-ink-3">
          {' '}
          · <Sentence>{item.error.message}</Sentence>
        </span>
      ) : null}
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
  const task = `${t(`kind.${row.item.kind}`)} ${row.item.subject}`
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
          aria-label={t('ofTask', { verb: t('cancel'), task })}
          busy={cancel.busy}
          disabledReason={allow('operate')}
          onClick={() => cancel.run(undefined)}
        >
          <Ban aria-hidden />
        </Button>
      ) : null}
      <Button tone="quiet" size="icon-small" hint={t('show')} aria-label={t('ofTask', { verb: t('show'), task })} onClick={show}>
        <Eye aria-hidden />
      </Button>
    </span>
  )
}
