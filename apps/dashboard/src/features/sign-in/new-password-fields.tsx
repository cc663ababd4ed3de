'use client'
import { useTranslations } from 'next-intl'
import { Field } from '../../ui/field'
import { PasswordInput } from '../../ui/password-input'

const leastLength = 10

/** What is wrong with a new password typed twice; null: nothing that this page knows of. */
export function passwordProblem(password: string, again: string): 'short' | 'different' | null {
  if (password.length < leastLength) return 'short'
  return password === again ? null : 'different'
}

/** A new password, typed twice. */
export function NewPasswordFields({
  password,
  again,
  onPassword,
  onAgain,
  asked,
}: {
  password: string
  again: string
  onPassword: (value: string) => void
  onAgain: (value: string) => void
  asked: boolean
}) {
  const t = useTranslations('sign-in')
  const problem = asked ? passwordProblem(password, again) : null
  return (
    <>
      <Field label={t('newPassword')} help={t('newPasswordHelp')} error={problem === 'short' ? t('problem.short') : null} required>
        <PasswordInput
          name="new-password"
          autoComplete="new-password"
          value={password}
          onChange={(event) => onPassword(event.target.value)}
        />
      </Field>
      <Field label={t('again')} error={problem === 'different' ? t('problem.different') : null} required>
        <PasswordInput
          name="new-password-again"
          autoComplete="new-password"
          value={again}
          onChange={(event) => onAgain(event.target.value)}
        />
      </Field>
    </>
  )
}
