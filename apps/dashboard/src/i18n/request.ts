import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cookies, headers } from 'next/headers'
import { getRequestConfig } from 'next-intl/server'
import { chooseLocale, type Locale, localeCookie } from './locale.ts'

/** `messages/<locale>/<feature>.json`, one namespace per file so that features stay apart. Read once per locale in production. */
function loadMessages(locale: Locale): Record<string, object> {
  const folder = join(process.cwd(), 'messages', locale)
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return Object.fromEntries(files.map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(folder, file), 'utf8'))]))
}

const loaded = new Map<Locale, Record<string, object>>()

export default getRequestConfig(async () => {
  const locale = chooseLocale((await cookies()).get(localeCookie)?.value, (await headers()).get('accept-language'))
  let messages = loaded.get(locale)
  if (!messages) {
    messages = loadMessages(locale)
    if (process.env.NODE_ENV === 'production') loaded.set(locale, messages)
  }
  return { locale, messages, timeZone: 'UTC' }
})
