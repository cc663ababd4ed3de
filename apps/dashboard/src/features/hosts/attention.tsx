'use client'
import type { ContainerSummary } from '@berth/contract/container'
import type { Operation } from '@berth/contract/operation'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { type Shape, StateLabel, StateMark, type Tone } from '../../ui/badge'
import { useShowTask } from '../../ui/dock'
import { Ago } from '../../ui/now'
import { Card, Rows } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { Skeleton } from '../../ui/skeleton'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { familiarReference } from '../../wire/familiar'
import { type Trouble, troubleOf } from './trouble'

const looks: Record<Trouble['kind'], { shape: Shape; tone: Tone }> = {
  unhealthy: { shape: 'alert', tone: 'bad' },
  looping: { shape: 'turning', tone: 'warn' },
  oom: { shape: 'cross', tone: 'bad' },
  error: { shape: 'cross', tone: 'bad' },
  failed: { shape: 'cross', tone: 'bad' },
}
const severity: readonly Trouble['kind'][] = ['unhealthy', 'looping', 'oom', 'error', 'failed']
const most = 8

/** Containers that need somebody's eyes, the worst first; and beside them what long tasks did lately. `scope`: one host or all. */
export function Attention({ scope, withHost }: { scope: string; withHost: boolean }) {
  const t = useTranslations('hosts')
  const containers = useAcross(scope, 'containers')
  // Of a host that does not answer nothing is claimed.
  const silent = containers.gaps.length > 0
  const troubled = useMemo(() => {
    const found = containers.rows.flatMap((row) => {
      const trouble = row.stale ? null : troubleOf(row.item)
      return trouble ? [{ row, trouble }] : []
    })
    return found.sort(
      (a, b) =>
        severity.indexOf(a.trouble.kind) - severity.indexOf(b.trouble.kind) ||
        (b.trouble.since ?? '').localeCompare(a.trouble.since ?? '') ||
        a.row.item.name.localeCompare(b.row.item.name),
    )
  }, [containers.rows])
  return (
    <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Card
        title={t('attention.title')}
        aside={
          troubled.length > 0 ? (
            <>
              <span className="tabular">{troubled.length}</span>
              <Link href={`/h/${scope}/containers?sort=state`} className="tap text-accent hover:underline">
                {t('attention.all')}
              </Link>
            </>
          ) : null
        }
        bodyClassName="p-0"
      >
        {containers.pending ? <Waiting /> : null}
        {!containers.pending && troubled.length === 0 ? (
          <p className="flex items-center gap-2 px-3.5 py-3 text-ink-2">
            {silent && scope !== everyHost ? (
              t('attention.away')
            ) : (
              <>
                <StateMark shape="full" tone="good" />
                {silent ? t('attention.noneAnswering') : containers.rows.length > 0 ? t('attention.none') : t('attention.noContainers')}
              </>
            )}
          </p>
        ) : null}
        <Rows>
          {troubled.slice(0, most).map(({ row, trouble }) => (
            <li
              key={`${row.hostId}/${row.item.id}`}
              className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 px-3.5 py-1.5 sm:grid-cols-[minmax(0,1.3fr)_minmax(0,1.2fr)_5.5rem_3.5rem]"
            >
              <span className="flex min-w-0 items-baseline gap-2">
                <Link
                  href={`/h/${row.hostId}/containers/${row.item.id}`}
                  className="tap truncate font-medium hover:text-accent hover:underline"
                >
                  {row.item.name}
                </Link>
                {withHost ? <span className="shrink-0 truncate text-ink-3 text-xs">{row.hostName}</span> : null}
              </span>
              <StateLabel {...looks[trouble.kind]} className="min-w-0 text-xs max-sm:order-3">
                <Sentence>{wordsOf(t, row.item, trouble)}</Sentence>
              </StateLabel>
              <Ago at={trouble.since} className="tabular text-ink-3 text-xs max-sm:hidden" />
              <Link
                href={`/h/${row.hostId}/containers/${row.item.id}?tab=logs`}
                className="tap justify-self-end text-accent text-xs hover:underline"
              >
                {t('attention.logs')}
              </Link>
            </li>
          ))}
        </Rows>
      </Card>
      <Tasks scope={scope} withHost={withHost} />
    </div>
  )
}

function wordsOf(t: ReturnType<typeof useTranslations<'hosts'>>, { state }: ContainerSummary, trouble: Trouble): string {
  switch (trouble.kind) {
    case 'unhealthy':
      return t('attention.unhealthy')
    case 'looping':
      return t('attention.looping', { count: state.restartCount })
    case 'oom':
      return t('attention.oom')
    case 'error':
      return state.error
    case 'failed':
      return t('attention.failed', { code: state.exitCode })
  }
}

const taskLooks: Record<Operation['state'], { shape: Shape; tone: Tone }> = {
  running: { shape: 'turning', tone: 'accent' },
  succeeded: { shape: 'full', tone: 'good' },
  failed: { shape: 'cross', tone: 'bad' },
  cancelled: { shape: 'dash', tone: 'calm' },
}

/** The newest long tasks. */
function Tasks({ scope, withHost }: { scope: string; withHost: boolean }) {
  const t = useTranslations('hosts')
  const ta = useTranslations('activity')
  const show = useShowTask()
  const { rows, pending, gaps } = useAcross(scope, 'operations')
  const newest = useMemo(() => rows.toSorted((a, b) => b.item.startedAt.localeCompare(a.item.startedAt)).slice(0, most), [rows])
  return (
    <Card
      title={t('attention.tasks')}
      aside={
        newest.length > 0 ? (
          <Link href={`/h/${scope}/activity`} className="tap text-accent hover:underline">
            {t('attention.all')}
          </Link>
        ) : null
      }
      bodyClassName="p-0"
    >
      {pending ? <Waiting /> : null}
      {!pending && newest.length === 0 ? (
        <p className="px-3.5 py-3 text-ink-3">{gaps.length > 0 ? t('attention.notKnown') : t('attention.noTasks')}</p>
      ) : null}
      <Rows>
        {newest.map((row: Placed<Operation>) => (
          <li key={`${row.hostId}/${row.item.id}`} className="relative flex min-w-0 items-center gap-2 px-3.5 py-1.5 hover:bg-hover">
            <StateMark {...taskLooks[row.item.state]} />
            <span className="sr-only">{ta(`state.${row.item.state}`)}</span>
            <button
              type="button"
              className="min-w-0 flex-1 truncate text-left outline-offset-[-2px] after:absolute after:inset-0"
              onClick={() =>
                show(
                  { id: row.hostId, name: row.hostName },
                  row.item.id,
                  `${ta(`kind.${row.item.kind}`)} ${familiarReference(row.item.subject)}`,
                )
              }
            >
              {ta(`kind.${row.item.kind}`)} <span className="font-mono text-ink-2 text-xs">{familiarReference(row.item.subject)}</span>
            </button>
            {withHost ? <span className="max-w-36 shrink-0 truncate text-ink-3 text-xs max-sm:hidden">{row.hostName}</span> : null}
            <Ago at={row.item.startedAt} className="tabular shrink-0 text-ink-3 text-xs" />
          </li>
        ))}
      </Rows>
    </Card>
  )
}

function Waiting() {
  return (
    <div className="grid gap-2.5 p-3.5">
      <Skeleton className="h-4 w-3/4" />
      <Skeleton className="h-4 w-2/3" />
      <Skeleton className="h-4 w-1/2" />
    </div>
  )
}
