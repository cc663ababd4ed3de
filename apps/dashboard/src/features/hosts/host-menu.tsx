'use client'
import { useQuery } from '@tanstack/react-query'
import { BadgeCheck, Ellipsis, KeyRound, Network, Pencil, ShieldOff, Trash2 } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { useAction } from '../../ui/use-action'
import { dashboardClient, useDashboard } from '../../wire/dashboard'
import type { HostView } from '../../wire/hosts'
import type { HostAct } from './host-dialogs'

const HostDialogs = dynamic(() => import('./host-dialogs').then((module) => module.HostDialogs), { ssr: false })

/** What an administrator does with a host as a member of the fleet; what it runs is not touched by any of it. */
export function HostMenu({ host, onRemoved, className }: { host: HostView; onRemoved?: () => void; className?: string }) {
  const t = useTranslations('hosts')
  const router = useRouter()
  const me = useQuery(useDashboard().me.get.queryOptions())
  const [act, setAct] = useState<HostAct | null>(null)
  const refused = me.data?.administrator ? null : t('administratorsOnly')
  const renew = useAction((_: undefined) => dashboardClient().hosts.renew.mutate({ host: host.id }), {
    done: () => t('renew.done', { name: host.name }),
    failed: () => t('renew.failed', { name: host.name }),
  })
  return (
    <span className={className}>
      <Menu
        trigger={
          <Button tone="quiet" size="icon-small" hint={t('actionsOf', { name: host.name })}>
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        <MenuItem disabledReason={refused} onSelect={() => setAct('rename')}>
          <Pencil aria-hidden />
          {t('rename.menu')}
        </MenuItem>
        <MenuItem disabledReason={refused} onSelect={() => setAct('address')}>
          <Network aria-hidden />
          {t('setAddress.menu')}
        </MenuItem>
        <MenuItem disabledReason={refused ?? (host.state === 'online' ? null : t('renew.away'))} onSelect={() => renew.run(undefined)}>
          <BadgeCheck aria-hidden />
          {t('renew.menu')}
        </MenuItem>
        <MenuItem disabledReason={refused} onSelect={() => router.push(`/hosts/add?again=${host.id}`)}>
          <KeyRound aria-hidden />
          {t('again.menu')}
        </MenuItem>
        <MenuLine />
        <MenuItem
          danger
          disabledReason={refused ?? (host.state === 'revoked' ? t('state.revoked') : null)}
          onSelect={() => setAct('revoke')}
        >
          <ShieldOff aria-hidden />
          {t('revoke.menu')}
        </MenuItem>
        <MenuItem danger disabledReason={refused} onSelect={() => setAct('remove')}>
          <Trash2 aria-hidden />
          {t('remove.menu')}
        </MenuItem>
      </Menu>
      {act ? <HostDialogs act={act} host={host} onClose={() => setAct(null)} onRemoved={onRemoved} /> : null}
    </span>
  )
}
