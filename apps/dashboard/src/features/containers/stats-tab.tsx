'use client'
import type { StatsPoint, StatsSample } from '@berth/contract/stats'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useMemo, useRef, useState } from 'react'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { LiveChart } from '../../ui/live-chart'
import { Card } from '../../ui/section'
import { Select } from '../../ui/select'
import { useAgent } from '../../wire/agent'
import { useStats } from '../../wire/hooks'
import type { TabInput } from './container-tab'
import { StatsDetails } from './stats-details'

const windows = [300, 900, 3600] as const

/** The last hour and what comes, once a second. */
export function StatsTab({ hostId, detail, running }: TabInput) {
  const t = useTranslations('containers')
  const format = useFormat()
  const [span, setSpan] = useState<string>('300')
  const history = useQuery(useAgent(hostId).containers.statsHistory.queryOptions({ container: detail.id }, { staleTime: 0, gcTime: 0 }))
  const { points, failure, sample } = useLivePoints(hostId, detail.id, running, history.data)
  const shown = useMemo(() => {
    const end = points.at(-1)?.at ?? 0
    return points.filter((point) => point.at >= end - Number(span) * 1000)
  }, [points, span])
  const times = useMemo(() => shown.map((point) => point.at / 1000), [shown])
  if (failure || history.error) return <ErrorPanel error={failure ?? history.error} />
  if (!running && points.length === 0) return <EmptyState>{t('stats.empty')}</EmptyState>
  const column = (pick: (point: StatsPoint) => number | null) => shown.map(pick)
  const chart = { times, windowSeconds: Number(span) }
  return (
    <div className="grid gap-3">
      <div className="flex items-center justify-between gap-3">
        <p className="text-ink-3 text-xs">{running ? t('stats.live') : t('stats.past')}</p>
        <Select
          value={span}
          onChange={setSpan}
          label={t('stats.span')}
          className="w-36"
          choices={windows.map((seconds) => ({ value: `${seconds}`, label: t('stats.last', { duration: format.duration(seconds) }) }))}
        />
      </div>
      <div className="grid gap-3 lg:grid-cols-2">
        <Card title={t('stats.cpu')}>
          <LiveChart
            {...chart}
            label={t('stats.cpu')}
            format={format.percent}
            minTop={5}
            series={[
              { label: t('stats.used'), color: '--series-1', values: column((point) => point.cpuPercent) },
              { label: t('stats.throttled'), color: '--series-5', values: column((point) => point.throttledPercent) },
            ]}
          />
        </Card>
        <Card title={t('stats.memory')}>
          <LiveChart
            {...chart}
            label={t('stats.memory')}
            format={format.bytes}
            binary
            series={[
              { label: t('stats.used'), color: '--series-2', values: column((point) => point.memoryBytes) },
              ...(shown.some((point) => point.memoryLimitBytes !== null)
                ? [{ label: t('stats.limit'), color: '--series-5', limit: true, values: column((point) => point.memoryLimitBytes) }]
                : []),
            ]}
          />
        </Card>
        <Card title={t('stats.network')}>
          <LiveChart
            {...chart}
            label={t('stats.network')}
            format={format.rate}
            binary
            minTop={1024}
            series={[
              { label: t('stats.received'), color: '--series-1', values: column((point) => point.rxBps) },
              { label: t('stats.sent'), color: '--series-3', values: column((point) => point.txBps) },
            ]}
          />
        </Card>
        <Card title={t('stats.disk')}>
          <LiveChart
            {...chart}
            label={t('stats.disk')}
            format={format.rate}
            binary
            minTop={1024}
            series={[
              { label: t('stats.read'), color: '--series-4', values: column((point) => point.readBps) },
              { label: t('stats.written'), color: '--series-2', values: column((point) => point.writeBps) },
            ]}
          />
        </Card>
        <Card title={t('stats.pids')}>
          <LiveChart
            {...chart}
            label={t('stats.pids')}
            format={format.number}
            minTop={4}
            series={[{ label: t('stats.pids'), color: '--series-6', values: column((point) => point.pids) }]}
          />
        </Card>
        <StatsDetails sample={running ? sample : null} />
      </div>
    </div>
  )
}

/** History first, then each new point once; an hour at most. */
function useLivePoints(hostId: string, id: string, running: boolean, history: readonly StatsPoint[] | undefined) {
  const live = useRef<StatsPoint[]>([])
  const newest = useRef<StatsSample | null>(null)
  const [version, setVersion] = useState(0)
  const { failure } = useStats(running ? hostId : null, running ? { containers: [id], full: true } : null, ({ containers }) => {
    const found = containers.find((one) => one.id === id)
    if (!found) return
    live.current = [...live.current.slice(-3599), found.point]
    if (found.sample) newest.current = found.sample
    setVersion((before) => before + 1)
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says that live has grown
  const points = useMemo(() => {
    const last = history?.at(-1)?.at ?? 0
    return [...(history ?? []), ...live.current.filter((point) => point.at > last)].slice(-3600)
  }, [history, version])
  return { points, failure, sample: newest.current }
}
