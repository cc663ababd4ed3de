import { getTranslations } from 'next-intl/server'
import { Logo } from '../ui/logo'

export default async function NotFound() {
  const t = await getTranslations('shell')
  return (
    <main className="grid min-h-dvh place-content-center justify-items-center gap-3 p-6 text-center">
      <Logo className="size-12" />
      <p className="tabular mt-2 font-semibold text-2xl text-ink-3">404</p>
      <h1 className="text-lg">{t('notFound')}</h1>
      {/* Not the router's link: this page is named by every other, and the link's code would be fetched with it once more. */}
      <a href="/hosts" className="text-accent underline-offset-2 hover:underline">
        {t('toHosts')}
      </a>
    </main>
  )
}
