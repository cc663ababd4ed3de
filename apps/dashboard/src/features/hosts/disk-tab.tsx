'use client'
import type { DiskUsage } from '@berth/contract/system'
import { useQuery } from '@tanstack/react-query'
import { Eraser } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Meter } from '../../ui/meter'
import { Card } from '../../ui/section'
import { SkeletonRows } from '../../ui/skeleton'
import { useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { CleanUp } from './clean-up'

interface Entry {
  key: string
  name: string
  href: string | null
  detail: string
  sizeBytes: number
}

/** Where the disk went: images, containers, volumes, build cache, the greatest first. */
export function DiskTab({ hostId }: { hostId: string }) {
  const t = useTranslations('hosts')
  const format = useFormat()
  const allow = useAllow(hostId)
  const usage = useQuery(useAgent(hostId).system.diskUsage.queryOptions(undefined, { staleTime: 0 }))
  const [cleaning, setCleaning] = useState(false)
  if (usage.error) return <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} />
  if (!usage.data) return <SkeletonRows />
  const { data } = usage
  const groups = groupsOf(data, hostId, t)
  return (
    <div className="grid gap-3">
      <Card
        title={t('disk.filesystem')}
        aside={
          <Button size="small" disabledReason={allow('create')} onClick={() => setCleaning(true)}>
            <Eraser aria-hidden />
            {t('clean.menu')}
          </Button>
        }
      >
        <Meter
          value={data.total.usedBytes}
          max={data.total.totalBytes}
          label={t('disk.filesystem')}
          text={t('disk.used', { used: format.bytes(data.total.usedBytes), total: format.bytes(data.total.totalBytes) })}
        />
        <dl className="mt-3 grid grid-cols-2 gap-3 sm:grid-cols-5">
          {groups.map((group) => (
            <div key={group.key}>
              <dt className="eyebrow">{group.title}</dt>
              <dd className="tabular font-semibold text-lg">{format.bytes(group.totalBytes)}</dd>
            </div>
          ))}
          <div>
            <dt className="eyebrow">{t('disk.blobs')}</dt>
            <dd className="tabular font-semibold text-lg">{format.bytes(data.blobsBytes)}</dd>
          </div>
        </dl>
      </Card>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        {groups.map((group) => (
          <Card key={group.key} title={group.title} aside={group.entries.length} bodyClassName="p-0">
            {group.entries.length === 0 ? <p className="p-3.5 text-ink-3">{t('disk.none')}</p> : null}
            <ul className="max-h-96 divide-y divide-line overflow-y-auto">
              {group.entries
                .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
                .slice(0, 200)
                .map((entry) => (
                  <li key={entry.key} className="grid grid-cols-[minmax(0,1fr)_5.5rem] items-center gap-3 px-3.5 py-1.5">
                    <span className="min-w-0">
                      {entry.href ? (
                        <Link href={entry.href} className="block truncate text-sm hover:text-accent hover:underline">
                          {entry.name}
                        </Link>
                      ) : (
                        <span className="block truncate text-sm">{entry.name}</span>
                      )}
                      <span className="block truncate text-ink-3 text-xs">{entry.detail}</span>
                    </span>
                    <span className="tabular text-right text-xs">{format.bytes(entry.sizeBytes)}</span>
                  </li>
                ))}
            </ul>
          </Card>
        ))}
      </div>
      {cleaning ? <CleanUp hostId={hostId} onClose={() => setCleaning(false)} onDone={() => void usage.refetch()} /> : null}
    </div>
  )
}

function groupsOf(
  data: DiskUsage,
  hostId: string,
  t: ReturnType<typeof useTranslations<'hosts'>>,
): { key: string; title: string; totalBytes: number; entries: Entry[] }[] {
  const sum = (entries: Entry[]) => entries.reduce((total, entry) => total + entry.sizeBytes, 0)
  const images = data.images.map((image) => ({
    key: image.id,
    name: image.tags[0] ?? image.id.slice(7, 19),
    href: `/h/${hostId}/images/${encodeURIComponent(image.id)}`,
    detail: image.containers > 0 ? t('disk.usedBy', { count: image.containers }) : t('disk.unused'),
    sizeBytes: image.sizeBytes,
  }))
  const containers = data.containers.map((container) => ({
    key: container.id,
    name: container.name,
    href: `/h/${hostId}/containers/${container.id}`,
    detail: t('disk.containerParts', { image: container.image }),
    sizeBytes: container.sizeRwBytes + container.logBytes,
  }))
  const volumes = data.volumes.map((volume) => ({
    key: volume.name,
    name: volume.name,
    href: `/h/${hostId}/volumes/${encodeURIComponent(volume.name)}`,
    detail: volume.usedBy > 0 ? t('disk.usedBy', { count: volume.usedBy }) : t('disk.unused'),
    sizeBytes: volume.sizeBytes,
  }))
  const cache = data.buildCache.map((entry) => ({
    key: entry.id,
    name: entry.description || entry.id,
    href: null,
    detail: entry.inUse ? t('disk.inUse') : t('disk.unused'),
    sizeBytes: entry.sizeBytes,
  }))
  return [
    // Images share layers: their sum would count those twice.
    { key: 'images', title: t('noun.images'), totalBytes: data.layersBytes, entries: images },
    { key: 'containers', title: t('noun.containers'), totalBytes: sum(containers), entries: containers },
    { key: 'volumes', title: t('noun.volumes'), totalBytes: sum(volumes), entries: volumes },
    { key: 'cache', title: t('disk.cache'), totalBytes: sum(cache), entries: cache },
  ]
}
