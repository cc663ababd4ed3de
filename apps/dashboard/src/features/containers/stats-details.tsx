'use client'
import type { StatsSample } from '@berth/contract/stats'
import { useTranslations } from 'next-intl'
import { useFormat } from '../../ui/format'
import { Meter } from '../../ui/meter'
import { Card, Fact, Facts } from '../../ui/section'
import { type MemoryPart, memoryParts } from './memory-parts'

/** What a chart cannot say: what the memory is made of, how often a limit was met, and how long processes wait (pressure stall information). */
export function StatsDetails({ sample }: { sample: StatsSample | null }) {
  const t = useTranslations('containers')
  const format = useFormat()
  if (!sample)
    return (
      <Card title={t('stats.parts')}>
        <p className="text-ink-3">{t('stats.notLive')}</p>
      </Card>
    )
  const { memory, cpu, pressure } = sample
  const parts = memoryParts(memory)
  const all = Math.max(memory.usageBytes, parts.anon + parts.file + parts.shmem + parts.kernel, 1)
  return (
    <Card title={t('stats.parts')}>
      <ul className="grid gap-2">
        {(Object.keys(parts) as MemoryPart[])
          .filter((part) => part !== 'swap' || parts.swap > 0)
          .map((part) => (
            <li key={part} className="grid grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)_5rem] items-center gap-3 text-xs">
              <span className="text-ink-2">{t(`stats.part.${part}`)}</span>
              <Meter calm value={parts[part]} max={all} label={t(`stats.part.${part}`)} />
              <span className="tabular text-right">{format.bytes(parts[part])}</span>
            </li>
          ))}
      </ul>
      <Facts className="mt-3 border-t pt-3">
        {memory.maxUsageBytes === null ? null : <Fact name={t('stats.most')}>{format.bytes(memory.maxUsageBytes)}</Fact>}
        <Fact name={t('stats.failures')}>
          <span className={memory.failures > 0 ? 'font-medium text-warn' : undefined}>{format.number(memory.failures)}</span>
        </Fact>
        {cpu.periods > 0 ? (
          <Fact name={t('stats.heldBack')}>
            {t('stats.heldBackOf', {
              part: format.number(cpu.throttledPeriods),
              all: format.number(cpu.periods),
              duration: format.duration(cpu.throttledNs / 1e9),
            })}
          </Fact>
        ) : null}
      </Facts>
      <h3 className="eyebrow mt-3 border-t pt-3 pb-1">{t('stats.pressure')}</h3>
      {pressure ? (
        <Facts>
          {(['cpu', 'memory', 'io'] as const).map((what) => (
            <Fact key={what} name={t(`stats.wait.${what}`)}>
              {t('stats.someFull', { some: format.percent(pressure[what].some10), full: format.percent(pressure[what].full10) })}
            </Fact>
          ))}
        </Facts>
      ) : (
        <p className="text-ink-3 text-xs">{t('stats.noPressure')}</p>
      )}
    </Card>
  )
}
