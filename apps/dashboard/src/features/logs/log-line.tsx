'use client'
import { useTranslations } from 'next-intl'
import { memo, useMemo, useState } from 'react'
import { AnsiText } from '../../ui/ansi-text'
import { cn } from '../../ui/class-names'
import { visibleText } from '../../ui/visible-text'
import type { Line } from './log-buffer'
import { type Level, readLine } from './log-text'

export interface LineLook {
  time: 'local' | 'utc' | 'off'
  wrap: boolean
  /** Names of the merged logs; null when there is only one. */
  names: readonly string[] | null
  /** Path of a line's own address. */
  link: (line: Line) => string
}

const levelInk: Record<NonNullable<Level>, string> = {
  error: 'var(--ansi-1)',
  warn: 'var(--ansi-3)',
  info: 'var(--ansi-4)',
  debug: 'var(--term-muted)',
}
/** Shown already, in the line's own time. */
const timeKeys = new Set(['time', 'ts', 'timestamp', '@timestamp', 'datetime'])
const sourceInk = [6, 3, 5, 2, 1, 4]

/** `03-21 14:05:09.123`, in local time or UTC. */
export function timeText(at: string, utc: boolean): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return at
  const two = (value: number) => `${value}`.padStart(2, '0')
  const parts = utc
    ? [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()]
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = parts
  return `${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}.${`${ms}`.padStart(3, '0')}`
}

/** One line: its level at the edge, its time (a link to this moment), whose it is, what it says. A structured line opens on a click. */
export const LogLine = memo(function LogLine({ line, look, marked }: { line: Line; look: LineLook; marked: boolean }) {
  const t = useTranslations('logs')
  const [open, setOpen] = useState(false)
  const read = useMemo(() => readLine(line.record.text), [line])
  const structured = read.kind !== 'text'
  // A line that says nothing beside its message has nothing to open.
  const opens = read.kind === 'json' || (structured && read.fields.length > 0)
  const level = read.level ?? (line.record.stream === 'stderr' ? 'stderr' : null)
  const edge = level === 'stderr' ? 'color-mix(in oklch, var(--ansi-1) 55%, transparent)' : level ? levelInk[level] : 'transparent'
  return (
    <div
      className={cn('group relative pr-3 pl-3 hover:bg-term-line/50', marked && 'bg-term-mark')}
      data-level={level ?? undefined}
      data-marked={marked || undefined}
    >
      <svg className="absolute inset-y-0 left-0 h-full w-0.75" aria-hidden="true" preserveAspectRatio="none">
        <rect width="3" height="100%" fill={edge} />
      </svg>
      <div className={cn('flex gap-2.5', look.wrap ? 'break-all' : 'whitespace-pre')}>
        {look.time === 'off' ? null : (
          <a
            href={look.link(line)}
            title={t('linkToMoment')}
            tabIndex={-1}
            className="tabular shrink-0 select-none text-term-muted hover:underline"
          >
            <span className="max-sm:hidden">{timeText(line.record.at, look.time === 'utc').slice(0, 6)}</span>
            {timeText(line.record.at, look.time === 'utc').slice(6)}
          </a>
        )}
        {look.names ? (
          <span
            className="w-28 shrink-0 select-none truncate max-sm:w-16"
            style={{ color: `var(--ansi-${sourceInk[line.source % sourceInk.length]})` }}
          >
            {look.names[line.source]}
          </span>
        ) : null}
        <span className={cn('min-w-0', look.wrap && 'whitespace-pre-wrap')}>
          {level ? <span className="sr-only">{level === 'stderr' ? 'stderr ' : `${level} `}</span> : null}
          {structured ? (
            opens ? (
              <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="text-left">
                <Structured read={read} folded={!open} timeShown={look.time !== 'off'} />
              </button>
            ) : (
              <Structured read={read} folded timeShown={look.time !== 'off'} />
            )
          ) : (
            <PlainLine text={line.record.text} />
          )}
        </span>
      </div>
      {open ? <Fields text={line.record.text} fields={read.fields} kind={read.kind} /> : null}
    </div>
  )
})

/** Level, message and the first fields of a line that a program wrote for programs. */
function Structured({ read, folded, timeShown }: { read: ReturnType<typeof readLine>; folded: boolean; timeShown: boolean }) {
  return (
    <>
      {read.level ? (
        <span className="font-semibold" style={{ color: levelInk[read.level] }}>
          {read.level.toUpperCase()}{' '}
        </span>
      ) : null}
      <AnsiText text={read.message} />
      {folded ? (
        <span className="text-term-muted">
          {read.fields
            .filter(([key]) => !timeShown || !timeKeys.has(key))
            .slice(0, 8)
            .map(([key, value]) => (
              <span key={key}>
                {' '}
                <span className="text-ansi-6">{visibleText(key)}</span>={visibleText(value.length > 60 ? `${value.slice(0, 60)}…` : value)}
              </span>
            ))}
        </span>
      ) : null}
    </>
  )
}

/** Longer lines are folded, so that one does not fill the screen. */
const longestShown = 2000

function PlainLine({ text }: { text: string }) {
  const t = useTranslations('logs')
  const [whole, setWhole] = useState(false)
  if (whole || text.length <= longestShown) return <AnsiText text={text} />
  return (
    <>
      <AnsiText text={text.slice(0, longestShown)} />
      <button type="button" className="ml-1 select-none text-ansi-14 hover:underline" onClick={() => setWhole(true)}>
        {`… ${t('wholeLine', { count: text.length })}`}
      </button>
    </>
  )
}

function Fields({ text, fields, kind }: { text: string; fields: readonly (readonly [string, string])[]; kind: string }) {
  if (kind === 'json') {
    try {
      return (
        <pre className="my-1 ml-4 whitespace-pre-wrap break-all border-term-line border-l pl-3 text-ansi-7">
          {visibleText(JSON.stringify(JSON.parse(text), null, 2))}
        </pre>
      )
    } catch {
      return <pre className="my-1 ml-4 whitespace-pre-wrap break-all">{visibleText(text)}</pre>
    }
  }
  return (
    <dl className="my-1 ml-4 grid grid-cols-[auto_1fr] gap-x-3 border-term-line border-l pl-3">
      {fields.map(([key, value]) => (
        <div key={key} className="contents">
          <dt className="text-ansi-6">{visibleText(key)}</dt>
          <dd className="break-all">{visibleText(value)}</dd>
        </div>
      ))}
    </dl>
  )
}
