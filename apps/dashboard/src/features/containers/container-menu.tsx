'use client'
import { Camera, CirclePause, Copy, Download, Ellipsis, PencilLine, Play, RefreshCw, RotateCw, Square, Trash2, Zap } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { fits, type Target, useContainerCommand, type Verb } from './container-commands'

// Dialogs are fetched when the first one is opened: the list itself comes sooner.
const RemoveContainers = dynamic(() => import('./remove-dialog').then((module) => module.RemoveContainers), { ssr: false })
const CommitContainer = dynamic(() => import('./small-dialogs').then((module) => module.CommitContainer), { ssr: false })
const KillContainer = dynamic(() => import('./small-dialogs').then((module) => module.KillContainer), { ssr: false })
const RecreateContainer = dynamic(() => import('./small-dialogs').then((module) => module.RecreateContainer), { ssr: false })
const RenameContainer = dynamic(() => import('./small-dialogs').then((module) => module.RenameContainer), { ssr: false })

type Asking = 'remove' | 'kill' | 'rename' | 'commit' | 'recreate' | null

/** Everything that can be done with one container, behind one button. */
export function ContainerMenu({ target, trigger, onRemoved }: { target: Target; trigger?: ReactNode; onRemoved?: () => void }) {
  const t = useTranslations('containers')
  const [asking, setAsking] = useState<Asking>(null)
  const close = () => setAsking(null)
  return (
    <>
      <Menu
        trigger={
          trigger ?? (
            <Button tone="quiet" size="icon-small" hint={t('actionsOf', { name: target.name })}>
              <Ellipsis aria-hidden />
            </Button>
          )
        }
      >
        <Entries target={target} ask={setAsking} />
      </Menu>
      {asking === 'remove' ? <RemoveContainers targets={[target]} onClose={close} onDone={onRemoved} /> : null}
      {asking === 'kill' ? <KillContainer target={target} onClose={close} /> : null}
      {asking === 'rename' ? <RenameContainer target={target} onClose={close} /> : null}
      {asking === 'commit' ? <CommitContainer target={target} onClose={close} /> : null}
      {asking === 'recreate' ? <RecreateContainer target={target} onClose={close} /> : null}
    </>
  )
}

/** Drawn when the menu opens: a list has one menu in every row. */
function Entries({ target, ask }: { target: Target; ask: (asking: Asking) => void }) {
  const t = useTranslations('containers')
  const router = useRouter()
  const allow = useAllow(target.hostId)
  const command = useContainerCommand()
  const verb = (name: Verb, icon: ReactNode) =>
    fits(name, target.status) ? (
      <MenuItem key={name} disabledReason={allow('operate')} onSelect={() => command.run({ verb: name, target })}>
        {icon}
        {t(`verb.${name}`)}
      </MenuItem>
    ) : null
  return (
    <>
      {verb('start', <Play aria-hidden />)}
      {verb('stop', <Square className="!size-3 fill-current" aria-hidden />)}
      {verb('restart', <RotateCw aria-hidden />)}
      {verb('pause', <CirclePause aria-hidden />)}
      {verb('unpause', <Play aria-hidden />)}
      {fits('stop', target.status) ? (
        <MenuItem disabledReason={allow('operate')} onSelect={() => ask('kill')}>
          <Zap aria-hidden />
          {t('kill.menu')}
        </MenuItem>
      ) : null}
      <MenuLine />
      <MenuItem disabledReason={allow('create')} onSelect={() => ask('rename')}>
        <PencilLine aria-hidden />
        {t('rename.menu')}
      </MenuItem>
      <MenuItem disabledReason={allow('create')} onSelect={() => router.push(`/h/${target.hostId}/containers/new?from=${target.id}`)}>
        <Copy aria-hidden />
        {t('duplicate')}
      </MenuItem>
      <MenuItem disabledReason={allow('create')} onSelect={() => ask('recreate')}>
        <RefreshCw aria-hidden />
        {t('recreate.menu')}
      </MenuItem>
      <MenuItem disabledReason={allow('create')} onSelect={() => ask('commit')}>
        <Camera aria-hidden />
        {t('commit.menu')}
      </MenuItem>
      <MenuItem
        disabledReason={allow('files')}
        onSelect={() => {
          window.location.assign(dataUrl(target.hostId, 'containers/export', { container: target.id }))
        }}
      >
        <Download aria-hidden />
        {t('export')}
      </MenuItem>
      <MenuLine />
      <MenuItem danger disabledReason={allow('create')} onSelect={() => ask('remove')}>
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </MenuItem>
    </>
  )
}
