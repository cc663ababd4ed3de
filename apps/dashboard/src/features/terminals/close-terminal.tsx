'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { Button } from '../../ui/button'
import type { DockTab } from '../../ui/dock'
import { later } from '../../ui/later'
import { sayFailed } from '../../ui/toaster'
import { agentClient } from '../../wire/agent'
import type { TerminalParams } from './terminal-tab'

const Dialog = later(() => import('../../ui/dialog').then((module) => module.Dialog))

let asked: ((question: { tab: DockTab; answer: (close: boolean) => void }) => void) | null = null

/** Whether a terminal's tab may be closed: at once when its process has ended, otherwise the person is asked what becomes of the session. */
export async function mayCloseTerminal(tab: DockTab): Promise<boolean> {
  const params = tab.params as unknown as TerminalParams
  if (!params.exec) return true
  const exec = await agentClient(params.hostId)
    .exec.inspect.query({ exec: params.exec })
    .catch(() => null)
  if (!exec?.running || !asked) return true
  const ask = asked
  return new Promise((answer) => ask({ tab, answer }))
}

/** The question. Put once beside the dock. */
export function CloseTerminal() {
  const t = useTranslations('terminals')
  const tu = useTranslations('ui')
  const [question, setQuestion] = useState<{ tab: DockTab; answer: (close: boolean) => void } | null>(null)
  useEffect(() => {
    asked = setQuestion
    return () => {
      asked = null
    }
  }, [])
  if (!question) return null
  const params = question.tab.params as unknown as TerminalParams
  const answer = (close: boolean) => {
    question.answer(close)
    setQuestion(null)
  }
  return (
    <Dialog
      open
      onOpenChange={() => answer(false)}
      size="small"
      title={t('closeTitle', { name: question.tab.title })}
      description={t('closeDescription')}
      footer={
        <>
          <Button onClick={() => answer(false)}>{tu('cancel')}</Button>
          <Button onClick={() => answer(true)}>{t('leaveRunning')}</Button>
          <Button
            tone="danger"
            onClick={() => {
              agentClient(params.hostId)
                .exec.kill.mutate({ exec: params.exec as string, signal: 'HUP' })
                .then(
                  () => answer(true),
                  (error: unknown) => {
                    sayFailed(t('notEnded'), error)
                    answer(false)
                  },
                )
            }}
          >
            {t('endSession')}
          </Button>
        </>
      }
    >
      <p className="text-ink-2">{t('closeHelp')}</p>
    </Dialog>
  )
}
