'use client'
import { useEffect, useRef } from 'react'
import { cn } from './class-names'
import { useFormat } from './format'
import { Sentence } from './sentence'

export interface ProgressLine {
  id?: string
  status?: string
  currentBytes?: number
  totalBytes?: number
  text?: string
}

/** Parts of a long task, each with its bar; free text below as a program wrote it. Stays at the end while one is there. */
export function ProgressList({ lines, label, className }: { lines: readonly ProgressLine[]; label: string; className?: string }) {
  const format = useFormat()
  const scroller = useRef<HTMLElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason to scroll
  useEffect(() => {
    if (atEnd.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight
  }, [lines])
  return (
    <section
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={(event) => {
        const element = event.currentTarget
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
      }}
      className={cn('min-h-0 overflow-auto bg-term px-3 py-2 font-mono text-term-ink text-xs leading-5', className)}
    >
      {lines.map((line, index) => {
        const share = line.totalBytes ? Math.min(1, (line.currentBytes ?? 0) / line.totalBytes) : null
        const done = line.status !== undefined && /complete|exists|pushed|mounted/i.test(line.status)
        return (
          <div key={line.id ?? `#${index}`} className="flex items-center gap-3" data-progress={line.id}>
            {line.id ? <span className="w-28 shrink-0 truncate text-term-muted">{line.id}</span> : null}
            {line.status ? (
              <span className={cn('shrink-0', done ? 'text-ansi-2' : 'text-ansi-7')}>
                <Sentence kind="progress">{line.status}</Sentence>
              </span>
            ) : null}
            {share === null || done ? null : (
              <svg
                viewBox="0 0 100 6"
                preserveAspectRatio="none"
                className="h-1.5 w-40 max-w-[30%] shrink rounded-full"
                role="img"
                aria-label={format.percent(share * 100)}
              >
                <rect width="100" height="6" fill="var(--term-line)" />
                <rect width={share * 100} height="6" fill="var(--ansi-6)" />
              </svg>
            )}
            {line.totalBytes && !done ? (
              <span className="tabular shrink-0 text-term-muted">
                {format.bytes(line.currentBytes ?? 0)} / {format.bytes(line.totalBytes)}
              </span>
            ) : null}
            {line.text ? <span className="min-w-0 whitespace-pre-wrap break-all">{line.text.replace(/\n$/, '')}</span> : null}
          </div>
        )
      })}
    </section>
  )
}
