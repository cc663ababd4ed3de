'use client'
import type { HostPoint } from '@berth/contract/stats'
import { useQuery } from '@tanstack/react-query'
import { SquareTerminal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { parseAsStringLiteral, useQueryState } from 'nuqs'
import { type ReactNode, useMemo } from 'react'
import { useSentenceText } from '../../i18n/use-sentences'
import { Badge, StateLabel } from '../../ui/badge'
import { Button } from '../../ui/button'
import { useDock } from '../../ui/dock'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { LiveChart } from '../../ui/live-chart'
import { Ago } from '../../ui/now'
import { PageHead, useTabTitle } from '../../ui/page'
import { Card, Fact, Facts } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { SkeletonPage } from '../../ui/skeleton'
import { Tabs } from '../../ui/tabs'
import { everyHost, useAcross } from '../../wire/across'
import { useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { type HostView, useHosts } from '../../wire/hosts'
import { Attention } from './attention'
import { DiskTab } from './disk-tab'
import { KnownCounts, LiveCounts } from './host-counts'
import { HostMenu } from './host-menu'
import { hostProblems, systemName } from './host-problems'
import { useHostPoints } from './use-host-points'

const tabNames = ['overview', 'disk', 'events', 'engine'] as const

/** One machine: live charts, disk, events, engine. `events` is drawn by another feature. */
export function HostPage({ hostId, events }: { hostId: string; events: ReactNode }) {
  const t = useTranslations('hosts')
  const said = useSentenceText()
  const router = useRouter()
  const { hosts, pending, error, retry } = useHosts()
  const host = hosts.find((one) => one.id === hostId)
  const [tab, setTab] = useQueryState('tab', parseAsStringLiteral(tabNames).withDefault('overview'))
  useTabTitle(host?.name)
  if (error) return <ErrorPanel error={error} onRetry={retry} className="m-4" />
  // One that is not there is refused by KnownHost, around every page of a host.
  if (!host) return pending ? <SkeletonPage /> : null
  return (
    <>
      <PageHead
        title={host.name}
        lead={<StateLine host={host} />}
        actions={
          <>
            <ConsoleButton host={host} />
            <HostMenu host={host} onRemoved={() => router.push('/hosts')} />
          </>
        }
      />
      {host.state === 'online' ? null : (
        <Notice tone="warn" className="mx-3 mb-2 sm:mx-4">
          {host.state === 'revoked' ? t('revokedHelp') : t('awayHelp', { message: said(host.message) || '–' })}
        </Notice>
      )}
      <Tabs
        value={tab}
        onChange={(next) => void setTab(next as (typeof tabNames)[number])}
        label={host.name}
        className="flex-1"
        contentClassName="flex flex-col overflow-hidden data-[state=inactive]:hidden"
        tabs={[
          {
            value: 'overview',
            label: t('tab.overview'),
            content: (
              <Scroll>
                <Overview host={host} />
              </Scroll>
            ),
          },
          {
            value: 'disk',
            label: t('tab.disk'),
            content: (
              <Scroll>
                <DiskTab hostId={hostId} />
              </Scroll>
            ),
          },
          { value: 'events', label: t('tab.events'), content: events },
          {
            value: 'engine',
            label: t('tab.engine'),
            content: (
              <Scroll>
                <Engine host={host} />
              </Scroll>
            ),
          },
        ]}
      />
    </>
  )
}

function Scroll({ children }: { children: ReactNode }) {
  return <div className="min-h-0 flex-1 overflow-auto p-3 pb-8 sm:p-4">{children}</div>
}

function StateLine({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const online = host.state === 'online'
  return (
    <StateLabel
      shape={online ? 'full' : host.state === 'away' ? 'ring' : 'cross'}
      tone={online ? 'good' : host.state === 'away' ? 'warn' : 'bad'}
      wrap
    >
      {t(`state.${host.state}`)}
      {online ? (
        ''
      ) : (
        <>
          {' '}
          · {t('lastSeen')} <Ago at={host.lastSeenAt} />
        </>
      )}
      {host.system ? ` · ${systemName(host.system)}` : ''}
      {host.system ? <span className="max-sm:hidden">, {host.system.kernel}</span> : null}
    </StateLabel>
  )
}

/** A shell on the machine itself, where the host allows it. */
function ConsoleButton({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const allow = useAllow(host.id)
  const dock = useDock()
  const forbidden = host.system?.policy.noHostConsole ? t('console.forbidden') : null
  return (
    <Button
      disabledReason={allow('host-console') ?? forbidden}
      onClick={() => {
        const session = `console-${Date.now().toString(36)}`
        dock.open({
          id: `terminal-${session}`,
          kind: 'terminal',
          title: host.name,
          place: t('console.place'),
          params: { hostId: host.id, name: host.name, hostConsole: session },
        })
      }}
    >
      <SquareTerminal aria-hidden />
      {t('console.open')}
    </Button>
  )
}

function Overview({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const format = useFormat()
  const history = useQuery(
    useAgent(host.id).system.history.queryOptions(undefined, { staleTime: 0, gcTime: 0, enabled: host.state === 'online' }),
  )
  const live = useHostPoints(host.state === 'online' ? host.id : null, 900)
  const points = useMemo(() => {
    const last = history.data?.at(-1)?.at ?? 0
    const known = [...(history.data ?? []), ...live.filter((point) => point.at > last)]
    // Of a host that is away: what was heard last.
    return known.length === 0 && host.point ? [host.point] : known
  }, [history.data, live, host.point])
  const times = useMemo(() => points.map((point) => point.at / 1000), [points])
  const column = (pick: (point: HostPoint) => number) => points.map(pick)
  const { rows } = useAcross(everyHost, 'containers')
  const problems = useMemo(
    () =>
      hostProblems(
        host,
        rows.filter((row) => row.hostId === host.id).map((row) => row.item),
        t,
        // The note above the tabs has said that it is away, and why.
      ).filter((problem) => problem.key !== 'away' && problem.key !== 'revoked'),
    [host, rows, t],
  )
  const chart = { times, windowSeconds: 3600, stale: host.state !== 'online' }
  return (
    <div className="grid gap-3">
      {problems.length > 0 ? (
        <div className="flex flex-wrap gap-1.5">
          {problems.map((problem) => (
            <Badge key={problem.key} tone={problem.tone} className="whitespace-normal">
              <Sentence>{problem.words}</Sentence>
            </Badge>
          ))}
        </div>
      ) : null}
      {host.state === 'online' ? <LiveCounts host={host} /> : <KnownCounts host={host} />}
      {host.state !== 'online' && points.length < 2 ? (
        <LastReading point={points[0]} />
      ) : (
        <div className="grid gap-3 lg:grid-cols-2">
          <Card title={t('chart.cpu')}>
            <LiveChart
              {...chart}
              label={t('chart.cpu')}
              format={format.percent}
              minTop={20}
              series={[{ label: t('cpu'), color: '--series-1', values: column((point) => point.cpuPercent) }]}
            />
          </Card>
          <Card title={t('memory')}>
            <LiveChart
              {...chart}
              label={t('memory')}
              format={format.bytes}
              binary
              series={[
                { label: t('chart.used'), color: '--series-2', values: column((point) => point.memoryUsedBytes) },
                { label: t('chart.total'), color: '--series-6', limit: true, values: column((point) => point.memoryTotalBytes) },
              ]}
            />
          </Card>
          <Card title={t('chart.network')}>
            <LiveChart
              {...chart}
              label={t('chart.network')}
              format={format.rate}
              binary
              minTop={1024}
              series={[
                { label: t('chart.received'), color: '--series-1', values: column((point) => point.rxBps) },
                { label: t('chart.sent'), color: '--series-3', values: column((point) => point.txBps) },
              ]}
            />
          </Card>
          <Card title={t('chart.load')}>
            <LiveChart
              {...chart}
              label={t('chart.load')}
              format={format.number}
              minTop={1}
              series={[{ label: t('chart.load1'), color: '--series-4', values: column((point) => point.load1) }]}
            />
          </Card>
        </div>
      )}
      <Attention scope={host.id} withHost={false} />
    </div>
  )
}

/** Of a host that is away: four empty charts would say less than its last numbers do. */
function LastReading({ point }: { point: HostPoint | undefined }) {
  const t = useTranslations('hosts')
  const format = useFormat()
  return (
    <Card title={t('lastReading')} aside={point ? <Ago at={point.at} /> : null}>
      {point ? (
        <Facts className="text-ink-3 sm:grid-cols-[auto_minmax(0,1fr)_auto_minmax(0,1fr)]">
          <Fact name={t('cpu')}>{format.percent(point.cpuPercent)}</Fact>
          <Fact name={t('memory')}>{`${format.bytes(point.memoryUsedBytes)} / ${format.bytes(point.memoryTotalBytes)}`}</Fact>
          <Fact name={t('chart.load')}>{format.number(point.load1)}</Fact>
          <Fact name={t('diskSpace')}>{`${format.bytes(point.diskUsedBytes)} / ${format.bytes(point.diskTotalBytes)}`}</Fact>
        </Facts>
      ) : (
        <p className="text-ink-3">{t('noneKnown')}</p>
      )}
    </Card>
  )
}

/** What the engine is and how it is set up. */
function Engine({ host }: { host: HostView }) {
  const t = useTranslations('hosts')
  const said = useSentenceText()
  const format = useFormat()
  const info = useQuery(useAgent(host.id).system.info.queryOptions(undefined, { enabled: host.state === 'online' }))
  const system = info.data ?? host.system
  if (!system) return <Notice>{t('neverSeen')}</Notice>
  const flag = (value: boolean) => (value ? t('yes') : t('no'))
  return (
    <div className="grid items-start gap-3 lg:grid-cols-2">
      <Card title={t('engine.machine')}>
        <Facts>
          <Fact name={t('engine.hostname')} mono>
            {system.hostname}
          </Fact>
          <Fact name={t('engine.os')}>{systemName(system)}</Fact>
          <Fact name={t('engine.kernel')} mono>
            {system.kernel}
          </Fact>
          <Fact name={t('engine.architecture')} mono>
            {system.architecture}
          </Fact>
          <Fact name={t('cpu')}>{system.cpus}</Fact>
          <Fact name={t('memory')}>{format.bytes(system.memoryBytes)}</Fact>
          <Fact name={t('engine.booted')}>
            <Ago at={system.bootedAt} />
          </Fact>
          <Fact name={t('engine.address')} mono>{`${host.address}:${host.port}`}</Fact>
          <Fact name={t('engine.joined')}>{format.dateTime(host.joinedAt)}</Fact>
          <Fact name={t('engine.certificate')}>{format.dateTime(host.certificateEnd)}</Fact>
        </Facts>
      </Card>
      <Card title={t('engine.engine')}>
        <Facts>
          <Fact name={t('engine.agent')} mono>
            {system.agentVersion}
          </Fact>
          <Fact name={t('engine.runtime')} mono>{`${system.runtime.name} ${system.runtime.version}`}</Fact>
          <Fact name={t('engine.started')}>
            <Ago at={system.startedAt} />
          </Fact>
          <Fact name={t('engine.dataRoot')} mono>
            {system.dataRoot}
          </Fact>
          <Fact name={t('engine.storage')} mono>{`${system.storageDriver} · ${system.backingFilesystem}`}</Fact>
          <Fact name="cgroup" mono>{`v${system.cgroupVersion} · ${system.controllers.join(' ')}`}</Fact>
          <Fact name={t('engine.security')} mono>
            {system.securityOptions.join(', ') || '–'}
          </Fact>
          <Fact name={t('engine.mirrors')} mono>
            {system.registryMirrors.join(', ') || '–'}
          </Fact>
          <Fact name={t('engine.insecure')} mono>
            {system.insecureRegistries.join(', ') || '–'}
          </Fact>
          <Fact name={t('engine.features')} mono>
            {system.features.join(' ')}
          </Fact>
        </Facts>
      </Card>
      {system.warnings.length > 0 ? (
        <Card title={t('engine.warnings')} className="lg:col-span-2">
          <ul className="grid gap-1 text-ink-2">
            {system.warnings.map((warning) => (
              <li key={warning}>{said(warning).replace(/^WARNING: /, '')}</li>
            ))}
          </ul>
        </Card>
      ) : null}
      <Card title={t('engine.policy')} className="lg:col-span-2">
        <p className="mb-2 text-ink-3 text-xs">{t('engine.policyHelp')}</p>
        <Facts>
          <Fact name={t('engine.readOnly')}>{flag(system.policy.readOnly)}</Fact>
          <Fact name={t('engine.noExec')}>{flag(!system.policy.noExec)}</Fact>
          <Fact name={t('engine.console')}>{flag(!system.policy.noHostConsole)}</Fact>
          <Fact name={t('engine.privileged')}>{flag(!system.policy.noPrivileged)}</Fact>
          <Fact name={t('engine.bindSources')} mono>
            {system.policy.bindSources === null ? t('engine.anyPath') : system.policy.bindSources.join(', ') || t('no')}
          </Fact>
        </Facts>
      </Card>
    </div>
  )
}
