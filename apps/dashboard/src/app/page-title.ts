import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'

/** Gives a page its name in the browser's tab and history: `export const generateMetadata = pageTitle('images.title')`. */
export function pageTitle(key: string): () => Promise<Metadata> {
  return async () => ({ title: (await getTranslations())(key) })
}
