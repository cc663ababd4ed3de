'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { PruneDialog } from '../../ui/prune-dialog'
import { agentClient } from '../../wire/agent'

/** Removes images that nothing uses; shows first exactly which, and how much that frees. */
export function PruneImages({ hostId, onClose }: { hostId: string; onClose: () => void }) {
  const t = useTranslations('images')
  const [all, setAll] = useState(false)
  return (
    <PruneDialog
      title={t('prune.title')}
      description={t('prune.description')}
      nothing={t('prune.nothing')}
      list={t('prune.list')}
      queryKey={['images', hostId, all]}
      prune={(dryRun) => agentClient(hostId).images.prune.mutate({ dangling: !all, dryRun })}
      commandLine={`docker image prune ${all ? '-a ' : ''}-f`}
      words={{
        verb: (count, size) => t('prune.verb', { count, size }),
        done: (count, size) => t('prune.done', { count, size }),
      }}
      onClose={onClose}
    >
      <Checkbox checked={all} onChange={setAll} help={t('prune.allHelp')}>
        {t('prune.all')}
      </Checkbox>
    </PruneDialog>
  )
}
