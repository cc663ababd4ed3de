'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { cn } from '../../ui/class-names'
import { useAcross } from '../../wire/across'
import { useAgent } from '../../wire/agent'
import type { HostView } from '../../wire/hosts'

const nouns = ['containers', 'images', 'volumes', 'networks'] as const

/** How much a host has of everything, live. */
export function LiveCounts({ host }: { host: HostView }) {
  const info = useQuery(useAgent(host.id).system.info.queryOptions())
  const counts = (info.data ?? host.system)?.counts
  return counts ? <Counts host={host} counts={counts} running={counts.running} /> : null
}

/** Of a host that is away: as many as the lists show, which are as old as they say; what was never read has no number. */
export function KnownCounts({ host }: { host: HostView }) {
  const containers = useAcross(host.id, 'containers')
  const lists = {
    containers,
    images: useAcross(host.id, 'images'),
    volumes: useAcross(host.id, 'volumes'),
    networks: useAcross(host.id, 'networks'),
  }
  const known = (noun: (typeof nouns)[number]) =>
    lists[noun].gaps.every((gap) => gap.asOf) && !lists[noun].pending ? lists[noun].rows.length : null
  const counts = Object.fromEntries(nouns.map((noun) => [noun, known(noun)])) as Record<(typeof nouns)[number], number | null>
  return <Counts host={host} counts={counts} running={null} />
}

function Counts({
  host,
  counts,
  running,
}: {
  host: HostView
  counts: Record<(typeof nouns)[number], number | null>
  /** Null: not known now. */
  running: number | null
}) {
  const t = useTranslations('hosts')
  return (
    <ul className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:grid-cols-4">
      {nouns.map((noun) => (
        <li key={noun} className="bg-surface">
          <Link href={`/h/${host.id}/${noun}`} className="grid gap-0.5 px-3.5 py-2.5 outline-offset-[-2px] hover:bg-hover">
            <span className="eyebrow">{t(`noun.${noun}`)}</span>
            <span className="flex items-baseline gap-2">
              <span className={cn('tabular font-semibold text-xl', host.state !== 'online' && 'text-ink-3')}>{counts[noun] ?? '–'}</span>
              {noun === 'containers' && running !== null ? (
                <span className="text-ink-3 text-xs">{t('running', { count: running })}</span>
              ) : null}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
