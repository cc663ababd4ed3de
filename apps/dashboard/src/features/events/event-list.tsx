'use client'
import type { EngineEvent } from '@berth/contract/event'
import { useQueries, useQueryClient } from '@tanstack/react-query'
import { createColumnHelper } from '@tanstack/react-table'
import { CalendarClock } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { parseAsBoolean, useQueryState } from 'nuqs'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { Badge, type Tone } from '../../ui/badge'
import { Checkbox } from '../../ui/checkbox'
import { DataTable } from '../../ui/data-table'
import { useShowTask } from '../../ui/dock'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Ago } from '../../ui/now'
import { RowLink } from '../../ui/row-link'
import { everyHost, useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { openEventStream } from '../../wire/event-stream'
import { familiarReference } from '../../wire/familiar'
import { useHosts } from '../../wire/hosts'

interface Row {
  hostId: string
  hostName: string
  event: EngineEvent
}
const column = createColumnHelper<Row>()
const most = 5000

/** What happened on one host or on all, newest first, live. */
export function EventList({ scope }: { scope: string }) {
  const t = useTranslations('events')
  const format = useFormat()
  const { rows: everything, pending, errors } = useEventRows(scope)
  const [withExec, setWithExec] = useQueryState('exec', parseAsBoolean.withDefault(false))
  const rows = useMemo(() => (withExec ? everything : everything.filter((row) => !isExec(row.event))), [everything, withExec])
  const { hosts } = useHosts()
  const several = scope === everyHost && hosts.length > 1
  const actionName = useActionName()
  const taskName = useTaskName()
  const names = useContainerNames(scope)
  const columns = useMemo(
    () => [
      column.accessor((row) => row.event.at, {
        id: 'at',
        meta: { label: t('column.at'), width: 172, fixed: true },
        cell: ({ getValue }) => (
          <time dateTime={getValue()} className="tabular whitespace-nowrap text-xs">
            {format.dateTime(getValue())}
          </time>
        ),
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
      column.accessor((row) => row.event.type, {
        id: 'type',
        meta: { label: t('column.type'), width: 110 },
        cell: ({ getValue }) => <span className="text-ink-2">{t(`type.${getValue()}`)}</span>,
      }),
      column.accessor((row) => row.event.action, {
        id: 'action',
        meta: { label: t('column.action'), width: 190 },
        cell: ({ row }) => <Action event={row.original.event} />,
      }),
      column.accessor((row) => nameOf(row.event, taskName), {
        id: 'subject',
        meta: { label: t('column.subject'), fixed: true },
        cell: ({ row }) => <Subject row={row.original} />,
      }),
      column.accessor((row) => detailOf(row.event, names), {
        id: 'detail',
        meta: { label: t('column.detail'), className: 'max-lg:hidden' },
        cell: ({ getValue }) => <span className="block truncate font-mono text-ink-3 text-xs">{getValue()}</span>,
      }),
    ],
    [t, format, several, taskName, names],
  )
  const facets = useMemo(
    () => [
      {
        key: 'type',
        label: t('column.type'),
        values: (row: Row) => [row.event.type],
        name: (value: string) => t(`type.${value as 'container'}`),
      },
      {
        key: 'action',
        label: t('column.action'),
        values: (row: Row) => [row.event.action.split(':')[0] as string],
        name: actionName,
      },
      ...(several ? [{ key: 'host', label: t('column.host'), values: (row: Row) => [row.hostName] }] : []),
    ],
    [t, several, actionName],
  )
  return (
    <>
      {errors.map(({ host, error }) => (
        <ErrorPanel key={host} error={error} title={t('failed', { host })} compact className="mx-3 mt-2 sm:mx-4" />
      ))}
      <DataTable
        id="events"
        label={t('title')}
        rows={rows}
        columns={columns}
        rowId={(row) => `${row.hostId}/${row.event.epoch}/${row.event.sequence}`}
        rowName={(row) => `${row.event.action} ${nameOf(row.event, taskName)}`}
        searchText={(row) => `${wordsOf(row, actionName)} ${nameOf(row.event, taskName)} ${detailOf(row.event, names)}`}
        searchLabel={t('search')}
        facets={facets}
        loading={pending}
        actions={
          <Checkbox checked={withExec} onChange={(next) => void setWithExec(next)}>
            {t('withExec')}
          </Checkbox>
        }
        card={(row) => (
          <div className="grid gap-1">
            <p className="flex items-center justify-between gap-2">
              <Action event={row.event} />
              <Ago at={row.event.at} className="text-ink-3 text-xs" />
            </p>
            <Subject row={row} />
            {row.event.attributes.container ? (
              <p className="truncate font-mono text-ink-3 text-xs">
                {names.get(row.event.attributes.container) ?? shortId(row.event.attributes.container)}
              </p>
            ) : null}
          </div>
        )}
        empty={<EmptyState icon={<CalendarClock aria-hidden />}>{t('empty')}</EmptyState>}
      />
    </>
  )
}

/** The past once, then what comes; each event once, newest first. */
function useEventRows(scope: string) {
  const queryClient = useQueryClient()
  const { hosts: all } = useHosts()
  const hosts = useMemo(() => all.filter((host) => host.state === 'online' && (scope === everyHost || host.id === scope)), [all, scope])
  const past = useQueries({
    queries: hosts.map((host) => ({
      queryKey: ['events-past', host.id],
      queryFn: () => agentClient(host.id).events.list.query({ limit: 1000 }),
      staleTime: 0,
    })),
  })
  const [live, setLive] = useState<Row[]>([])
  const ids = hosts.map((host) => host.id).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ids are what counts
  useEffect(() => {
    setLive([])
    const stops = hosts.map((host) =>
      openEventStream(
        host.id,
        {},
        {
          items: (events) =>
            setLive((before) => [...before, ...events.map((event) => ({ hostId: host.id, hostName: host.name, event }))].slice(-most)),
          reset: () => void queryClient.invalidateQueries({ queryKey: ['events-past', host.id] }),
        },
      ),
    )
    return () => {
      for (const stop of stops) stop()
    }
  }, [ids, queryClient])
  const answers = past.map((query) => query.data)
  const version = past.map((query) => query.dataUpdatedAt).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says that an answer is another
  const rows = useMemo(() => {
    const seen = new Set<string>()
    const merged: Row[] = []
    for (const row of [
      ...hosts.flatMap((host, index) => (answers[index]?.events ?? []).map((event) => ({ hostId: host.id, hostName: host.name, event }))),
      ...live,
    ]) {
      const key = `${row.hostId}/${row.event.epoch}/${row.event.sequence}`
      if (seen.has(key)) continue
      seen.add(key)
      merged.push(row)
    }
    return merged
      .sort((a, b) => (a.event.at < b.event.at ? 1 : a.event.at > b.event.at ? -1 : b.event.sequence - a.event.sequence))
      .slice(0, most)
  }, [live, hosts, version])
  return {
    rows,
    pending: past.some((query) => query.isPending),
    errors: past.flatMap((query, index) => (query.error ? [{ host: hosts[index]?.name ?? '', error: query.error }] : [])),
  }
}

/** What the filter looks into: an action is found by the engine's name of it, and by the person's. */
function wordsOf({ hostName, event }: Row, actionName: (action: string) => string): string {
  return [hostName, event.type, event.action, actionName(event.action), event.actorId, ...Object.values(event.attributes)].join(' ')
}

/** Commands inside containers, and looks at their processes: a health check makes three of these events every few seconds, an open page one now and then. */
function isExec(event: EngineEvent): boolean {
  return event.action.startsWith('exec_') || event.action === 'top'
}

const shortId = (id: string): string => id.replace('sha256:', '').slice(0, 12)

/** What an event is about, as people call it: a task by what it does. */
function nameOf(event: EngineEvent, taskName: (event: EngineEvent) => string): string {
  if (event.type === 'operation') return taskName(event)
  return event.attributes.name ?? shortId(event.actorId)
}

function useTaskName(): (event: EngineEvent) => string {
  const t = useTranslations('activity')
  return useCallback(
    ({ actorId, attributes: { kind, subject } }) => {
      if (!kind) return shortId(actorId)
      return `${t.has(`kind.${kind as 'pull'}`) ? t(`kind.${kind as 'pull'}`) : kind} ${familiarReference(subject ?? '')}`.trim()
    },
    [t],
  )
}

/** Names by id: events of networks and volumes say their container by its id alone. */
function useContainerNames(scope: string): ReadonlyMap<string, string> {
  const { rows } = useAcross(scope, 'containers')
  return useMemo(() => new Map(rows.map((row) => [row.item.id, row.item.name])), [rows])
}

/** Attributes without what the subject says already, in one line. */
function detailOf(event: EngineEvent, names: ReadonlyMap<string, string>): string {
  const said = event.type === 'operation' ? ['kind', 'subject'] : ['name']
  return Object.entries(event.attributes)
    .filter(([key]) => !said.includes(key))
    .map(([key, value]) => `${key}=${key === 'container' ? (names.get(value) ?? shortId(value)) : value}`)
    .join(' ')
}

const tones: Record<string, Tone> = {
  start: 'good',
  create: 'accent',
  die: 'warn',
  oom: 'bad',
  kill: 'warn',
  destroy: 'calm',
  delete: 'calm',
  pull: 'accent',
}

/** An action in the person's language; as the engine calls it where it has no other name. `health_status: healthy` is one with its outcome. */
function useActionName(): (action: string) => string {
  const t = useTranslations('events')
  return useCallback(
    (action) => {
      const [name = '', outcome] = action.split(': ')
      const said = t.has(`action.${name as 'start'}`) ? t(`action.${name as 'start'}`) : name
      if (outcome === undefined) return said
      return `${said}: ${t.has(`health.${outcome as 'healthy'}`) ? t(`health.${outcome as 'healthy'}`) : outcome}`
    },
    [t],
  )
}

function Action({ event }: { event: EngineEvent }) {
  const actionName = useActionName()
  const failed = event.action === 'die' && event.attributes.exitCode !== undefined && event.attributes.exitCode !== '0'
  return (
    <Badge tone={failed ? 'bad' : (tones[event.action] ?? 'calm')}>
      <span className="truncate" title={event.action}>
        {failed ? `${actionName(event.action)} (${event.attributes.exitCode})` : actionName(event.action)}
      </span>
    </Badge>
  )
}

const places: Partial<Record<EngineEvent['type'], string>> = {
  container: 'containers',
  image: 'images',
  volume: 'volumes',
  network: 'networks',
}

function Subject({ row }: { row: Row }) {
  const taskName = useTaskName()
  const show = useShowTask()
  const name = nameOf(row.event, taskName)
  const place = places[row.event.type]
  if (row.event.type === 'operation')
    return (
      <button
        type="button"
        data-row-link
        className="block max-w-full truncate text-left hover:text-accent hover:underline"
        onClick={() => show({ id: row.hostId, name: row.hostName }, row.event.actorId, name)}
      >
        {name}
      </button>
    )
  const gone = row.event.action === 'destroy' || row.event.action === 'delete'
  if (!place || gone) return <span className="block truncate">{name}</span>
  return (
    <RowLink
      data-row-link
      href={`/h/${row.hostId}/${place}/${encodeURIComponent(row.event.actorId)}`}
      className="block truncate hover:text-accent hover:underline"
    >
      {name}
    </RowLink>
  )
}
