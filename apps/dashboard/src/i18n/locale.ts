export const locales = ['en', 'zh-CN'] as const
export type Locale = (typeof locales)[number]

/** Cookie that holds a person's choice; set by the browser, read by the server. */
export const localeCookie = 'berth-locale'

/** The chosen locale, else the first that the browser's Accept-Language names, else English. Any Chinese is zh-CN: there is no other. */
export function chooseLocale(cookie: string | undefined, acceptLanguage: string | null): Locale {
  if (locales.includes(cookie as Locale)) return cookie as Locale
  for (const part of (acceptLanguage ?? '').split(',')) {
    const tag = part.split(';')[0]?.trim().toLowerCase() ?? ''
    if (tag.startsWith('zh')) return 'zh-CN'
    if (tag.startsWith('en')) return 'en'
  }
  return 'en'
}
