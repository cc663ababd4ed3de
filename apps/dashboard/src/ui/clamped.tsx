'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { cn } from './class-names'

/** Longer than this and a text of facts is cut after three lines: about four lines of a narrow card. */
const longFrom = 140

/** A text that may be very long: its first lines, and the rest when asked for. */
export function Clamped({ children }: { children: string }) {
  const t = useTranslations('ui')
  const [open, setOpen] = useState(false)
  if (children.length <= longFrom) return children
  return (
    <>
      <span className={cn('whitespace-pre-wrap', open ? 'block' : 'line-clamp-3')}>{children}</span>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="tap rounded-sm font-sans text-accent text-xs hover:underline"
      >
        {open ? t('showLess') : t('showAll')}
      </button>
    </>
  )
}
