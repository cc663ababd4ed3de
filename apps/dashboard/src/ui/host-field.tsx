'use client'
import { useTranslations } from 'next-intl'
import { Field } from './field'
import { Select } from './select'

/** Which host something is done on; nothing when there is only one. Hosts that are away cannot be chosen. */
export function HostField({
  hosts,
  value,
  onChange,
}: {
  hosts: readonly { id: string; name: string; state: string }[]
  value: string
  onChange: (hostId: string) => void
}) {
  const t = useTranslations('ui')
  if (hosts.length < 2) return null
  return (
    <Field label={t('host')}>
      <Select
        value={value}
        onChange={onChange}
        choices={hosts.map((one) => ({ value: one.id, label: one.name, disabled: one.state !== 'online' }))}
      />
    </Field>
  )
}
