'use client'
import { useTranslations } from 'next-intl'
import { type ReactNode, useEffect, useState } from 'react'
import { isTyping } from './input'
import { later } from './later'

const Dialog = later(() => import('./dialog').then((module) => module.Dialog))

export interface KeyHelp {
  keys: readonly string[]
  words: ReactNode
}

/** A key as it is printed. */
export function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid h-5 min-w-5 place-items-center rounded-sm border border-line-strong border-b-2 bg-surface px-1 font-medium font-sans text-2xs text-ink-2">
      {children}
    </kbd>
  )
}

/** The list of keys, on `?`. */
export function KeysDialog({ groups }: { groups: readonly { title: string; keys: readonly KeyHelp[] }[] }) {
  const t = useTranslations('ui')
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const show = (event: KeyboardEvent) => {
      if (event.key !== '?' || isTyping(event.target)) return
      event.preventDefault()
      setOpen(true)
    }
    document.addEventListener('keydown', show)
    return () => document.removeEventListener('keydown', show)
  }, [])
  if (!open) return null
  return (
    <Dialog open={open} onOpenChange={setOpen} title={t('keys')} size="normal">
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="eyebrow mb-2">{group.title}</h3>
            <dl className="grid gap-1.5">
              {group.keys.map((key) => (
                <div key={key.keys.join()} className="flex items-center justify-between gap-4">
                  <dt className="text-ink-2">{key.words}</dt>
                  <dd className="flex shrink-0 gap-1">
                    {key.keys.map((one) => (
                      <Key key={one}>{one}</Key>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
