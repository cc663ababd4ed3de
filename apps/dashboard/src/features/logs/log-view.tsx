'use client'
import { type ReactNode, useCallback, useMemo, useRef, useState } from 'react'
import { cn } from '../../ui/class-names'
import { useStoredState } from '../../ui/stored-state'
import type { Line } from './log-buffer'
import { LogLines, type LogLinesHandle } from './log-lines'
import type { LogSource, Moment } from './log-reader'
import type { LogSearch } from './log-search'
import { type LogSettings, LogToolbar } from './log-toolbar'
import { lineAddress, momentOf } from './moment'
import { useLog } from './use-log'

const usualSettings: LogSettings = { time: 'local', wrap: true, stdout: true, stderr: true, only: true }

/**
 * The log of one container, or of several merged by time. Follows while one is at the lower end, stands still when one scrolls up, fills in older
 * lines up to the first ever, searches at the agent. `at` and `search`: what to begin at and what to look for, as they stand in an address; `onAt` and
 * `onSearch` keep them there, and without these the view keeps them itself.
 */
export function LogView({
  sources,
  at,
  onAt,
  search: namedSearch = null,
  onSearch,
  tools,
  className,
}: {
  sources: readonly LogSource[]
  at?: string | null
  onAt?: (at: string | null) => void
  search?: LogSearch | null
  onSearch?: (search: LogSearch | null) => void
  tools?: ReactNode
  className?: string
}) {
  const [stored, setSettings] = useStoredState('logs', usualSettings)
  const settings = useMemo(() => ({ ...usualSettings, ...stored }), [stored])
  const [ownSearch, setOwnSearch] = useState<LogSearch | null>(null)
  const search = onSearch ? namedSearch : ownSearch
  // A line of another log than the first, or a hit, which the address does not name.
  const [jump, setJump] = useState<{ under: string | null; moment: Moment } | null>(null)
  const [ownAt, setOwnAt] = useState<string | null>(null)
  const named = onAt ? (at ?? null) : ownAt
  const moment = useMemo(() => (jump && jump.under === named ? jump.moment : momentOf(named)), [jump, named])
  const goTo = useCallback(
    (next: string | null) => {
      setJump(null)
      ;(onAt ?? setOwnAt)(next)
    },
    [onAt],
  )
  const filter = settings.only ? search : null
  const { log, reader } = useLog({
    sources,
    stdout: settings.stdout,
    stderr: settings.stderr,
    search: filter,
    at: filter ? null : moment,
  })
  const lines = useRef<LogLinesHandle>(null)
  const link = useCallback((line: Line) => lineAddress(sources, line), [sources])
  const look = useMemo(
    () => ({ time: settings.time, wrap: settings.wrap, names: sources.length > 1 ? sources.map((source) => source.name) : null, link }),
    [settings.time, settings.wrap, sources, link],
  )
  return (
    <div className={cn('flex min-h-0 flex-1 flex-col bg-term text-term-ink', className)}>
      <LogToolbar
        sources={sources}
        settings={settings}
        onSettings={setSettings}
        search={search}
        onSearch={onSearch ?? setOwnSearch}
        onFind={(direction) => void lines.current?.find(direction)}
        onTime={goTo}
        shown={() => log.lines}
      >
        {tools}
      </LogToolbar>
      <LogLines
        key={JSON.stringify([filter, moment, sources])}
        ref={lines}
        log={log}
        reader={reader}
        look={look}
        search={search}
        filtered={filter !== null}
        moment={filter ? null : moment}
        onMoment={(next) => setJump({ under: named, moment: next })}
        onLive={() => goTo(null)}
      />
    </div>
  )
}
