'use client'
import type { Permission } from '@berth/contract/permission'
import { useTranslations } from 'next-intl'
import { useCallback } from 'react'
import { useHosts } from './hosts.tsx'

/** Null when the person may do it now, else the sentence that a disabled control shows. */
export type Allow = (permission: Permission, hostId?: string) => string | null

/** Whether this person may do something on a host, and if not, why: a permission is missing, or the host is away. */
export function useAllow(hostId: string): Allow {
  const t = useTranslations('permissions')
  const { hosts } = useHosts()
  return useCallback(
    (permission, other) => {
      const host = hosts.find((one) => one.id === (other ?? hostId))
      if (!host) return t('noHost')
      if (!host.permissions.includes(permission)) return t('missing', { permission: t(`name.${permission}`), host: host.name })
      if (host.state !== 'online') return t('away', { host: host.name })
      return null
    },
    [hosts, hostId, t],
  )
}
