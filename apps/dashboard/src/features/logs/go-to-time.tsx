'use client'
import { CalendarClock } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Popover } from '../../ui/popover'

/** Asks for a time, read as the lines show theirs. */
export function GoToTime({ utc, onTime }: { utc: boolean; onTime: (at: string) => void }) {
  const t = useTranslations('logs')
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const time = new Date(utc && text ? `${text}Z` : text)
  const known = !Number.isNaN(time.getTime())
  return (
    <Popover
      align="end"
      label={t('goToTime')}
      className="p-3"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button tone="quiet" size="icon-small" hint={t('goToTime')} className="text-term-ink/70 hover:bg-term-line hover:text-term-ink">
          <CalendarClock aria-hidden />
        </Button>
      }
    >
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          if (!known) return
          onTime(time.toISOString())
          setOpen(false)
        }}
      >
        <Field label={t(utc ? 'goToTimeUtc' : 'goToTimeLocal')}>
          <Input type="datetime-local" step={1} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
        <Button type="submit" tone="primary" disabled={!known}>
          {t('goToTimeDo')}
        </Button>
      </form>
    </Popover>
  )
}
