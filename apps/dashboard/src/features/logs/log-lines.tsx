'use client'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDownToLine, LoaderCircle, WifiOff } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { Button } from '../../ui/button'
import { errorMessage } from '../../ui/error-message'
import { Sentence } from '../../ui/sentence'
import { type Line, lineKey } from './log-buffer'
import { type LineLook, LogLine } from './log-line'
import type { LogReader, LogView as LogState, Moment } from './log-reader'
import { type LogSearch, lineTest } from './log-search'
import { LogVoice } from './log-voice'
import { useHitMarks } from './use-hit-marks'

export interface LogLinesHandle {
  /** Goes to the next line that the search finds: among those that are here, then at the agent. */
  find: (direction: 'older' | 'newer') => Promise<void>
}

interface LogLinesProps {
  ref: Ref<LogLinesHandle>
  log: LogState
  reader: LogReader
  look: LineLook
  search: LogSearch | null
  /** Only what the search finds is here. */
  filtered: boolean
  moment: Moment | null
  onMoment: (moment: Moment) => void
  onLive: () => void
}

/** The lines themselves: as many in the page as fit, the others are only counted. */
export function LogLines({ ref, log, reader, look, search, filtered, moment, onMoment, onLive }: LogLinesProps) {
  const t = useTranslations('logs')
  const scroller = useRef<HTMLDivElement>(null)
  const [following, setFollowing] = useState(moment === null)
  reader.following = following
  const virtual = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 30,
    getItemKey: (index) => log.lines[index]?.key ?? index,
  })
  useStayInPlace(log, following, virtual)
  const [marked, setMarked] = useMarked(log, moment, virtual)
  const finder = useFinder({ log, reader, search, marked, virtual, onMoment })
  useImperativeHandle(ref, () => ({
    find: (direction) =>
      finder.find(direction, (line) => {
        setFollowing(false)
        setMarked(line.key)
      }),
  }))
  useHitMarks(scroller, search)
  const lastTop = useRef(0)
  const onScroll = () => {
    const element = scroller.current
    if (!element) return
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight
    const up = element.scrollTop < lastTop.current - 1
    lastTop.current = element.scrollTop
    if (up && fromEnd > 24) setFollowing(false)
    else if (fromEnd < 8 && !log.inThePast) setFollowing(true)
    if (element.scrollTop < 300) void reader.older()
    if (fromEnd < 300 && log.inThePast) void reader.newer()
  }
  // A log that does not fill the screen cannot be scrolled up: what is before its lines is read at once. A search looks further back when it is told to.
  useEffect(() => {
    const element = scroller.current
    if (!element || filtered || log.busy || log.atBeginning || log.state !== 'live' || log.lines.length === 0) return
    if (element.scrollHeight <= element.clientHeight) void reader.older()
  }, [reader, filtered, log.busy, log.atBeginning, log.state, log.lines])
  const items = virtual.getVirtualItems()
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label={t('log')}
        // A busy log would never let its reader speak of anything else: LogVoice tells what comes.
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto font-mono text-xs leading-5 outline-offset-[-2px]"
      >
        <Beginning log={log} searching={filtered} onOlder={() => void reader.older()} />
        <div className="relative min-w-full" style={{ height: virtual.getTotalSize(), width: look.wrap ? undefined : 'max-content' }}>
          <div
            className={look.wrap ? 'absolute inset-x-0 top-0' : 'absolute top-0 min-w-full'}
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map((item) => {
              const line = log.lines[item.index]
              return line ? (
                <div key={item.key} data-index={item.index} ref={virtual.measureElement}>
                  <LogLine line={line} look={look} marked={line.key === marked} />
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
      <LogVoice lines={log.lines} following={following && !log.inThePast} />
      <LogStatus log={log} found={finder.state} />
      {following && !log.inThePast ? null : (
        <Button
          tone="primary"
          size="small"
          className="absolute right-5 bottom-4 shadow-pop"
          onClick={() => {
            onLive()
            reader.live()
            setFollowing(true)
            if (log.lines.length > 0) virtual.scrollToIndex(log.lines.length - 1, { align: 'end' })
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

/** The line that a link, a time or a search points at. Goes there once. */
function useMarked(log: LogState, moment: Moment | null, virtual: Virtual) {
  const [marked, setMarked] = useState(moment && 'offset' in moment ? lineKey(moment.source, moment.offset) : null)
  const done = useRef(false)
  useEffect(() => {
    if (moment === null || done.current || log.busy || log.lines.length === 0) return
    const isThere = (line: Line) =>
      'offset' in moment
        ? line.source === moment.source && line.record.offset >= moment.offset
        : Date.parse(line.record.at) >= Date.parse(moment.time)
    const index = log.lines.findIndex(isThere)
    done.current = true
    const line = log.lines[index]
    if (line) setMarked(line.key)
    virtual.scrollToIndex(index < 0 ? log.lines.length - 1 : index, { align: 'center' })
  }, [log.lines, log.busy, moment, virtual])
  return [marked, setMarked] as const
}

type Finding = 'searching' | 'none' | { failure: unknown } | null

/** From the marked line, or from what is on screen, to the next hit. */
function useFinder({
  log,
  reader,
  search,
  marked,
  virtual,
  onMoment,
}: Pick<LogLinesProps, 'log' | 'reader' | 'search' | 'onMoment'> & { marked: string | null; virtual: Virtual }) {
  const [state, setState] = useState<Finding>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was found belongs to what was searched for
  useEffect(() => setState(null), [search])
  const find = async (direction: 'older' | 'newer', onHit: (line: Line) => void) => {
    if (!search || state === 'searching') return
    const fits = lineTest(search)
    const known = log.lines.findIndex((line) => line.key === marked)
    const step = direction === 'older' ? -1 : 1
    const [top, bottom] = [virtual.range?.startIndex ?? 0, virtual.range?.endIndex ?? log.lines.length - 1]
    // The marked line, unless one has scrolled away from it.
    let index = known >= top && known <= bottom ? known + step : direction === 'older' ? bottom : top
    while (index >= 0 && index < log.lines.length && !fits((log.lines[index] as Line).record)) index += step
    const hit = log.lines[index]
    if (hit) {
      setState(null)
      onHit(hit)
      virtual.scrollToIndex(index, { align: 'center' })
      return
    }
    setState('searching')
    try {
      const moment = await reader.find(search, direction)
      setState(moment ? null : 'none')
      if (moment) onMoment(moment)
    } catch (failure) {
      setState({ failure })
    }
  }
  return { find, state }
}

function Beginning({ log, searching, onOlder }: { log: LogState; searching: boolean; onOlder: () => void }) {
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
    <button type="button" className="px-3 py-1.5 text-ansi-14 hover:underline" onClick={onOlder}>
      {searching ? t('searchOlder', { found: log.lines.length, scanned: format(log.scanned) }) : t('loadOlder')}
    </button>
  )
}

function LogStatus({ log, found }: { log: LogState; found: Finding }) {
  const t = useTranslations('logs')
  const failure = log.failure ?? (found && typeof found === 'object' ? found.failure : null)
  if (failure)
    return (
      <p role="alert" className="shrink-0 bg-term-bad px-3 py-1.5 text-sm text-ansi-15">
        <Sentence>{errorMessage(failure)}</Sentence>
      </p>
    )
  if (log.state === 'lost')
    return (
      <p role="status" className="flex shrink-0 items-center gap-2 bg-term-warn px-3 py-1.5 text-sm text-ansi-11">
        <WifiOff className="size-3.5" aria-hidden />
        {t('lost')}
      </p>
    )
  if (found === 'searching' || found === 'none')
    return (
      <p role="status" className="shrink-0 px-3 py-1.5 text-sm text-term-muted">
        {t(found === 'none' ? 'noFurtherHit' : 'findingHit')}
      </p>
    )
  return null
}
