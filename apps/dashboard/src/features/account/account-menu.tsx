'use client'
import { useQuery } from '@tanstack/react-query'
import { CircleUserRound, KeyRound, LogOut } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { Button } from '../../ui/button'
import { Menu, MenuItem, MenuLabel, MenuLine } from '../../ui/menu'
import { sayFailed } from '../../ui/toaster'
import { useDashboard } from '../../wire/dashboard'
import { signOut } from '../../wire/sign-out'

/** Who is signed in, the way to the account, and the way out. */
export function AccountMenu() {
  const t = useTranslations('account')
  const router = useRouter()
  const me = useQuery(useDashboard().me.get.queryOptions())
  return (
    <Menu
      trigger={
        <Button tone="quiet" size="icon" hint={t('menu')}>
          <CircleUserRound aria-hidden />
        </Button>
      }
    >
      <MenuLabel>
        {me.data ? (
          <span className="grid font-normal text-sm normal-case tracking-normal">
            <span className="font-medium text-ink">{me.data.name}</span>
            <span>{me.data.email}</span>
          </span>
        ) : (
          '…'
        )}
      </MenuLabel>
      <MenuLine />
      <MenuItem onSelect={() => router.push('/account')}>
        <KeyRound aria-hidden />
        {t('title')}
      </MenuItem>
      <MenuItem onSelect={() => void signOut().catch((error) => sayFailed(t('signOutFailed'), error))}>
        <LogOut aria-hidden />
        {t('signOut')}
      </MenuItem>
    </Menu>
  )
}
