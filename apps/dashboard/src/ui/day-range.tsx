'use client'
import { Calendar } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from './button'
import { cn } from './class-names'
import { Field } from './field'
import { Input } from './input'
import { Popover } from './popover'
import { dayOf, isDay } from './written-time'

interface Days {
  /** The first and the last day, `2026-11-28`; empty: no bound. */
  since: string
  until: string
}

/** Narrows by days: any, the last few, or from one written day to another. */
export function DayRange({ since, until, onChange }: Days & { onChange: (days: Days) => void }) {
  const t = useTranslations('ui.days')
  const [open, setOpen] = useState(false)
  const any = since === '' && until === ''
  const choose = (days: Days) => {
    onChange(days)
    setOpen(false)
  }
  return (
    <Popover
      label={t('label')}
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button className={cn('shrink-0', !any && 'border-brass bg-brass-soft hover:bg-brass-soft')}>
          <Calendar className="text-ink-3" aria-hidden />
          {any ? t('any') : since === until ? since : `${since || '…'} – ${until || '…'}`}
        </Button>
      }
    >
      <ul className="grid">
        {(
          [
            [t('any'), { since: '', until: '' }],
            [t('today'), { since: daysAgo(0), until: '' }],
            [t('last', { count: 7 }), { since: daysAgo(6), until: '' }],
            [t('last', { count: 30 }), { since: daysAgo(29), until: '' }],
          ] as const
        ).map(([words, days]) => (
          <li key={words}>
            <Button
              tone="quiet"
              className="w-full justify-start"
              aria-pressed={days.since === since && days.until === until}
              onClick={() => choose(days)}
            >
              {words}
            </Button>
          </li>
        ))}
      </ul>
      <OwnDays key={`${since} ${until}`} since={since} until={until} onChoose={choose} />
    </Popover>
  )
}

function OwnDays({ since, until, onChoose }: Days & { onChoose: (days: Days) => void }) {
  const t = useTranslations('ui.days')
  const [from, setFrom] = useState(since)
  const [to, setTo] = useState(until)
  const wrong = (text: string) => (text === '' || isDay(text.trim()) ? null : t('form', { example: dayOf(new Date()) }))
  return (
    <form
      className="mt-1 grid w-72 max-w-full grid-cols-2 items-start gap-2.5 border-t p-2.5"
      onSubmit={(event) => {
        event.preventDefault()
        if (!wrong(from) && !wrong(to)) onChoose({ since: from.trim(), until: to.trim() })
      }}
    >
      <Field label={t('from')} error={from.length >= 10 ? wrong(from) : null}>
        <Input mono value={from} inputMode="numeric" placeholder={daysAgo(6)} onChange={(event) => setFrom(event.target.value)} />
      </Field>
      <Field label={t('to')} error={to.length >= 10 ? wrong(to) : null}>
        <Input mono value={to} inputMode="numeric" placeholder={daysAgo(0)} onChange={(event) => setTo(event.target.value)} />
      </Field>
      <Button type="submit" className="col-span-2" disabled={wrong(from) !== null || wrong(to) !== null || (from === '' && to === '')}>
        {t('apply')}
      </Button>
    </form>
  )
}

function daysAgo(count: number): string {
  const at = new Date()
  at.setDate(at.getDate() - count)
  return dayOf(at)
}
