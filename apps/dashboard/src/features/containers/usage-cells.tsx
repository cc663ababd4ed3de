'use client'
import { useTranslations } from 'next-intl'
import { useFormat } from '../../ui/format'
import { Meter } from '../../ui/meter'
import { Sparkline } from '../../ui/sparkline'
import { useUsage } from './usage-store'

interface UsageOf {
  hostId: string
  id: string
  running: boolean
}

/** CPU now and in the last minute; a dash for what does not run. */
export function CpuCell({ hostId, id, running }: UsageOf) {
  const format = useFormat()
  const points = useUsage(hostId, id, running)
  const newest = points.at(-1)
  if (!newest) return <span className="text-ink-off">–</span>
  return (
    <span className="relative flex h-7 items-center justify-end">
      <Sparkline ground values={points.map((point) => point.cpuPercent)} top={5} className="absolute inset-0 h-full w-full" />
      <span className="tabular relative whitespace-nowrap text-xs">{format.percent(newest.cpuPercent)}</span>
    </span>
  )
}

/** Memory now, with its share of the limit where there is one. */
export function MemoryCell({ hostId, id, running }: UsageOf) {
  const format = useFormat()
  const t = useTranslations('containers')
  const newest = useUsage(hostId, id, running).at(-1)
  if (!newest) return <span className="text-ink-off">–</span>
  if (newest.memoryLimitBytes === null) return <span className="tabular text-ink-2 text-xs">{format.bytes(newest.memoryBytes)}</span>
  return (
    <Meter
      value={newest.memoryBytes}
      max={newest.memoryLimitBytes}
      label={t('memory')}
      text={`${format.bytes(newest.memoryBytes)} / ${format.bytes(newest.memoryLimitBytes)}`}
    />
  )
}
