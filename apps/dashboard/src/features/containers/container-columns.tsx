'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { type ColumnDef, createColumnHelper } from '@tanstack/react-table'
import { Play, ScrollText, Square, SquareTerminal } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../ui/button'
import { Ago } from '../../ui/now'
import { RowLink } from '../../ui/row-link'
import type { Placed } from '../../wire/across'
import { useAllow } from '../../wire/allow'
import { fits, type Target, useContainerCommand, useOpenInDock } from './container-commands'
import { ContainerMenu } from './container-menu'
import { ContainerState } from './container-state'
import { Ports } from './ports'
import { CpuCell, MemoryCell } from './usage-cells'
import { latestUsage } from './usage-store'

type Row = Placed<ContainerSummary>
type Words = ReturnType<typeof useTranslations<'containers'>>

export function targetOf(row: Row): Target {
  return { hostId: row.hostId, hostName: row.hostName, id: row.item.id, name: row.item.name, status: row.item.state.status }
}

const order: Record<ContainerSummary['state']['status'], number> = {
  running: 0,
  restarting: 1,
  paused: 2,
  removing: 3,
  created: 4,
  exited: 5,
  dead: 6,
}
const column = createColumnHelper<Row>()

/** The columns of the container table. */
// biome-ignore lint/suspicious/noExplicitAny: each column has a value type of its own
export function containerColumns(t: Words): ColumnDef<Row, any>[] {
  return [
    column.accessor((row) => row.item.name, {
      id: 'name',
      meta: { label: t('column.name'), fixed: true },
      cell: ({ row: { original } }) => (
        <RowLink
          data-row-link
          href={`/h/${original.hostId}/containers/${original.item.id}`}
          className="block truncate font-medium hover:text-accent hover:underline hover:underline-offset-2"
        >
          {original.item.name}
        </RowLink>
      ),
    }),
    column.accessor((row) => order[row.item.state.status], {
      id: 'state',
      meta: { label: t('column.state'), width: 204, className: 'max-xl:!w-44' },
      cell: ({ row }) => <ContainerState state={row.original.item.state} />,
    }),
    column.accessor((row) => row.item.image, {
      id: 'image',
      meta: { label: t('column.image'), className: 'max-xl:hidden' },
      // An image without a name is called as `docker ps` calls it: by the beginning of its digest.
      cell: ({ getValue }) => (
        <span className="block truncate font-mono text-ink-2 text-xs">{getValue().replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, '$1')}</span>
      ),
    }),
    column.accessor((row) => latestUsage(row.hostId, row.item.id)?.cpuPercent ?? -1, {
      id: 'cpu',
      meta: { label: t('column.cpu'), width: 84, align: 'right' },
      cell: ({ row: { original } }) => (
        <CpuCell hostId={original.hostId} id={original.item.id} running={original.item.state.status === 'running' && !original.stale} />
      ),
    }),
    column.accessor((row) => latestUsage(row.hostId, row.item.id)?.memoryBytes ?? -1, {
      id: 'memory',
      meta: { label: t('column.memory'), width: 146, className: '!pl-4' },
      cell: ({ row: { original } }) => (
        <MemoryCell hostId={original.hostId} id={original.item.id} running={original.item.state.status === 'running' && !original.stale} />
      ),
    }),
    column.display({
      id: 'ports',
      meta: { label: t('column.ports'), width: 190, className: 'max-xl:hidden max-2xl:!w-36' },
      cell: ({ row }) => <Ports ports={row.original.item.ports} />,
    }),
    column.accessor((row) => row.item.networks.map((network) => network.ipv4).join(), {
      id: 'address',
      meta: { label: t('column.address'), width: 130, hidden: true },
      cell: ({ getValue }) => <span className="tabular block truncate font-mono text-xs">{getValue()}</span>,
    }),
    column.accessor((row) => row.item.restart.name, {
      id: 'restart',
      meta: { label: t('column.restart'), width: 120, hidden: true },
      cell: ({ getValue }) => <span className="font-mono text-xs">{getValue()}</span>,
    }),
    column.accessor((row) => row.item.createdAt, {
      id: 'created',
      meta: { label: t('column.created'), width: 92, className: 'max-2xl:hidden' },
      cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
    }),
    column.display({
      id: 'actions',
      meta: { label: t('column.actions'), fixed: true, width: 128, align: 'right' },
      cell: ({ row }) => <QuickActions row={row.original} />,
    }),
  ]
}

function QuickActions({ row }: { row: Row }) {
  const t = useTranslations('containers')
  const allow = useAllow(row.hostId)
  const command = useContainerCommand()
  const open = useOpenInDock()
  const target = targetOf(row)
  const running = row.item.state.status === 'running'
  const verb = fits('start', target.status) ? 'start' : 'stop'
  return (
    <span className="flex items-center justify-end">
      <Button
        tone="quiet"
        size="icon-small"
        busy={command.busy}
        hint={t(`verb.${verb}`)}
        aria-label={t('verbOf', { verb: t(`verb.${verb}`), name: target.name })}
        disabledReason={allow('operate')}
        onClick={() => command.run({ verb, target })}
      >
        {verb === 'start' ? <Play aria-hidden /> : <Square className="!size-3 fill-current" aria-hidden />}
      </Button>
      <Button
        tone="quiet"
        size="icon-small"
        className="pointer-coarse:hidden"
        hint={t('openLogs')}
        aria-label={t('verbOf', { verb: t('openLogs'), name: target.name })}
        onClick={() => open('logs', target)}
      >
        <ScrollText aria-hidden />
      </Button>
      <Button
        tone="quiet"
        size="icon-small"
        className="pointer-coarse:hidden"
        hint={t('openTerminal')}
        aria-label={t('verbOf', { verb: t('openTerminal'), name: target.name })}
        disabledReason={allow('shell') ?? (running ? null : t('notRunning', { name: target.name }))}
        onClick={() => open('terminal', target)}
      >
        <SquareTerminal aria-hidden />
      </Button>
      <ContainerMenu target={target} />
    </span>
  )
}
