'use client'
import { Languages, Monitor, Moon, Sun } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useTheme } from 'next-themes'
import { localeCookie } from '../../i18n/locale'
import { Button } from '../../ui/button'
import { Menu, MenuLabel, MenuLine, MenuRadio } from '../../ui/menu'

/** Light, dark or as the system says; English or Chinese. */
export function AppearanceMenu() {
  const t = useTranslations('shell')
  const { theme, setTheme } = useTheme()
  const locale = useLocale()
  const router = useRouter()
  return (
    <Menu
      trigger={
        <Button tone="quiet" size="icon" hint={t('appearance')}>
          <Sun className="dark:hidden" aria-hidden />
          <Moon className="hidden dark:block" aria-hidden />
        </Button>
      }
    >
      <MenuLabel>{t('theme')}</MenuLabel>
      <MenuRadio
        value={theme ?? 'system'}
        onChange={setTheme}
        choices={[
          { value: 'system', label: <Choice icon={<Monitor aria-hidden />} words={t('themes.system')} /> },
          { value: 'light', label: <Choice icon={<Sun aria-hidden />} words={t('themes.light')} /> },
          { value: 'dark', label: <Choice icon={<Moon aria-hidden />} words={t('themes.dark')} /> },
        ]}
      />
      <MenuLine />
      <MenuLabel>{t('language')}</MenuLabel>
      <MenuRadio
        value={locale}
        onChange={(next) => {
          // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
          document.cookie = `${localeCookie}=${next}; path=/; max-age=31536000; samesite=lax`
          router.refresh()
        }}
        choices={[
          { value: 'en', label: <Choice icon={<Languages aria-hidden />} words="English" /> },
          { value: 'zh-CN', label: <Choice icon={<Languages aria-hidden />} words="简体中文" /> },
        ]}
      />
    </Menu>
  )
}

function Choice({ icon, words }: { icon: React.ReactNode; words: string }) {
  return (
    <>
      {icon}
      {words}
    </>
  )
}
