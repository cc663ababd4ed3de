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
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [step, setStep] = useState<'password' | 'code'>('password')
  const go = (answer: { next: 'done' | 'code' }): void => {
    if (answer.next === 'done') window.location.assign(next)
    else setStep('code')
  }
  const signIn = useMutation({ mutationFn: () => dashboardClient().session.signIn.mutate({ email, password }), onSuccess: go })
  const confirm = useMutation({ mutationFn: () => dashboardClient().session.confirmCode.mutate({ code }), onSuccess: go })
  const active = step === 'password' ? signIn : confirm
  return (
    <Entrance title={step === 'password' ? t('title') : t('codeTitle')} lead={step === 'code' ? t('codeLead') : undefined}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (!active.isPending) active.mutate()
        }}
      >
        {step === 'password' ? (
          <>
            <Field label={t('email')} required>
              <Input
                type="email"
                name="email"
                autoComplete="username"
                required
                autoFocus
                value={email}
                onChange={(event) => setEmail(event.target.value)}
              />
            </Field>
            <Field label={t('password')} required>
              <PasswordInput
                name="password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
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
