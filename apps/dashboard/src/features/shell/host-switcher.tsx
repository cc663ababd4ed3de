'use client'
import { Check, ChevronsUpDown, Plus, Server } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { StateMark } from '../../ui/badge'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { everyHost } from '../../wire/across'
import { type HostView, useHosts } from '../../wire/hosts'
import { nouns, pathOf, usePlace } from './place'

/** How a host's link looks. */
export function hostLook(state: HostView['state']): { shape: 'full' | 'ring' | 'cross'; tone: 'good' | 'warn' | 'bad' } {
  return state === 'online'
    ? { shape: 'full', tone: 'good' }
    : state === 'away'
      ? { shape: 'ring', tone: 'warn' }
      : { shape: 'cross', tone: 'bad' }
}

/** Which host the pages are about: one of them, or all. Choosing stays on the same kind of page. */
export function HostSwitcher() {
  const t = useTranslations('shell')
  const router = useRouter()
  const { hosts } = useHosts()
  const { scope, noun } = usePlace()
  const chosen = hosts.find((host) => host.id === scope)
  const go = (next: string) => router.push(pathOf(next, (nouns as readonly string[]).includes(noun) ? noun : ''))
  return (
    <Menu
      align="start"
      block
      trigger={
        <button
          type="button"
          aria-label={t('switchHost', { name: chosen?.name ?? t('allHosts') })}
          className="flex h-9 w-full items-center gap-2 rounded-md border border-line-strong bg-raised px-2.5 text-left font-medium hover:bg-hover"
        >
          {chosen ? <StateMark {...hostLook(chosen.state)} /> : <Server className="size-3.5 text-ink-3" aria-hidden />}
          <span className="min-w-0 flex-1 truncate">{chosen?.name ?? t('allHosts')}</span>
          <ChevronsUpDown className="size-3.5 text-ink-3" aria-hidden />
        </button>
      }
    >
      <MenuItem onSelect={() => go(everyHost)}>
        <Server aria-hidden />
        {t('allHosts')}
        {chosen ? null : <Check className="ml-auto" aria-hidden />}
      </MenuItem>
      <MenuLine />
      {hosts.map((host) => (
        <MenuItem key={host.id} onSelect={() => go(host.id)}>
          <span className="grid w-3.75 place-items-center">
            <StateMark
              {...hostLook(host.state)}
              className={host.state === 'online' ? '!text-good' : host.state === 'away' ? '!text-warn' : '!text-bad'}
            />
          </span>
          <span className="max-w-56 truncate">{host.name}</span>
          {host.state === 'online' ? null : <span className="text-ink-3 text-xs">{t(`hostState.${host.state}`)}</span>}
          {host.id === scope ? <Check className="ml-auto" aria-hidden /> : null}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => router.push('/hosts/add')}>
        <Plus aria-hidden />
        {t('addHost')}
      </MenuItem>
    </Menu>
  )
}
