'use client'
import { type Role, roles } from '@berth/contract/claim'
import { Plus, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../ui/button'
import { Select } from '../../ui/select'

export interface Grant {
  scope: string
  role: Role
}

/** Roles on all hosts or on some; the stronger of the two counts on a host. */
export function RoleEditor({
  grants,
  hosts,
  onChange,
}: {
  grants: readonly Grant[]
  hosts: readonly { id: string; name: string }[]
  onChange: (grants: Grant[]) => void
}) {
  const t = useTranslations('people')
  const places = [{ value: '*', label: t('allHosts') }, ...hosts.map((host) => ({ value: host.id, label: host.name }))]
  const free = places.filter((place) => !grants.some((grant) => grant.scope === place.value))
  const replace = (index: number, grant: Grant): void => onChange(grants.map((one, at) => (at === index ? grant : one)))
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 font-medium text-ink-2 text-xs">{t('roles')}</legend>
      {grants.length === 0 ? <p className="text-ink-3 text-sm">{t('noRole')}</p> : null}
      {grants.map((grant, index) => (
        <div key={grant.scope} className="grid grid-cols-[1fr_1fr_auto] gap-2">
          <Select
            label={t('where')}
            value={grant.scope}
            onChange={(scope) => replace(index, { ...grant, scope })}
            choices={places.filter((place) => place.value === grant.scope || free.includes(place))}
          />
          <Select
            label={t('role.label')}
            value={grant.role}
            onChange={(role) => replace(index, { ...grant, role })}
            choices={roles.map((value) => ({ value, label: t(`role.${value}`), detail: t(`about.${value}`) }))}
          />
          <Button tone="quiet" size="icon" hint={t('takeAway')} onClick={() => onChange(grants.filter((_, at) => at !== index))}>
            <X aria-hidden />
          </Button>
        </div>
      ))}
      <div>
        <Button
          size="small"
          disabledReason={free.length === 0 ? t('everywhereAlready') : null}
          onClick={() => free[0] && onChange([...grants, { scope: free[0].value, role: 'viewer' }])}
        >
          <Plus aria-hidden />
          {t('addRole')}
        </Button>
      </div>
    </fieldset>
  )
}
