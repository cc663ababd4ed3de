'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { encode } from 'uqr'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { CodeBlock, CopyButton } from '../../ui/code-block'
import { Dialog, DialogCancel } from '../../ui/dialog'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Card } from '../../ui/section'
import { dashboardClient } from '../../wire/dashboard'

type Step = { kind: 'password' } | { kind: 'code'; secret: string; uri: string } | { kind: 'recovery'; codes: string[] }

/** The second step at sign-in: turning it on takes the password and a first code, turning it off the password. */
export function TwoStep({ enabled, onChanged }: { enabled: boolean; onChanged: () => void }) {
  const t = useTranslations('account')
  const [open, setOpen] = useState(false)
  return (
    <Card title={t('twoStep')} aside={<Badge tone={enabled ? 'good' : 'calm'}>{enabled ? t('on') : t('off')}</Badge>}>
      <p className="mb-3 text-ink-2">{t('twoStepLead')}</p>
      <Button onClick={() => setOpen(true)}>{enabled ? t('turnOff') : t('turnOn')}</Button>
      {open ? (
        <TwoStepDialog
          enabled={enabled}
          onClose={() => {
            setOpen(false)
            onChanged()
          }}
        />
      ) : null}
    </Card>
  )
}

function TwoStepDialog({ enabled, onClose }: { enabled: boolean; onClose: () => void }) {
  const t = useTranslations('account')
  const [step, setStep] = useState<Step>({ kind: 'password' })
  const [text, setText] = useState('')
  const submit = useMutation({
    mutationFn: async () => {
      const { me } = dashboardClient()
      if (step.kind === 'code') setStep({ kind: 'recovery', codes: (await me.confirmTotp.mutate({ code: text })).recoveryCodes })
      else if (enabled) {
        await me.disableTotp.mutate({ password: text })
        onClose()
      } else setStep({ kind: 'code', ...(await me.beginTotp.mutate({ password: text })) })
      setText('')
    },
  })
  const done = step.kind === 'recovery'
  return (
    <Dialog
      open
      sticky={done}
      onOpenChange={(open) => !open && onClose()}
      size="small"
      title={enabled ? t('turnOff') : t('turnOn')}
      footer={
        <>
          {done ? null : <DialogCancel />}
          <Button
            tone="primary"
            busy={submit.isPending}
            disabled={!done && text === ''}
            onClick={() => (done ? onClose() : submit.mutate())}
          >
            {done ? t('savedThem') : t('continue')}
          </Button>
        </>
      }
    >
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          if (!done && text && !submit.isPending) submit.mutate()
        }}
      >
        {step.kind === 'password' ? (
          <Field label={t('currentPassword')} required>
            <Input type="password" autoComplete="current-password" value={text} onChange={(event) => setText(event.target.value)} />
          </Field>
        ) : null}
        {step.kind === 'code' ? (
          <>
            <p className="text-ink-2">{t('scan')}</p>
            <QrCode text={step.uri} label={t('qrCode')} />
            <p className="flex items-center gap-1 break-all font-mono text-xs">
              {step.secret}
              <CopyButton text={step.secret} />
            </p>
            <Field label={t('firstCode')} required>
              <Input
                mono
                autoComplete="one-time-code"
                inputMode="numeric"
                autoFocus
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            </Field>
          </>
        ) : null}
        {step.kind === 'recovery' ? (
          <>
            <Notice tone="warn">{t('recoveryLead')}</Notice>
            <CodeBlock code={step.codes.join('\n')} label={t('recoveryCodes')} />
          </>
        ) : null}
        {submit.error ? <ErrorPanel error={submit.error} compact /> : null}
      </form>
    </Dialog>
  )
}

/** Always dark on white, whatever the theme: cameras want it so. */
function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => {
    const { data } = encode(text, { border: 2 })
    return { size: data.length, path: data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('') }
  }, [text])
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      className="mx-auto size-44 rounded-md bg-white"
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000" />
    </svg>
  )
}
