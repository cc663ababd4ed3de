'use client'
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

/** Removes images that nothing uses; shows first exactly which, and how much that frees. */
export function PruneImages({ hostId, onClose }: { hostId: string; onClose: () => void }) {
  const t = useTranslations('images')
  const format = useFormat()
  const [all, setAll] = useState(false)
  const dry = useQuery({
    queryKey: ['prune-images', hostId, all],
    queryFn: () => agentClient(hostId).images.prune.mutate({ dangling: !all, dryRun: true }),
    gcTime: 0,
    staleTime: 0,
  })
  const list = dry.data?.removed ?? []
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('prune.title')}
      description={t('prune.description')}
      verb={dry.data ? t('prune.verb', { count: list.length, size: format.bytes(dry.data.reclaimedBytes) }) : t('prune.menu')}
      commandLine={() => `docker image prune ${all ? '-a ' : ''}-f`}
      onConfirm={async () => {
        const result = await agentClient(hostId).images.prune.mutate({ dangling: !all })
        sayDone(t('prune.done', { count: result.removed.length, size: format.bytes(result.reclaimedBytes) }))
      }}
    >
      <Checkbox checked={all} onChange={setAll} help={t('prune.allHelp')}>
        {t('prune.all')}
      </Checkbox>
      {dry.error ? <ErrorPanel error={dry.error} compact onRetry={() => void dry.refetch()} /> : null}
      {dry.isPending ? <SkeletonRows rows={3} /> : null}
      {dry.data ? (
        list.length === 0 ? (
          <p className="text-ink-2">{t('prune.nothing')}</p>
        ) : (
          <ul className="max-h-60 overflow-y-auto rounded-md border bg-sunken px-3 py-2 text-xs" aria-label={t('prune.list')}>
            {list.map((image) => (
              <li key={image.id} className="flex justify-between gap-4 py-0.5">
                <span className="truncate font-mono">{image.name || image.id.slice(7, 19)}</span>
                <span className="tabular shrink-0 text-ink-3">{format.bytes(image.sizeBytes)}</span>
              </li>
            ))}
          </ul>
        )
      ) : null}
    </ConfirmDialog>
  )
}
