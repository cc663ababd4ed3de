'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { Command } from 'cmdk'
import {
  Box,
  CornerDownLeft,
  HardDrive,
  Layers,
  Network,
  Play,
  Plus,
  RotateCw,
  ScrollText,
  Server,
  Square,
  SquareTerminal,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { Dialog } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { useDock } from '../../ui/dock'
import { Key } from '../../ui/keys-dialog'
import { sayDone, sayFailed } from '../../ui/toaster'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useHosts } from '../../wire/hosts'
import { nouns, pathOf, usePlace } from './place'
import { rank } from './rank'

/** Finds anything on any host and acts on it: Enter opens, the actions of a container stand below its name. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const t = useTranslations('shell')
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-60 bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          className="pop-in fixed top-[10dvh] left-1/2 z-60 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-raised shadow-pop"
        >
          <Dialog.Title className="sr-only">{t('findOrDo')}</Dialog.Title>
          {open ? <Finder close={() => onOpenChange(false)} /> : null}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Finder({ close }: { close: () => void }) {
  const t = useTranslations('shell')
  const router = useRouter()
  const { scope } = usePlace()
  const { hosts } = useHosts()
  const [typed, setTyped] = useState('')
  const containers = useAcross(everyHost, 'containers')
  const images = useAcross(everyHost, 'images')
  const volumes = useAcross(everyHost, 'volumes')
  const networks = useAcross(everyHost, 'networks')
  const several = hosts.length > 1
  const go = (path: string) => {
    close()
    router.push(path)
  }
  const target = scope === everyHost ? hosts[0]?.id : scope
  return (
    <Command loop label={t('findOrDo')} filter={rank}>
      <Command.Input
        value={typed}
        onValueChange={setTyped}
        placeholder={t('findPlaceholder')}
        className="h-12 w-full border-b bg-transparent px-4 text-base outline-none placeholder:text-ink-3"
      />
      <Command.List className="max-h-[56dvh] overflow-y-auto p-1.5">
        <Command.Empty className="px-4 py-8 text-center text-ink-3">{t('nothing', { typed })}</Command.Empty>
        <Group title={t('nav.containers')}>
          {containers.rows.slice(0, 2000).map((row) => (
            <ContainerItems
              key={`${row.hostId}${row.item.id}`}
              row={row}
              several={several}
              expanded={typed.length > 1}
              go={go}
              close={close}
            />
          ))}
        </Group>
        {typed ? (
          <>
            <Group title={t('nav.images')}>
              {images.rows.map((row) => (
                <Item
                  key={`${row.hostId}${row.item.id}`}
                  value={`${row.item.tags.join(' ')} ${row.item.id.slice(7, 19)} ${row.hostName} image`}
                  icon={<Layers />}
                  place={several ? row.hostName : ''}
                  onSelect={() => go(`${pathOf(row.hostId, 'images')}/${encodeURIComponent(row.item.id)}`)}
                >
                  {row.item.tags[0] ?? row.item.id.slice(7, 19)}
                </Item>
              ))}
            </Group>
            <Group title={t('nav.volumes')}>
              {volumes.rows.map((row) => (
                <Item
                  key={`${row.hostId}${row.item.name}`}
                  value={`${row.item.name} ${row.hostName} volume`}
                  icon={<HardDrive />}
                  place={several ? row.hostName : ''}
                  onSelect={() => go(`${pathOf(row.hostId, 'volumes')}/${encodeURIComponent(row.item.name)}`)}
                >
                  {row.item.name}
                </Item>
              ))}
            </Group>
            <Group title={t('nav.networks')}>
              {networks.rows.map((row) => (
                <Item
                  key={`${row.hostId}${row.item.id}`}
                  value={`${row.item.name} ${row.hostName} network`}
                  icon={<Network />}
                  place={several ? row.hostName : ''}
                  onSelect={() => go(`${pathOf(row.hostId, 'networks')}/${encodeURIComponent(row.item.id)}`)}
                >
                  {row.item.name}
                </Item>
              ))}
            </Group>
          </>
        ) : null}
        <Group title={t('nav.hosts')}>
          {hosts.map((host) => (
            <Item key={host.id} value={`${host.name} host`} icon={<Server />} onSelect={() => go(pathOf(host.id, ''))}>
              {host.name}
            </Item>
          ))}
        </Group>
        <Group title={t('pages')}>
          {target ? (
            <Item value={`${t('newContainer')} run create`} icon={<Plus />} onSelect={() => go(`${pathOf(target, 'containers')}/new`)}>
              {t('newContainer')}
            </Item>
          ) : null}
          {nouns.map((noun) => (
            <Item key={noun} value={`${t(`nav.${noun}`)} ${noun}`} icon={<CornerDownLeft />} onSelect={() => go(pathOf(scope, noun))}>
              {t(`nav.${noun}`)}
            </Item>
          ))}
        </Group>
      </Command.List>
      <footer className="flex items-center gap-3 border-t bg-surface px-3 py-1.5 text-ink-3 text-xs" aria-hidden>
        <span className="flex items-center gap-1">
          <Key>↑</Key>
          <Key>↓</Key> {t('keys.move')}
        </span>
        <span className="flex items-center gap-1">
          <Key>Enter</Key> {t('keys.open')}
        </span>
      </footer>
    </Command>
  )
}

/** A container and, once something is typed, what can be done with it now. */
function ContainerItems({
  row,
  several,
  expanded,
  go,
  close,
}: {
  row: Placed<ContainerSummary>
  several: boolean
  expanded: boolean
  go: (path: string) => void
  close: () => void
}) {
  const t = useTranslations('shell')
  const dock = useDock()
  const allow = useAllow(row.hostId)
  const { item: container } = row
  const place = several ? row.hostName : ''
  const words = `${container.name} ${container.image} ${container.id.slice(0, 12)} ${row.hostName}`
  const running = container.state.status === 'running'
  const command = (verb: 'start' | 'stop' | 'restart') => {
    close()
    agentClient(row.hostId)
      .containers[verb].mutate({ container: container.id })
      .then(
        () => sayDone(t(`did.${verb}`, { name: container.name })),
        (error: unknown) => sayFailed(t(`failed.${verb}`, { name: container.name }), error),
      )
  }
  const openTab = (kind: 'terminal' | 'logs') => {
    close()
    dock.open({
      id: kind === 'logs' ? `logs-${row.hostId}-${container.id}` : `terminal-${Date.now().toString(36)}`,
      kind,
      title: container.name,
      place: row.hostName,
      params: { hostId: row.hostId, container: container.id, name: container.name },
    })
  }
  const actions: { key: 'logs' | 'terminal' | 'stop' | 'restart' | 'start'; icon: ReactNode; run: () => void; allowed: boolean }[] = [
    { key: 'logs', icon: <ScrollText />, run: () => openTab('logs'), allowed: !allow('view') },
    { key: 'terminal', icon: <SquareTerminal />, run: () => openTab('terminal'), allowed: running && !allow('shell') },
    { key: 'stop', icon: <Square />, run: () => command('stop'), allowed: running && !allow('operate') },
    { key: 'restart', icon: <RotateCw />, run: () => command('restart'), allowed: running && !allow('operate') },
    { key: 'start', icon: <Play />, run: () => command('start'), allowed: !running && !allow('operate') },
  ]
  return (
    <>
      <Item
        value={`${words} container`}
        icon={<Box />}
        place={place}
        onSelect={() => go(`${pathOf(row.hostId, 'containers')}/${container.id}`)}
      >
        {container.name}
      </Item>
      {expanded
        ? actions
            .filter((action) => action.allowed)
            .map((action) => (
              <Item
                key={action.key}
                value={`${words} ${action.key} ${t(`act.${action.key}`, { name: '' })}`}
                icon={action.icon}
                place={place}
                onSelect={action.run}
              >
                {t(`act.${action.key}`, { name: container.name })}
              </Item>
            ))
        : null}
    </>
  )
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={title}
      className="[&_[cmdk-group-heading]]:eyebrow [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1"
    >
      {children}
    </Command.Group>
  )
}

function Item({
  value,
  icon,
  place,
  onSelect,
  children,
}: {
  value: string
  icon: ReactNode
  place?: string
  onSelect: () => void
  children: ReactNode
}) {
  return (
    <Command.Item
      value={place ? `${value} ${place}` : value}
      onSelect={onSelect}
      className="flex h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3"
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {place ? <span className="max-w-40 truncate text-ink-3 text-xs">{place}</span> : null}
    </Command.Item>
  )
}
