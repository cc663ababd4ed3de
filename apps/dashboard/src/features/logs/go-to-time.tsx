'use client'
import { CalendarClock } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Popover } from '../../ui/popover'
import { readTime, writeTime } from '../../ui/written-time'

/** Asks for a time, read as the lines show theirs. */
export function GoToTime({ utc, onTime }: { utc: boolean; onTime: (at: string) => void }) {
  const t = useTranslations('logs')
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const time = readTime(text, utc)
  // The form that the lines have, with a moment that is not far from what one looks for.
  const example = open ? writeTime(new Date(), utc) : ''
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
          if (!time) return
          onTime(time.toISOString())
          setOpen(false)
        }}
      >
        <Field label={t(utc ? 'goToTimeUtc' : 'goToTimeLocal')} help={t('goToTimeForm', { example })}>
          <Input mono value={text} placeholder={example} onChange={(event) => setText(event.target.value)} />
        </Field>
        <Button type="submit" tone="primary" disabled={!time}>
          {t('goToTimeDo')}
        </Button>
      </form>
    </Popover>
  )
}
