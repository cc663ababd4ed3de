import type { ReactNode } from 'react'
import { cn } from './class-names'

export type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'accent' | 'brass'

const ground: Record<Tone, string> = {
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  calm: 'bg-calm-soft text-calm',
  accent: 'bg-accent-soft text-accent',
  brass: 'bg-brass-soft text-brass',
}

/** A short word on a soft ground. */
export function Badge({ tone = 'calm', children, className }: { tone?: Tone; children: ReactNode; className?: string }) {
  return (
    <span
      className={cn(
        'inline-flex max-w-full items-center gap-1 whitespace-nowrap rounded-sm px-1.5 py-px font-medium text-xs [&_svg]:size-3',
        ground[tone],
        className,
      )}
    >
      {children}
    </span>
  )
}

export type Shape = 'full' | 'half' | 'alert' | 'ring' | 'bars' | 'cross' | 'turning' | 'dash'

const ink: Record<Tone, string> = {
  good: 'text-good',
  warn: 'text-warn',
  bad: 'text-bad',
  calm: 'text-ink-3',
  accent: 'text-accent',
  brass: 'text-brass',
}

/** A small mark that tells a state by shape as well as by colour. Decoration: the word stands beside it. */
export function StateMark({ shape, tone, className }: { shape: Shape; tone: Tone; className?: string }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true" className={cn('size-3 shrink-0', ink[tone], shape === 'turning' && 'turning', className)}>
      {shape === 'full' ? <circle cx="6" cy="6" r="4.25" fill="currentColor" /> : null}
      {shape === 'half' ? (
        <>
          <circle cx="6" cy="6" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M6 2.5a3.5 3.5 0 0 1 0 7z" fill="currentColor" />
        </>
      ) : null}
      {shape === 'alert' ? (
        <path d="M6 1.6 11 10.4H1z" fill="currentColor" stroke="currentColor" strokeWidth="1.2" strokeLinejoin="round" />
      ) : null}
      {shape === 'ring' ? <circle cx="6" cy="6" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.5" /> : null}
      {shape === 'bars' ? <path d="M3.5 2.5v7M8.5 2.5v7" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" /> : null}
      {shape === 'cross' ? <path d="m3 3 6 6M9 3 3 9" stroke="currentColor" strokeWidth="2" strokeLinecap="round" /> : null}
      {shape === 'dash' ? <path d="M2.5 6h7" stroke="currentColor" strokeWidth="2" strokeLinecap="round" /> : null}
      {shape === 'turning' ? (
        <path d="M6 1.75A4.25 4.25 0 1 1 1.75 6" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" />
      ) : null}
    </svg>
  )
}

/** Mark and word together. */
export function StateLabel({
  shape,
  tone,
  children,
  wrap,
  className,
}: {
  shape: Shape
  tone: Tone
  children: ReactNode
  /** Goes over several lines where there is no room; else it is cut off. */
  wrap?: boolean
  className?: string
}) {
  return (
    <span className={cn('inline-flex min-w-0 gap-1.5', wrap ? 'items-start' : 'items-center whitespace-nowrap', className)}>
      <StateMark shape={shape} tone={tone} className={wrap ? 'mt-1' : undefined} />
      <span className={cn('min-w-0', !wrap && 'truncate')}>{children}</span>
    </span>
  )
}
