'use client'
import { useQuery } from '@tanstack/react-query'
import { Plus, Server } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { Badge, StateMark } from '../../ui/badge'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Meter } from '../../ui/meter'
import { Ago } from '../../ui/now'
import { PageBody, PageHead } from '../../ui/page'
import { Sentence } from '../../ui/sentence'
import { Skeleton } from '../../ui/skeleton'
import { Sparkline } from '../../ui/sparkline'
import { everyHost, useAcross } from '../../wire/across'
import { useDashboard } from '../../wire/dashboard'
import { type HostView, useHosts } from '../../wire/hosts'
import { Attention } from './attention'
import { HostMenu } from './host-menu'
import { hostProblems, systemName } from './host-problems'
import { useHostPoints } from './use-host-points'

/** Every host at a glance: does it live, how full is it, what is wrong there. */
export function HostList() {
  const t = useTranslations('hosts')
  const router = useRouter()
  const { hosts, pending, error, retry } = useHosts()
  const me = useQuery(useDashboard().me.get.queryOptions())
  const add = (
    <Button
      tone="primary"
      disabledReason={me.data && !me.data.administrator ? t('administratorsOnly') : null}
      onClick={() => router.push('/hosts/add')}
    >
      <Plus aria-hidden />
      {t('add')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('title')} lead={hosts.length > 0 ? <Totals hosts={hosts} /> : null} actions={add} />
      <PageBody>
        {error ? <ErrorPanel error={error} onRetry={retry} className="mb-3" /> : null}
        {pending ? (
          <div className="grid gap-3 md:grid-cols-2 xl:grid-cols-3" aria-hidden>
            <Skeleton className="h-36 rounded-lg" />
            <Skeleton className="h-36 rounded-lg" />
          </div>
        ) : null}
        {!pending && !error && hosts.length === 0 ? (
          <EmptyState icon={<Server aria-hidden />} action={add}>
            {t('empty')}
          </EmptyState>
        ) : null}
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-3 md:grid-cols-2 xl:grid-cols-3">
          {hosts.map((host) => (
            <HostCard key={host.id} host={host} />
          ))}
        </ul>
        {hosts.length > 0 ? (
          <div className="mt-3">
            <Attention scope={everyHost} withHost={hosts.length > 1} />
          </div>
        ) : null}
      </PageBody>
    </>
  )
}

function Totals({ hosts }: { hosts: readonly HostView[] }) {
  const t = useTranslations('hosts')
  const { rows } = useAcross(everyHost, 'containers')
  const running = rows.filter((row) => row.item.state.status === 'running').length
  const away = hosts.filter((host) => host.state !== 'online').length
  return (
    <>
      {t('totals', { hosts: hosts.length, running })}
      {away > 0 ? <span className="whitespace-nowrap font-medium text-warn"> · {t('awayCount', { count: away })}</span> : null}
    </>
  )
}

function HostCard({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const online = host.state === 'online'
  const stale = !online
  const { rows, pending, gaps } = useAcross(everyHost, 'containers')
  const neverRead = gaps.some((gap) => gap.id === host.id && gap.asOf === null)
  const containers = useMemo(() => rows.filter((row) => row.hostId === host.id).map((row) => row.item), [rows, host.id])
  const problems = useMemo(() => hostProblems(host, containers, t), [host, containers, t])
  const running = containers.filter((container) => container.state.status === 'running').length
  const { system } = host
  return (
    <li
      className={cn(
        '@container relative grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-3 rounded-lg border bg-surface p-3.5 transition-colors duration-(--quick) outline-offset-1 hover:border-line-strong has-[h2>a:focus-visible]:outline-2 has-[h2>a:focus-visible]:outline-focus',
        stale && 'bg-sunken',
      )}
    >
      <div>
        <div className="flex items-center justify-between gap-3">
          <h2 className="flex min-w-0 items-center gap-2">
            <StateMark
              shape={online ? 'full' : host.state === 'away' ? 'ring' : 'cross'}
              tone={online ? 'good' : host.state === 'away' ? 'warn' : 'bad'}
            />
            <Link href={`/h/${host.id}`} className="truncate font-semibold text-base outline-none after:absolute after:inset-0">
              {host.name}
            </Link>
          </h2>
          <span className="flex shrink-0 items-center gap-1.5 text-ink-3 text-xs">
            {t(`state.${host.state}`)}
            {/* Above the link that covers the card. */}
            <HostMenu host={host} className="relative z-10 -my-1 pointer-coarse:-my-3 -mr-1.5" />
          </span>
        </div>
        <p className="text-pretty text-ink-3 text-xs [overflow-wrap:anywhere]">
          {host.state === 'away' ? (
            <span className="font-medium text-ink-2">
              {t('lastSeen')} <Ago at={host.lastSeenAt} />
              {' · '}
            </span>
          ) : null}
          {system
            ? `${systemName(system)} · ${system.architecture} · ${t('cpus', { count: system.cpus })} · ${t('version', { version: system.agentVersion })}`
            : host.address}
        </p>
      </div>
      <Numbers host={host} />
      <div className="flex flex-wrap items-center justify-between gap-2 text-xs">
        {neverRead ? null : pending ? (
          <span />
        ) : (
          <span className={cn('tabular', stale ? 'text-ink-off' : 'text-ink-2')}>
            {containers.length === 0
              ? t('noContainers')
              : `${t('running', { count: running })} · ${t('stopped', { count: containers.length - running })}`}
          </span>
        )}
        {problems.length > 0 ? (
          <span className="flex min-w-0 max-w-full flex-wrap gap-1">
            {problems.slice(0, 2).map((problem) => (
              <Badge key={problem.key} tone={problem.tone} className="whitespace-normal text-pretty">
                <Sentence>{problem.words}</Sentence>
              </Badge>
            ))}
            {problems.length > 2 ? <Badge>+{problems.length - 2}</Badge> : null}
          </span>
        ) : null}
      </div>
    </li>
  )
}

/** The machine's own numbers; those of a host that is away stay, in grey. */
function Numbers({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const format = useFormat()
  const stale = host.state !== 'online'
  const points = useHostPoints(stale ? null : host.id)
  const point = points.at(-1) ?? host.point
  // As high as the numbers will be, so that nothing jumps when they come.
  if (!point) return <p className="h-11 text-ink-3 text-xs">{stale ? t('noneKnown') : t('noNumbers')}</p>
  return (
    <div className={cn('grid grid-cols-2 gap-x-4 gap-y-2 @[25rem]:grid-cols-3', stale && 'text-ink-off grayscale')}>
      <div className="grid min-w-0 gap-0.5 @max-[25rem]:col-span-2">
        <span className="eyebrow">{t('cpu')}</span>
        <span className="tabular flex items-baseline gap-1.5 text-xs">
          {format.percent(point.cpuPercent)}
          {stale ? <Ago at={point.at} className="truncate text-2xs" /> : null}
        </span>
        <Sparkline values={points.map((one) => one.cpuPercent)} top={100} className="h-4 w-full" />
      </div>
      <div className="grid min-w-0 content-start gap-0.5">
        <span className="eyebrow">{t('memory')}</span>
        <Meter
          stale={stale}
          value={point.memoryUsedBytes}
          max={point.memoryTotalBytes}
          label={t('memory')}
          text={`${format.bytes(point.memoryUsedBytes)} / ${format.bytes(point.memoryTotalBytes)}`}
        />
      </div>
      <div className="grid min-w-0 content-start gap-0.5">
        <span className="eyebrow">{t('diskSpace')}</span>
        <Meter
          stale={stale}
          value={point.diskUsedBytes}
          max={point.diskTotalBytes}
          label={t('diskSpace')}
          text={`${format.bytes(point.diskUsedBytes)} / ${format.bytes(point.diskTotalBytes)}`}
        />
      </div>
    </div>
  )
}
