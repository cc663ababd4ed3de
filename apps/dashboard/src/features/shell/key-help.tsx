'use client'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect } from 'react'
import { isTyping } from '../../ui/input'
import { KeysDialog } from '../../ui/keys-dialog'
import { pathOf, usePlace } from './place'

const goTo: Record<string, string> = {
  h: '',
  c: 'containers',
  i: 'images',
  v: 'volumes',
  n: 'networks',
  r: 'registries',
  a: 'activity',
  e: 'events',
}

/** The list of keys on `?`, and the keys that go to a page: `g` and then its letter. */
export function KeyHelp() {
  const t = useTranslations('shell')
  const router = useRouter()
  const { scope } = usePlace()
  useEffect(() => {
    let armed = 0
    const press = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      if (event.key === 'g') {
        armed = event.timeStamp
        return
      }
      const noun = goTo[event.key]
      if (noun !== undefined && event.timeStamp - armed < 1200) {
        event.preventDefault()
        router.push(pathOf(scope, noun))
      }
      armed = 0
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [router, scope])
  return (
    <KeysDialog
      groups={[
        {
          title: t('keys.everywhere'),
          keys: [
            { keys: ['Ctrl', 'K'], words: t('keys.palette') },
            { keys: ['/'], words: t('keys.filter') },
            { keys: ['?'], words: t('keys.help') },
            { keys: ['Esc'], words: t('keys.close') },
          ],
        },
        {
          title: t('keys.lists'),
          keys: [
            { keys: ['↑', '↓'], words: t('keys.move') },
            { keys: ['Enter'], words: t('keys.open') },
            { keys: ['x'], words: t('keys.select') },
          ],
        },
        {
          title: t('keys.goTo'),
          keys: Object.entries(goTo).map(([key, noun]) => ({ keys: ['g', key], words: t(`nav.${noun || 'hosts'}` as 'nav.hosts') })),
        },
        {
          title: t('keys.terminal'),
          keys: [
            { keys: ['Ctrl', 'Shift', 'C'], words: t('keys.copy') },
            { keys: ['Ctrl', 'Shift', 'V'], words: t('keys.paste') },
            { keys: ['Ctrl', 'Shift', 'F'], words: t('keys.find') },
            { keys: ['Ctrl', 'Shift', 'L'], words: t('keys.leave') },
          ],
        },
      ]}
    />
  )
}
