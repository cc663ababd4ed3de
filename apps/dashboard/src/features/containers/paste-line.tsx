'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { errorMessage } from '../../ui/error-message'
import { Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Textarea } from '../../ui/input'
import { type FormValues, fillForm } from './form-values'
import { parseRunCommand } from './parse-run-command'

/** Takes a `docker run` line from somewhere else and gives what the form has to say to mean the same; words that it does not know are named first. */
export function PasteLine({ onClose, onFill }: { onClose: () => void; onFill: (values: FormValues) => void }) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const [line, setLine] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const [ignored, setIgnored] = useState<{ words: string[]; values: FormValues } | null>(null)
  const read = () => {
    try {
      const parsed = parseRunCommand(line)
      const values = fillForm(parsed.name, parsed.options, parsed.pull)
      if (parsed.ignored.length > 0) setIgnored({ words: parsed.ignored, values })
      else onFill(values)
    } catch (error) {
      setFailure(errorMessage(error))
    }
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('create.pasteTitle')}
      description={t('create.pasteHelp')}
      footer={
        <>
          <Button onClick={onClose}>{tu('cancel')}</Button>
          {ignored ? (
            <Button tone="primary" onClick={() => onFill(ignored.values)}>
              {t('create.fillAnyway')}
            </Button>
          ) : (
            <Button tone="primary" onClick={read} disabled={!line.trim()}>
              {t('create.fill')}
            </Button>
          )}
        </>
      }
    >
      <Field label={t('create.pasteLabel')} error={failure}>
        <Textarea
          mono
          rows={6}
          value={line}
          placeholder={'docker run -d --name web -p 8080:80 nginx'}
          onChange={(event) => {
            setLine(event.target.value)
            setFailure(null)
            setIgnored(null)
          }}
        />
      </Field>
      {ignored ? (
        <Notice tone="warn" className="mt-3">
          {t('create.ignored')} <code className="text-xs">{ignored.words.join('  ')}</code>
        </Notice>
      ) : null}
    </Dialog>
  )
}
