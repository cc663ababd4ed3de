'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Skeleton } from '../../ui/skeleton'
import { dashboardClient, useDashboard } from '../../wire/dashboard'
import { Entrance } from './entrance'
import { NewPasswordFields, passwordProblem } from './new-password-fields'

/** What somebody sees who follows an invitation: a name and a password make the account; for a forgotten password, the password alone. */
export function InvitationForm({ token }: { token: string }) {
  const t = useTranslations('sign-in')
  const invitation = useQuery(useDashboard().invitations.read.queryOptions({ token }))
  if (invitation.isPending)
    return (
      <Entrance title={t('invitation')}>
        <Skeleton className="h-24" />
      </Entrance>
    )
  if (invitation.error)
    return (
      <Entrance title={t('invitation')}>
        <ErrorPanel error={invitation.error} onRetry={() => void invitation.refetch()} />
      </Entrance>
    )
  if (!invitation.data)
    return (
      <Entrance title={t('invitation')}>
        <Notice tone="warn">{t('invitationGone')}</Notice>
        <Link className="mt-4 inline-block text-accent underline-offset-2 hover:underline" href="/sign-in">
          {t('toSignIn')}
        </Link>
      </Entrance>
    )
  return <OpenInvitation token={token} email={invitation.data.email} reset={invitation.data.reset} />
}

function OpenInvitation({ token, email, reset }: { token: string; email: string; reset: boolean }) {
  const t = useTranslations('sign-in')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [asked, setAsked] = useState(false)
  const accept = useMutation({
    mutationFn: () => dashboardClient().invitations.accept.mutate({ token, name: reset ? email : name, password }),
    onSuccess: () => window.location.assign('/sign-in'),
  })
  return (
    <Entrance title={reset ? t('resetTitle') : t('welcome')} lead={t('invitedAs', { email })}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          setAsked(true)
          if (passwordProblem(password, again) === null && (reset || name.trim()) && !accept.isPending) accept.mutate()
        }}
      >
        {/* Password managers want to know whose password it is. */}
        <input type="email" name="email" autoComplete="username" value={email} readOnly className="sr-only" tabIndex={-1} aria-hidden />
        {reset ? null : (
          <Field label={t('name')} error={asked && !name.trim() ? t('problem.name') : null} required>
            <Input name="name" autoComplete="name" autoFocus value={name} onChange={(event) => setName(event.target.value)} />
          </Field>
        )}
        <NewPasswordFields password={password} again={again} onPassword={setPassword} onAgain={setAgain} asked={asked} />
        {accept.error ? <ErrorPanel error={accept.error} compact /> : null}
        <Button type="submit" tone="primary" busy={accept.isPending || accept.isSuccess}>
          {reset ? t('setPassword') : t('makeAccount')}
        </Button>
      </form>
    </Entrance>
  )
}
