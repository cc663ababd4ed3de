'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { sayDone } from '../../ui/toaster'
import { agentClient } from '../../wire/agent'
import type { Target } from './container-commands'

type Effect = 'force' | 'volumes'

/** Removes one or many containers: running ones need a box ticked, anonymous volumes go only when asked for. */
export function RemoveContainers(props: { targets: readonly Target[]; onClose: () => void; onDone?: () => void }) {
  const t = useTranslations('containers')
  const { onClose, onDone } = props
  // What was asked about: the list loses each that is removed while the others are still being removed.
  const [targets] = useState(props.targets)
  const running = targets.filter((target) => !['created', 'exited', 'dead'].includes(target.status))
  const one = targets.length === 1 ? targets[0] : undefined
  const remove = (target: Target, chosen: Record<Effect, boolean>) =>
    agentClient(target.hostId).containers.remove.mutate({ container: target.id, force: chosen.force ?? false, volumes: chosen.volumes })
  return (
    <ConfirmDialog<Effect>
      open
      onOpenChange={(open) => !open && onClose()}
      title={one ? t('remove.titleOne', { name: one.name }) : t('remove.titleMany', { count: targets.length })}
      description={t('remove.description')}
      verb={one ? t('remove.verbOne') : t('remove.verbMany', { count: targets.length })}
      effects={[
        ...(running.length > 0
          ? [{ key: 'force' as const, label: t('remove.force', { count: running.length }), needed: true, help: t('remove.forceHelp') }]
          : []),
        { key: 'volumes' as const, label: t('remove.volumes'), help: t('remove.volumesHelp') },
      ]}
      commandLine={(chosen) =>
        `docker rm ${chosen.force ? '-f ' : ''}${chosen.volumes ? '-v ' : ''}${targets.map((target) => target.name).join(' ')}`
      }
      each={targets.map((target) => ({
        key: `${target.hostId}/${target.id}`,
        name: target.name,
        run: (chosen) => remove(target, chosen),
      }))}
      onConfirm={async () => {
        if (!one) sayDone(t('bulk.done', { action: t('remove.bulk'), count: targets.length }))
        onDone?.()
      }}
    >
      {one ? null : (
        <ul className="max-h-40 overflow-y-auto rounded-md border bg-sunken px-3 py-2 font-mono text-xs">
          {targets.map((target) => (
            <li key={`${target.hostId}${target.id}`}>{target.name}</li>
          ))}
        </ul>
      )}
    </ConfirmDialog>
  )
}
