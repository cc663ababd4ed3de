'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { splitWords } from '../../ui/shell-words'

/** Says in plain words that an image has no shell, and runs a command of one's own instead. */
export function NoShell({ name, onRun }: { name: string; onRun: (cmd: string[]) => void }) {
  const t = useTranslations('terminals')
  const [command, setCommand] = useState('')
  let words: string[] = []
  let open = false
  try {
    words = splitWords(command)
  } catch {
    open = true
  }
  return (
    <form
      className="grid max-w-xl content-start gap-3 overflow-auto p-4"
      onSubmit={(event) => {
        event.preventDefault()
        if (words.length > 0) onRun(words)
      }}
    >
      <p className="text-ink-2">{t('noShell', { name })}</p>
      <Field label={t('command')} help={t('commandHelp')} error={open ? t('notClosed') : null}>
        <Input mono value={command} placeholder="/app/server --version" onChange={(event) => setCommand(event.target.value)} />
      </Field>
      <div>
        <Button tone="primary" type="submit" disabled={words.length === 0}>
          {t('runIt')}
        </Button>
      </div>
    </form>
  )
}
