'use client'
import { useQuery } from '@tanstack/react-query'
import type { ColumnDef } from '@tanstack/react-table'
import { Ellipsis, UserPlus, Users } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { AdministratorsOnly } from '../../ui/administrators-only'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { DataTable } from '../../ui/data-table'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { Ago } from '../../ui/now'
import { PageHead } from '../../ui/page'
import { type DashboardOutputs, useDashboard } from '../../wire/dashboard'
import { failureOf } from '../../wire/failure'
import { Invitations } from './invitations'
import { InviteDialog } from './invite-dialog'
import { type PersonAct, PersonDialogs } from './person-dialogs'

export type Person = DashboardOutputs['people']['list'][number]

const byName = [{ id: 'name', desc: false }]

/** Everybody who may come in, with their roles; invitations that are open. */
export function PeoplePage() {
  const t = useTranslations('people')
  const dashboard = useDashboard()
  const people = useQuery(dashboard.people.list.queryOptions())
  const hosts = useQuery(dashboard.hosts.list.queryOptions())
  const me = useQuery(dashboard.me.get.queryOptions())
  const [inviting, setInviting] = useState(false)
  const [act, setAct] = useState<{ what: PersonAct; person: Person } | null>(null)
  const hostList = hosts.data ?? []
  const refused = me.data && !me.data.administrator ? t('administratorsOnly') : null
  const columns = usePeopleColumns(hostList, me.data?.id, setAct)
  const facets = useMemo(
    () => [
      {
        key: 'role',
        label: t('role.label'),
        values: (person: Person) => [...new Set(person.grants.map((grant) => grant.role))],
        name: (value: string) => t(`role.${value as 'viewer'}`),
      },
      {
        key: 'twoStep',
        label: t('twoStep'),
        values: (person: Person) => [person.totpEnabled ? 'on' : 'off'],
        name: (value: string) => t(value as 'on'),
      },
    ],
    [t],
  )
  if (people.error)
    return (
      <>
        <PageHead title={t('title')} />
        {failureOf(people.error).code === 'permission_denied' ? (
          <AdministratorsOnly />
        ) : (
          <ErrorPanel error={people.error} onRetry={() => void people.refetch()} className="m-4" />
        )}
      </>
    )
  return (
    <>
      <PageHead
        title={t('title')}
        lead={t('lead')}
        actions={
          <Button tone="primary" disabledReason={refused} onClick={() => setInviting(true)}>
            <UserPlus aria-hidden />
            {t('invite')}
          </Button>
        }
      />
      <Invitations hosts={hostList} />
      <DataTable
        id="people"
        label={t('title')}
        rows={people.data ?? []}
        loading={people.isPending}
        columns={columns}
        rowId={(person) => person.id}
        rowName={(person) => person.name}
        searchText={(person) => `${person.name} ${person.email}`}
        searchLabel={t('search')}
        facets={facets}
        initialSort={byName}
        empty={<EmptyState icon={<Users />}>{t('nobody')}</EmptyState>}
        card={(person) => (
          <div className="flex items-start justify-between gap-2">
            <div className="min-w-0">
              <p className="truncate font-medium">{person.name}</p>
              <p className="truncate text-ink-3 text-xs">{person.email}</p>
              <RoleBadges person={person} hosts={hostList} />
            </div>
            <PersonMenu person={person} own={person.id === me.data?.id} onAct={setAct} />
          </div>
        )}
      />
      {inviting ? <InviteDialog hosts={hostList} onClose={() => setInviting(false)} /> : null}
      {act ? (
        <PersonDialogs
          act={act.what}
          person={act.person}
          hosts={hostList}
          onClose={() => setAct(null)}
          onDone={() => void people.refetch()}
        />
      ) : null}
    </>
  )
}

function usePeopleColumns(
  hosts: readonly { id: string; name: string }[],
  ownId: string | undefined,
  onAct: (act: { what: PersonAct; person: Person }) => void,
): ColumnDef<Person, unknown>[] {
  const t = useTranslations('people')
  return useMemo(
    () => [
      {
        id: 'name',
        accessorFn: (person) => person.name,
        meta: { label: t('name'), fixed: true },
        cell: ({ row: { original } }) => (
          <span className="flex min-w-0 items-center gap-1.5">
            <span className="truncate font-medium">{original.name}</span>
            {original.id === ownId ? <Badge>{t('you')}</Badge> : null}
            {original.disabled ? <Badge tone="warn">{t('disabled')}</Badge> : null}
          </span>
        ),
      },
      {
        id: 'email',
        accessorFn: (person) => person.email,
        meta: { label: t('email'), className: 'max-md:hidden' },
        cell: ({ row: { original } }) => <span className="block truncate text-ink-2">{original.email}</span>,
      },
      {
        id: 'roles',
        enableSorting: false,
        meta: { label: t('roles') },
        cell: ({ row: { original } }) => <RoleBadges person={original} hosts={hosts} />,
      },
      {
        id: 'totp',
        accessorFn: (person) => (person.totpEnabled ? 1 : 0),
        meta: { label: t('twoStep'), width: 110, className: 'max-lg:hidden' },
        cell: ({ row: { original } }) =>
          original.totpEnabled ? <Badge tone="good">{t('on')}</Badge> : <span className="text-ink-3">{t('off')}</span>,
      },
      {
        id: 'lastSignIn',
        accessorFn: (person) => person.lastSignInAt ?? '',
        meta: { label: t('lastSignIn'), width: 150 },
        cell: ({ row: { original } }) => <Ago at={original.lastSignInAt} />,
      },
      {
        id: 'actions',
        enableSorting: false,
        meta: { label: t('actions'), width: 64, fixed: true, align: 'right' as const },
        cell: ({ row: { original } }) => <PersonMenu person={original} own={original.id === ownId} onAct={onAct} />,
      },
    ],
    [t, hosts, ownId, onAct],
  )
}

function RoleBadges({ person, hosts }: { person: Person; hosts: readonly { id: string; name: string }[] }) {
  const t = useTranslations('people')
  if (person.grants.length === 0) return <span className="text-ink-3 text-sm">{t('noRole')}</span>
  return (
    <span className="flex min-w-0 flex-wrap gap-1">
      {person.grants.map((grant) => (
        <Badge key={grant.scope} tone={grant.role === 'admin' ? 'accent' : 'calm'}>
          {t(`role.${grant.role}`)} ·{' '}
          {grant.scope === '*' ? t('allHosts') : (hosts.find((host) => host.id === grant.scope)?.name ?? grant.scope)}
        </Badge>
      ))}
    </span>
  )
}

function PersonMenu({ person, own, onAct }: { person: Person; own: boolean; onAct: (act: { what: PersonAct; person: Person }) => void }) {
  const t = useTranslations('people')
  const notOneself = own ? t('notYourself') : null
  const item = (what: PersonAct, options: { danger?: boolean; reason?: string | null } = {}) => (
    <MenuItem danger={options.danger} disabledReason={options.reason} onSelect={() => onAct({ what, person })}>
      {t(`act.${what}`)}
    </MenuItem>
  )
  return (
    <Menu
      trigger={
        <Button tone="quiet" size="icon-small" hint={t('actionsFor', { name: person.name })}>
          <Ellipsis aria-hidden />
        </Button>
      }
    >
      {item('roles')}
      {item('resetPassword')}
      {item('endSessions')}
      {item('clearTotp', { reason: person.totpEnabled ? null : t('noTwoStep') })}
      <MenuLine />
      {person.disabled ? item('enable') : item('disable', { danger: true, reason: notOneself })}
      {item('remove', { danger: true, reason: notOneself })}
    </Menu>
  )
}
