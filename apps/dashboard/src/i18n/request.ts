import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import compile from 'icu-minify/compile'
import { cookies, headers } from 'next/headers'
import { getRequestConfig } from 'next-intl/server'
import { chooseLocale, type Locale, localeCookie } from './locale.ts'

/** `messages/<locale>/<feature>.json`, one namespace per file so that features stay apart. Read once per locale in production. */
function loadMessages(locale: Locale): Record<string, object> {
  const folder = join(process.cwd(), 'messages', locale)
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return Object.fromEntries(files.map((file) => [basename(file, '.json'), compiled(JSON.parse(readFileSync(join(folder, file), 'utf8')))]))
}

/** Messages in the form that the browser formats without a parser (next.config.mjs). */
function compiled(messages: object): object {
  const entries = Object.entries(messages).map(([key, value]: [string, unknown]) => [
    key,
    // Through JSON, because React hands nothing to the browser that has no prototype.
    typeof value === 'string' ? JSON.parse(JSON.stringify(compile(value))) : compiled(value as object),
  ])
  return Object.fromEntries(entries)
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
