'use client'
import { CaseSensitive, Clock, Download, Filter, Regex, Search, Settings2, WrapText, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { Menu, MenuCheck, MenuItem, MenuLabel, MenuLine, MenuRadio } from '../../ui/menu'
import { dataUrl } from '../../wire/agent'
import type { LogSearch, LogSource } from './use-log'

export interface LogSettings {
  time: 'local' | 'utc' | 'off'
  wrap: boolean
  stdout: boolean
  stderr: boolean
}

/** Search at the agent, how lines are shown, download. */
export function LogToolbar({
  sources,
  settings,
  onSettings,
  search,
  onSearch,
  children,
}: {
  sources: readonly LogSource[]
  settings: LogSettings
  onSettings: (settings: LogSettings) => void
  search: LogSearch | null
  onSearch: (search: LogSearch | null) => void
  children?: React.ReactNode
}) {
  const t = useTranslations('logs')
  const [draft, setDraft] = useState<LogSearch>(search ?? { text: '', regex: false, invert: false, ignoreCase: true })
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
          onKeyDown={(event) => event.key === 'Escape' && apply({ ...draft, text: '' })}
          className="h-7 w-full rounded-md border border-term-line bg-transparent pr-24 pl-7 font-mono text-term-ink text-xs placeholder:font-sans placeholder:text-term-ink/70 [&::-webkit-search-cancel-button]:hidden"
        />
        <span className="absolute right-0.5 flex scale-90">
          {flip('ignoreCase', <CaseSensitive aria-hidden />, t('matchCase'), !draft.ignoreCase)}
          {flip('regex', <Regex aria-hidden />, t('regex'), draft.regex)}
          {flip('invert', <Filter aria-hidden />, t('invert'), draft.invert)}
        </span>
      </form>
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
        </Menu>
      </span>
    </div>
  )
}
