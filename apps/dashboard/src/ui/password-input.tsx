'use client'
import { Eye, EyeOff } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ComponentProps, useState } from 'react'
import { Input } from './input'

/** A password, hidden until one asks to see it. */
export function PasswordInput(props: Omit<ComponentProps<typeof Input>, 'type'>) {
  const t = useTranslations('ui')
  const [seen, setSeen] = useState(false)
  const Icon = seen ? EyeOff : Eye
  return (
    <div className="relative">
      <Input {...props} type={seen ? 'text' : 'password'} className="pr-9" />
      <button
        type="button"
        aria-label={seen ? t('hidePassword') : t('showPassword')}
        aria-pressed={seen}
        onClick={() => setSeen(!seen)}
        className="absolute inset-y-0 right-0 grid w-8 place-items-center rounded-md text-ink-3 hover:text-ink"
      >
        <Icon className="size-3.75" aria-hidden />
      </button>
    </div>
  )
}
