'use client'
import { useMutation } from '@tanstack/react-query'
import { useSearchParams } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { PasswordInput } from '../../ui/password-input'
import { dashboardClient } from '../../wire/dashboard'
import { Entrance } from './entrance'
import { safeDestination } from './safe-destination'

/** Password first, then the code where the account asks for one. A full page load follows, so that nothing of the time before stays in memory. */
export function SignInForm() {
  const t = useTranslations('sign-in')
  const next = safeDestination(useSearchParams().get('next'))
  const [email, setEmail] = useState('')
  const [code, setCode] = useState('')
  const [step, setStep] = useState<'password' | 'code'>('password')
  const go = (answer: { next: 'done' | 'code' }): void => {
    if (answer.next === 'done') window.location.assign(next)
    else setStep('code')
  }
  const signIn = useMutation({
    mutationFn: (typed: { email: string; password: string }) => dashboardClient().session.signIn.mutate(typed),
    onSuccess: go,
  })
  const confirm = useMutation({ mutationFn: () => dashboardClient().session.confirmCode.mutate({ code }), onSuccess: go })
  const active = step === 'password' ? signIn : confirm
  return (
    <Entrance title={step === 'password' ? t('title') : t('codeTitle')} lead={step === 'code' ? t('codeLead') : undefined}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (active.isPending) return
          if (step === 'code') return confirm.mutate()
          // As they stand in the form: what is typed, or filled in by the browser, before React has taken the page over is kept by fields of their own alone.
          const typed = new FormData(event.currentTarget)
          const [given, password] = [String(typed.get('email') ?? ''), String(typed.get('password') ?? '')]
          setEmail(given)
          signIn.mutate({ email: given, password })
        }}
      >
        {step === 'password' ? (
          <>
            <Field label={t('email')} required>
              <Input type="email" name="email" autoComplete="username" required autoFocus defaultValue={email} />
            </Field>
            <Field label={t('password')} required>
              <PasswordInput name="password" autoComplete="current-password" required />
            </Field>
          </>
        ) : (
          <Field label={t('code')} help={t('codeHelp')} required>
            <Input
              name="code"
              autoComplete="one-time-code"
              required
              autoFocus
              mono
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          </Field>
        )}
        {active.error ? <ErrorPanel error={active.error} title={t('failed')} compact /> : null}
        <Button type="submit" tone="primary" busy={active.isPending || active.isSuccess}>
          {step === 'password' ? t('signIn') : t('confirm')}
        </Button>
        {step === 'code' ? (
          <Button
            tone="quiet"
            onClick={() => {
              setStep('password')
              setCode('')
              confirm.reset()
            }}
          >
            {t('startOver')}
          </Button>
        ) : (
          <p className="text-balance text-center text-ink-3 text-xs">{t('noAccount')}</p>
        )}
      </form>
    </Entrance>
  )
}
