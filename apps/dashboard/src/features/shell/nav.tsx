'use client'
import {
  Activity,
  Box,
  CalendarClock,
  Database,
  HardDrive,
  Layers,
  type LucideIcon,
  Network,
  ScrollText,
  Server,
  Users,
} from 'lucide-react'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useId } from 'react'
import { cn } from '../../ui/class-names'
import { everyHost, useAcross } from '../../wire/across'
import { useHosts } from '../../wire/hosts'
import { HostSwitcher } from './host-switcher'
import { pathOf, usePlace } from './place'
import { useRunningCount } from './running-operations'

interface Entry {
  noun: string
  path: string
  icon: LucideIcon
  count?: number
}

/** Where one can go. `onGo` runs when an entry was chosen (closes the sheet on a phone). */
export function Nav({ onGo }: { onGo?: () => void }) {
  const t = useTranslations('shell')
  const { scope } = usePlace()
  const running = useRunningCount()
  const { hosts } = useHosts()
  const containers = useAcross(scope, 'containers')
  // A host that has not answered yet has not none.
  const neverRead = scope !== everyHost && containers.gaps.some((gap) => gap.asOf === null)
  const main: Entry[] = [
    {
      noun: scope === everyHost ? 'hosts' : 'host',
      path: pathOf(scope, ''),
      icon: Server,
      count: scope === everyHost ? hosts.length : undefined,
    },
    {
      noun: 'containers',
      path: pathOf(scope, 'containers'),
      icon: Box,
      count: containers.pending || containers.error || neverRead ? undefined : containers.rows.length,
    },
    { noun: 'images', path: pathOf(scope, 'images'), icon: Layers },
    { noun: 'volumes', path: pathOf(scope, 'volumes'), icon: HardDrive },
    { noun: 'networks', path: pathOf(scope, 'networks'), icon: Network },
    { noun: 'registries', path: pathOf(scope, 'registries'), icon: Database },
  ]
  const watch: Entry[] = [
    { noun: 'activity', path: pathOf(scope, 'activity'), icon: Activity, count: running || undefined },
    { noun: 'events', path: pathOf(scope, 'events'), icon: CalendarClock },
  ]
  const admin: Entry[] = [
    { noun: 'people', path: '/people', icon: Users },
    { noun: 'audit', path: '/audit', icon: ScrollText },
  ]
  return (
    <nav aria-label={t('navigation')} className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-2.5">
      <HostSwitcher />
      <Group entries={main} onGo={onGo} />
      <Group title={t('watch')} entries={watch} onGo={onGo} />
      <Group title={t('administration')} entries={admin} onGo={onGo} />
    </nav>
  )
}

function Group({ title, entries, onGo }: { title?: string; entries: readonly Entry[]; onGo?: () => void }) {
  const t = useTranslations('shell')
  const path = usePathname()
  const id = useId()
  return (
    <div>
      {/* Names the list, and is no heading: the first heading of a page is what the page is about. */}
      {title ? (
        <p id={id} className="eyebrow px-2.5 pb-1">
          {title}
        </p>
      ) : null}
      <ul aria-labelledby={title ? id : undefined} className="grid gap-px">
        {entries.map((entry) => {
          const here = path === entry.path || (path.startsWith(`${entry.path}/`) && entry.noun !== 'host' && entry.noun !== 'hosts')
          return (
            <li key={entry.noun}>
              <Link
                href={entry.path}
                onClick={onGo}
                aria-current={here ? 'page' : undefined}
                className={cn(
                  'relative flex h-8 items-center gap-2.5 rounded-md px-2.5 text-ink-2 transition-colors duration-(--quick) hover:bg-hover hover:text-ink pointer-coarse:h-11',
                  here &&
                    'bg-accent-soft font-medium text-ink before:absolute before:inset-y-1.5 before:-left-2.5 before:w-0.75 before:rounded-r-full before:bg-accent',
                )}
              >
                <entry.icon className={cn('size-4 shrink-0', here ? 'text-accent' : 'text-ink-3')} strokeWidth={1.75} aria-hidden />
                <span className="min-w-0 flex-1 truncate">{t(`nav.${entry.noun as 'hosts'}`)}</span>
                {entry.count === undefined ? null : <span className="tabular text-ink-3 text-xs">{entry.count}</span>}
              </Link>
            </li>
          )
        })}
      </ul>
    </div>
  )
}
