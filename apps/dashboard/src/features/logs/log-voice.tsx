'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useRef, useState } from 'react'
import type { Line } from './log-buffer'
import { readLine } from './log-text'

const everyMs = 5000
const longest = 200

/** What a screen reader is told while a log is followed: the newest line and how many came, at most every few seconds, however many come. */
export function LogVoice({ lines, following }: { lines: readonly Line[]; following: boolean }) {
  const t = useTranslations('logs')
  const [told, setTold] = useState('')
  const newest = useRef(lines)
  newest.current = lines
  /** Key of the last line that was told or was there before; null: nothing is followed. */
  const last = useRef<Line['key'] | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  useEffect(() => {
    const line = lines.at(-1)
    if (!following || !line) last.current = null
    else if (last.current === null) last.current = line.key
    else if (line.key !== last.current && timer.current === null)
      timer.current = setTimeout(() => {
        timer.current = null
        const { current } = newest
        const end = current.at(-1)
        if (!end || last.current === null) return
        const count = current.length - 1 - current.findLastIndex((one) => one.key === last.current)
        last.current = end.key
        const read = readLine(end.record.text)
        setTold(
          t('newLines', { count, newest: (read.kind === 'text' ? end.record.text : (read.message ?? end.record.text)).slice(0, longest) }),
        )
      }, everyMs)
  }, [lines, following, t])
  useEffect(() => () => clearTimeout(timer.current ?? undefined), [])
  return (
    <p role="status" className="sr-only">
      {following ? told : ''}
    </p>
  )
}
