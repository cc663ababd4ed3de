'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { Field } from '../../ui/field'
import { PasswordInput } from '../../ui/password-input'
import { Card } from '../../ui/section'
import { useAction } from '../../ui/use-action'
import { dashboardClient } from '../../wire/dashboard'

const leastLength = 10

/** A new password; every other session ends with it. */
export function ChangePassword() {
  const t = useTranslations('account')
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [asked, setAsked] = useState(false)
  const change = useAction((input: { current: string; next: string }) => dashboardClient().me.changePassword.mutate(input), {
    done: () => t('passwordChanged'),
    failed: () => t('passwordNotChanged'),
    after: () => {
      setCurrent('')
      setNext('')
      setAsked(false)
    },
  })
  return (
    <Card title={t('password')}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          setAsked(true)
          if (current && next.length >= leastLength) change.run({ current, next })
        }}
      >
        <Field label={t('currentPassword')} error={asked && !current ? t('problem.current') : null} required>
          <PasswordInput
            name="current-password"
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </Field>
        <Field
          label={t('newPassword')}
          help={t('newPasswordHelp')}
          error={asked && next.length < leastLength ? t('problem.short') : null}
          required
        >
          <PasswordInput name="new-password" autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} />
        </Field>
        <div>
          <Button type="submit" busy={change.busy}>
            {t('changePassword')}
          </Button>
        </div>
      </form>
    </Card>
  )
}
