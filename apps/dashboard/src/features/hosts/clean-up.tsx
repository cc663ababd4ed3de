'use client'
import type { SystemPruneInput } from '@berth/contract/system'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { SkeletonRows } from '../../ui/skeleton'
import { sayDone } from '../../ui/toaster'
import { agentClient } from '../../wire/agent'
import { useHost } from '../../wire/hosts'

/** Removes what nothing uses, after showing exactly what. Volumes only when asked for, and then the host's name is typed. */
export function CleanUp({ hostId, onClose, onDone }: { hostId: string; onClose: () => void; onDone: () => void }) {
  const t = useTranslations('hosts')
  const format = useFormat()
  const host = useHost(hostId)
  const [wish, setWish] = useState({ containers: true, networks: true, images: true, allImages: false, buildCache: true, volumes: false })
  const input: Partial<SystemPruneInput> = {
    containers: wish.containers,
    networks: wish.networks,
    images: wish.images ? (wish.allImages ? 'unused' : 'dangling') : null,
    buildCache: wish.buildCache,
    volumes: wish.volumes ? 'anonymous' : null,
  }
  const dry = useQuery({
    queryKey: ['clean-up', hostId, input],
    queryFn: () => agentClient(hostId).system.prune.mutate({ ...input, dryRun: true }),
    gcTime: 0,
    staleTime: 0,
  })
  const flip = (key: keyof typeof wish) => (next: boolean) => setWish((before) => ({ ...before, [key]: next }))
  const lines = [
    ...(['containers', 'networks', 'images', 'volumes'] as const).flatMap((noun) =>
      (dry.data?.[noun]?.removed ?? []).map((one) => ({
        key: `${noun}${one.id}`,
        noun,
        name: one.name || one.id.slice(0, 19),
        sizeBytes: one.sizeBytes,
      })),
    ),
    ...(dry.data?.buildCache?.removed.length
      ? [
          {
            key: 'cache',
            noun: 'cache' as const,
            name: t('clean.cacheEntries', { count: dry.data.buildCache.removed.length }),
            sizeBytes: dry.data.buildCache.reclaimedBytes,
          },
        ]
      : []),
  ]
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('clean.title', { host: host?.name ?? '' })}
      description={t('clean.description')}
      verb={dry.data ? t('clean.verb', { size: format.bytes(dry.data.reclaimedBytes) }) : t('clean.menu')}
      typeName={wish.volumes ? (host?.name ?? '') : undefined}
      commandLine={() => `docker system prune -f${wish.allImages ? ' -a' : ''}${wish.volumes ? ' --volumes' : ''}`}
      onConfirm={async () => {
        const result = await agentClient(hostId).system.prune.mutate(input)
        sayDone(t('clean.done', { size: format.bytes(result.reclaimedBytes) }))
        onDone()
      }}
    >
      <div className="grid grid-cols-2 gap-2">
        <Checkbox checked={wish.containers} onChange={flip('containers')}>
          {t('clean.containers')}
        </Checkbox>
        <Checkbox checked={wish.networks} onChange={flip('networks')}>
          {t('clean.networks')}
        </Checkbox>
        <Checkbox checked={wish.images} onChange={flip('images')}>
          {t('clean.images')}
        </Checkbox>
        <Checkbox checked={wish.allImages} onChange={flip('allImages')} disabled={!wish.images}>
          {t('clean.allImages')}
        </Checkbox>
        <Checkbox checked={wish.buildCache} onChange={flip('buildCache')}>
          {t('disk.cache')}
        </Checkbox>
        <Checkbox checked={wish.volumes} onChange={flip('volumes')}>
          {t('clean.volumes')}
        </Checkbox>
      </div>
      {dry.error ? <ErrorPanel error={dry.error} compact onRetry={() => void dry.refetch()} /> : null}
      {dry.isPending ? <SkeletonRows rows={3} /> : null}
      {dry.data && lines.length === 0 ? <p className="text-ink-2">{t('clean.nothing')}</p> : null}
      {lines.length > 0 ? (
        <ul className="max-h-60 overflow-y-auto rounded-md border bg-sunken px-3 py-2 text-xs" aria-label={t('clean.list')}>
          {lines.map((line) => (
            <li key={line.key} className="grid grid-cols-[5.5rem_minmax(0,1fr)_auto] gap-3 py-0.5">
              <span className="text-ink-3">{line.noun === 'cache' ? t('disk.cache') : t(`noun.${line.noun}`)}</span>
              <span className="truncate font-mono">{line.name}</span>
              <span className="tabular text-ink-3">{line.sizeBytes > 0 ? format.bytes(line.sizeBytes) : ''}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </ConfirmDialog>
  )
}
