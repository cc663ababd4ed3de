'use client'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDownToLine, LoaderCircle, WifiOff } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { errorMessage } from '../../ui/error-message'
import { useStoredState } from '../../ui/stored-state'
import type { Line } from './log-buffer'
import { type LineLook, LogLine } from './log-line'
import { type LogSettings, LogToolbar } from './log-toolbar'
import { type LogSearch, type LogSource, type LogState, useLog } from './use-log'

const usualSettings: LogSettings = { time: 'local', wrap: true, stdout: true, stderr: true }

/**
 * The log of one container, or of several merged by time. Follows while one is at the lower end, stands still when one scrolls up, fills in older
 * lines up to the first ever, searches at the agent. `at`: a moment to begin at, from a link.
 */
export function LogView({
  sources,
  at = null,
  tools,
  className,
}: {
  sources: readonly LogSource[]
  at?: number | null
  tools?: ReactNode
  className?: string
}) {
  const [settings, setSettings] = useStoredState('logs', usualSettings)
  const [search, setSearch] = useState<LogSearch | null>(null)
  const [moment, setMoment] = useState(at)
  useEffect(() => setMoment(at), [at])
  const log = useLog({
    sources,
    stdout: settings.stdout,
    stderr: settings.stderr,
    search,
    at: search || sources.length > 1 ? null : moment,
  })
  const link = useCallback(
    (line: Line) => {
      const source = sources[line.source] as LogSource
      return `/h/${encodeURIComponent(source.hostId)}/containers/${source.container}?tab=logs&at=${line.record.offset}`
    },
    [sources],
  )
  const look = useMemo<LineLook>(
    () => ({ time: settings.time, wrap: settings.wrap, names: sources.length > 1 ? sources.map((source) => source.name) : null, link }),
    [settings.time, settings.wrap, sources, link],
  )
  return (
    <div className={cn('flex min-h-0 flex-1 flex-col bg-term text-term-ink', className)}>
      <LogToolbar sources={sources} settings={settings} onSettings={setSettings} search={search} onSearch={setSearch}>
        {tools}
      </LogToolbar>
      <LogLines
        key={JSON.stringify([search, moment, sources])}
        log={log}
        look={look}
        searching={search !== null}
        marked={moment}
        onLive={() => setMoment(null)}
      />
    </div>
  )
}

function LogLines({
  log,
  look,
  searching,
  marked,
  onLive,
}: {
  log: LogState
  look: LineLook
  searching: boolean
  marked: number | null
  onLive: () => void
}) {
  const t = useTranslations('logs')
  const scroller = useRef<HTMLDivElement>(null)
  const [following, setFollowing] = useState(marked === null)
  const virtual = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 30,
    getItemKey: (index) => log.lines[index]?.key ?? index,
  })
  useStayInPlace(log, following, virtual)
  useMarked(log, marked, virtual)
  const lastTop = useRef(0)
  const onScroll = () => {
    const element = scroller.current
    if (!element) return
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight
    const up = element.scrollTop < lastTop.current - 1
    lastTop.current = element.scrollTop
    if (up && fromEnd > 24) setFollowing(false)
    else if (fromEnd < 8 && !log.inThePast) setFollowing(true)
    if (element.scrollTop < 300) void log.older()
    if (fromEnd < 300 && log.inThePast) void log.newer()
  }
  const items = virtual.getVirtualItems()
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label={t('log')}
        aria-live={following ? 'polite' : 'off'}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto font-mono text-xs leading-5 outline-offset-[-2px]"
      >
        <Beginning log={log} searching={searching} />
        <div className="relative min-w-full" style={{ height: virtual.getTotalSize(), width: look.wrap ? undefined : 'max-content' }}>
          <div
            className={look.wrap ? 'absolute inset-x-0 top-0' : 'absolute top-0 min-w-full'}
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map((item) => {
              const line = log.lines[item.index]
              return line ? (
                <div key={item.key} data-index={item.index} ref={virtual.measureElement}>
                  <LogLine line={line} look={look} marked={line.record.offset === marked} />
                </div>
              ) : null
            })}
          </div>
        </div>
        {log.gone || (log.state === 'ended' && log.lines.length > 0) ? (
          <p className="px-3 py-2 text-term-muted" role="status">
            {t(log.gone ? 'gone' : 'ended')}
          </p>
        ) : null}
      </div>
      <LogStatus log={log} />
      {following && !log.inThePast ? null : (
        <Button
          tone="primary"
          size="small"
          className="absolute right-5 bottom-4 shadow-pop"
          onClick={() => {
            onLive()
            setFollowing(true)
            virtual.scrollToIndex(log.lines.length - 1, { align: 'end' })
          }}
        >
          <ArrowDownToLine aria-hidden />
          {t('jumpToLive')}
        </Button>
      )}
    </div>
  )
}

type Virtual = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>

/** At the end while following; otherwise the same line stays where it is when lines are added or dropped above it. */
function useStayInPlace(log: LogState, following: boolean, virtual: Virtual) {
  const before = useRef({ added: log.added, dropped: log.dropped })
  useLayoutEffect(() => {
    const shift = log.added - before.current.added - (log.dropped - before.current.dropped)
    before.current = { added: log.added, dropped: log.dropped }
    if (following) {
      if (log.lines.length > 0) virtual.scrollToIndex(log.lines.length - 1, { align: 'end' })
    } else if (shift !== 0) {
      virtual.scrollToOffset(Math.max(0, (virtual.scrollOffset ?? 0) + shift * 20))
    }
  }, [log.lines, log.added, log.dropped, following, virtual])
}

/** Goes once to the line that a link points at. */
function useMarked(log: LogState, marked: number | null, virtual: Virtual) {
  const done = useRef(false)
  useEffect(() => {
    if (marked === null || done.current || log.lines.length === 0) return
    const index = log.lines.findIndex((line) => line.record.offset >= marked)
    done.current = true
    virtual.scrollToIndex(index < 0 ? log.lines.length - 1 : index, { align: 'center' })
  }, [log.lines, marked, virtual])
}

function Beginning({ log, searching }: { log: LogState; searching: boolean }) {
  const t = useTranslations('logs')
  const format = (value: number) => value.toLocaleString()
  if (log.busy)
    return (
      <p className="flex items-center gap-2 px-3 py-1.5 text-term-muted" role="status">
        <LoaderCircle className="turning size-3" aria-hidden />
        {searching ? t('searching', { count: format(log.scanned) }) : t('loadingOlder')}
      </p>
    )
  const empty = log.lines.length === 0 && !searching && (log.state === 'live' || log.state === 'ended') && !log.failure
  if (log.atBeginning || empty)
    return (
      <p className="px-3 py-1.5 text-term-muted">
        {searching ? t('searchedAll', { found: log.lines.length, scanned: format(log.scanned) }) : t(empty ? 'nothing' : 'beginning')}
      </p>
    )
  if (log.state === 'loading') return <p className="px-3 py-1.5 text-term-muted">{t('loading')}</p>
  return (
    <button type="button" className="px-3 py-1.5 text-ansi-14 hover:underline" onClick={() => void log.older()}>
      {searching ? t('searchOlder', { found: log.lines.length, scanned: format(log.scanned) }) : t('loadOlder')}
    </button>
  )
}

function LogStatus({ log }: { log: LogState }) {
  const t = useTranslations('logs')
  if (log.failure)
    return (
      <p role="alert" className="shrink-0 bg-term-bad px-3 py-1.5 text-sm text-ansi-15">
        {errorMessage(log.failure)}
      </p>
    )
  if (log.state === 'lost')
    return (
      <p role="status" className="flex shrink-0 items-center gap-2 bg-term-warn px-3 py-1.5 text-sm text-ansi-11">
        <WifiOff className="size-3.5" aria-hidden />
        {t('lost')}
      </p>
    )
  return null
}
