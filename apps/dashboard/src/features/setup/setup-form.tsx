'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { PasswordInput } from '../../ui/password-input'
import { dashboardClient } from '../../wire/dashboard'

const addressPattern = /^[^\s@]+@[^\s@]+$/
const leastPassword = 10

/** The first account, made with the token that the server printed. */
export function SetupForm() {
  const t = useTranslations('setup')
  const [values, setValues] = useState({ token: '', name: '', email: '', password: '', again: '' })
  const [asked, setAsked] = useState(false)
  const problems = {
    token: values.token.trim() ? null : t('problem.token'),
    name: values.name.trim() ? null : t('problem.name'),
    email: addressPattern.test(values.email) ? null : t('problem.email'),
    password: values.password.length >= leastPassword ? null : t('problem.password'),
    again: values.again === values.password ? null : t('problem.again'),
  }
  const create = useMutation({
    mutationFn: () =>
      dashboardClient().setup.create.mutate({
        token: values.token.trim(),
        name: values.name.trim(),
        email: values.email.trim(),
        password: values.password,
      }),
    onSuccess: () => window.location.assign('/'),
  })
  const field = (
    key: keyof typeof values,
    {
      help,
      secret,
      ...control
    }: { type?: string; autoComplete: string; help?: ReactNode; mono?: boolean; autoFocus?: boolean; secret?: boolean },
  ): ReactNode => {
    const Control = secret ? PasswordInput : Input
    return (
      <Field label={t(key)} help={help} error={asked ? problems[key] : null} required>
        <Control
          {...control}
          name={key}
          value={values[key]}
          onChange={(event) => setValues((before) => ({ ...before, [key]: event.target.value }))}
        />
      </Field>
    )
  }
  return (
    <form
      className="grid gap-4"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setAsked(true)
        if (Object.values(problems).every((problem) => problem === null) && !create.isPending) create.mutate()
      }}
    >
      {field('token', { autoComplete: 'off', help: t('tokenHelp'), mono: true, autoFocus: true })}
      {field('name', { autoComplete: 'name' })}
      {field('email', { type: 'email', autoComplete: 'username', help: t('emailHelp') })}
      {field('password', { secret: true, autoComplete: 'new-password', help: t('passwordHelp') })}
      {field('again', { secret: true, autoComplete: 'new-password' })}
      {create.error ? <ErrorPanel error={create.error} title={t('failed')} compact /> : null}
      <Button type="submit" tone="primary" busy={create.isPending || create.isSuccess}>
        {t('create')}
      </Button>
    </form>
  )
}
