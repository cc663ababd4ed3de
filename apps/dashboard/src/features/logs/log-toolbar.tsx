'use client'
import {
  CaseSensitive,
  ChevronDown,
  ChevronUp,
  Clock,
  Download,
  Filter,
  ListFilter,
  Regex,
  Search,
  Settings2,
  WrapText,
  X,
} from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { Menu, MenuCheck, MenuItem, MenuLabel, MenuLine, MenuRadio } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import { GoToTime } from './go-to-time'
import type { Line } from './log-buffer'
import type { LogSource } from './log-reader'
import type { LogSearch } from './log-search'
import { saveShown } from './save-shown'

export interface LogSettings {
  time: 'local' | 'utc' | 'off'
  wrap: boolean
  stdout: boolean
  stderr: boolean
  /** A search shows the lines that it finds alone; otherwise all, and one goes from hit to hit. */
  only: boolean
}

/** Search at the agent, how lines are shown, download. */
export function LogToolbar({
  sources,
  settings,
  onSettings,
  search,
  onSearch,
  onFind,
  onTime,
  shown,
  children,
}: {
  sources: readonly LogSource[]
  settings: LogSettings
  onSettings: (settings: LogSettings) => void
  search: LogSearch | null
  onSearch: (search: LogSearch | null) => void
  onFind: (direction: 'older' | 'newer') => void
  /** A time to go to, as an ISO string. */
  onTime: (at: string) => void
  /** The lines that have been read. */
  shown: () => readonly Line[]
  children?: React.ReactNode
}) {
  const t = useTranslations('logs')
  const [draft, setDraft] = useState<LogSearch>(search ?? { text: '', regex: false, invert: false, ignoreCase: true })
  // Another search may come from the address, by Back.
  const [known, setKnown] = useState(search)
  if (search !== known) {
    setKnown(search)
    setDraft(search ?? { ...draft, text: '' })
  }
  const apply = (next: LogSearch) => {
    setDraft(next)
    onSearch(next.text ? next : null)
  }
  const flip = (key: 'regex' | 'invert' | 'ignoreCase', icon: React.ReactNode, hint: string, on: boolean) => (
    <Button
      tone="quiet"
      size="icon-small"
      hint={hint}
      aria-pressed={on}
      className={cn('text-term-ink/70 hover:bg-term-line hover:text-term-ink', on && 'bg-term-pressed text-term-ink')}
      onClick={() => apply({ ...draft, [key]: !draft[key] })}
    >
      {icon}
    </Button>
  )
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-1.5 border-term-line border-b bg-term px-2 py-1.5 text-term-ink">
      <form
        className="relative flex w-full items-center sm:w-80"
        onSubmit={(event) => {
          event.preventDefault()
          apply(draft)
        }}
      >
        <Search className="pointer-events-none absolute left-2 size-3.5 text-term-ink/60" aria-hidden />
        <input
          type="search"
          aria-label={t('search')}
          placeholder={t('search')}
          value={draft.text}
          onChange={(event) => setDraft({ ...draft, text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape') apply({ ...draft, text: '' })
            if (event.key !== 'Enter' || settings.only || search?.text !== draft.text) return
            event.preventDefault()
            onFind(event.shiftKey ? 'newer' : 'older')
          }}
          className="h-7 w-full rounded-md border border-term-line bg-transparent pr-24 pl-7 font-mono text-term-ink text-xs placeholder:font-sans placeholder:text-term-ink/70 [&::-webkit-search-cancel-button]:hidden"
        />
        <span className="absolute right-0.5 flex scale-90">
          {flip('ignoreCase', <CaseSensitive aria-hidden />, t('matchCase'), !draft.ignoreCase)}
          {flip('regex', <Regex aria-hidden />, t('regex'), draft.regex)}
          {flip('invert', <Filter aria-hidden />, t('invert'), draft.invert)}
        </span>
      </form>
      <Button
        tone="quiet"
        size="icon-small"
        hint={t('only')}
        aria-pressed={settings.only}
        className={cn('text-term-ink/70 hover:bg-term-line hover:text-term-ink', settings.only && 'bg-term-pressed text-term-ink')}
        onClick={() => onSettings({ ...settings, only: !settings.only })}
      >
        <ListFilter aria-hidden />
      </Button>
      {search && !settings.only ? (
        <span className="flex">
          {(['older', 'newer'] as const).map((direction) => (
            <Button
              key={direction}
              tone="quiet"
              size="icon-small"
              hint={t(`find.${direction}`)}
              className="text-term-ink/70 hover:bg-term-line hover:text-term-ink"
              onClick={() => onFind(direction)}
            >
              {direction === 'older' ? <ChevronUp aria-hidden /> : <ChevronDown aria-hidden />}
            </Button>
          ))}
        </span>
      ) : null}
      {search ? (
        <Button
          tone="quiet"
          size="small"
          className="text-term-ink hover:bg-term-line hover:text-term-ink"
          onClick={() => apply({ ...draft, text: '' })}
        >
          <X aria-hidden />
          {t('endSearch')}
        </Button>
      ) : null}
      {children}
      <span className="ml-auto flex items-center gap-0.5">
        <Button
          tone="quiet"
          size="icon-small"
          hint={t('wrap')}
          aria-pressed={settings.wrap}
          className={cn('text-term-ink/70 hover:bg-term-line hover:text-term-ink', settings.wrap && 'bg-term-line text-term-ink')}
          onClick={() => onSettings({ ...settings, wrap: !settings.wrap })}
        >
          <WrapText aria-hidden />
        </Button>
        <GoToTime utc={settings.time === 'utc'} onTime={onTime} />
        <Menu
          trigger={
            <Button tone="quiet" size="icon-small" hint={t('time')} className="text-term-ink/70 hover:bg-term-line hover:text-term-ink">
              <Clock aria-hidden />
            </Button>
          }
        >
          <MenuLabel>{t('time')}</MenuLabel>
          <MenuRadio
            value={settings.time}
            onChange={(time) => onSettings({ ...settings, time })}
            choices={[
              { value: 'local', label: t('times.local') },
              { value: 'utc', label: t('times.utc') },
              { value: 'off', label: t('times.off') },
            ]}
          />
        </Menu>
        <Menu
          trigger={
            <Button tone="quiet" size="icon-small" hint={t('streams')} className="text-term-ink/70 hover:bg-term-line hover:text-term-ink">
              <Settings2 aria-hidden />
            </Button>
          }
        >
          <MenuLabel>{t('streams')}</MenuLabel>
          <MenuCheck checked={settings.stdout} onChange={(stdout) => (stdout || settings.stderr) && onSettings({ ...settings, stdout })}>
            stdout
          </MenuCheck>
          <MenuCheck checked={settings.stderr} onChange={(stderr) => (stderr || settings.stdout) && onSettings({ ...settings, stderr })}>
            stderr
          </MenuCheck>
          <MenuLine />
          <MenuLabel>{t('download')}</MenuLabel>
          {sources.map((source) => (
            <MenuItem
              key={`${source.hostId}${source.container}`}
              onSelect={() =>
                window.location.assign(dataUrl(source.hostId, 'logs/download', { container: source.container, timestamps: 'true' }))
              }
            >
              <Download aria-hidden />
              {source.name}
            </MenuItem>
          ))}
          <MenuItem onSelect={() => saveShown(shown(), sources)}>
            <Download aria-hidden />
            {t('downloadShown')}
          </MenuItem>
        </Menu>
      </span>
    </div>
  )
}
