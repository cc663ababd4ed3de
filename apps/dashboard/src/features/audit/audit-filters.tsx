'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { DayRange } from '../../ui/day-range'
import { FilterInput } from '../../ui/input'
import { Select } from '../../ui/select'
import { useDashboard } from '../../wire/dashboard'
import type { AuditFilterValues } from './audit-page'

const actions = [
  'containers.',
  'images.',
  'volumes.',
  'networks.',
  'registries.',
  'terminal.open',
  'exec.',
  'data.',
  'files.',
  'hosts.',
  'host.',
  'people.',
  'invitations.',
  'session.',
  'tokens.',
  'audit.',
  'dashboard.',
] as const
const typingMs = 300

/** What the list is narrowed by; kept in the address, so that a view can be sent to somebody. */
export function AuditFilters({ values, onChange }: { values: AuditFilterValues; onChange: (change: Partial<AuditFilterValues>) => void }) {
  const t = useTranslations('audit')
  const dashboard = useDashboard()
  const people = useQuery(dashboard.people.list.queryOptions())
  const hosts = useQuery(dashboard.hosts.list.queryOptions())
  const [typed, setTyped] = useState(values.text)
  useEffect(() => {
    if (typed === values.text) return undefined
    const timer = setTimeout(() => onChange({ text: typed }), typingMs)
    return () => clearTimeout(timer)
  }, [typed, values.text, onChange])
  const all = { value: '', label: t('all') }
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 px-3 py-2 sm:px-4">
      <FilterInput
        value={typed}
        onChange={setTyped}
        label={t('search')}
        clearLabel={t('clear')}
        className="min-w-0 grow basis-48 md:max-w-80"
      />
      {/* On a telephone one line that is moved sideways, as the filters of every list. */}
      <div
        data-sideways
        className="contents max-sm:-mx-3 max-sm:flex max-sm:w-[100vw] max-sm:gap-2 max-sm:overflow-x-auto max-sm:px-3 max-sm:[scrollbar-width:none]"
      >
        <Select
          className="w-auto max-w-44 shrink-0"
          label={t('who')}
          value={values.person}
          onChange={(person) => onChange({ person })}
          choices={[{ ...all, label: t('everybody') }, ...(people.data ?? []).map((person) => ({ value: person.id, label: person.name }))]}
        />
        <Select
          className="w-auto max-w-44 shrink-0"
          label={t('host')}
          value={values.host}
          onChange={(host) => onChange({ host })}
          choices={[{ ...all, label: t('anywhere') }, ...(hosts.data ?? []).map((host) => ({ value: host.id, label: host.name }))]}
        />
        <Select
          className="w-auto max-w-44 shrink-0"
          label={t('action')}
          value={values.action}
          onChange={(action) => onChange({ action })}
          choices={[{ ...all, label: t('anything') }, ...actions.map((action) => ({ value: action, label: action.replace(/\.$/, '') }))]}
        />
        <Select
          className="w-auto max-w-44 shrink-0"
          label={t('outcome')}
          value={values.outcome}
          onChange={(outcome) => onChange({ outcome })}
          choices={[
            { ...all, label: t('anyOutcome') },
            { value: 'ok', label: t('ok') },
            { value: 'failed', label: t('failed') },
            { value: 'permission_denied', label: t('denied') },
          ]}
        />
        <DayRange since={values.since} until={values.until} onChange={onChange} />
      </div>
    </div>
  )
}
