import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import compile from 'icu-minify/compile'
import { globSync } from 'tinyglobby'
import { describe, expect, it } from 'vitest'

const dashboard = join(dirname(fileURLToPath(import.meta.url)), '../..')
const languages = ['en', 'zh-CN'] as const

type Messages = { [key: string]: string | Messages }

function read(language: string): Record<string, Messages> {
  const folder = join(dashboard, 'messages', language)
  return Object.fromEntries(
    readdirSync(folder).map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(folder, file), 'utf8'))]),
  )
}

/** `feature.a.b` → text. */
function flatten(messages: Messages, prefix = ''): [string, string][] {
  return Object.entries(messages).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value] as [string, string]] : flatten(value, `${prefix}${key}.`),
  )
}

/** Names of the values that a message wants: `{count, plural, …}` → count. */
function wanted(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)(?=[,}])/g)].map((match) => match[1] as string))].sort()
}

const all = Object.fromEntries(languages.map((language) => [language, new Map(flatten(read(language)))]))
const english = all.en as Map<string, string>
const chinese = all['zh-CN'] as Map<string, string>

describe('messages', () => {
  it('are the same in both languages', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('want the same values in both languages', () => {
    const different = [...english].filter(([key, text]) => {
      const other = new Set(wanted(chinese.get(key) ?? ''))
      return wanted(text).some((name) => !other.has(name))
    })
    expect(different).toEqual([])
  })

  it('can be compiled, all of them', () => {
    const broken = languages.flatMap((language) =>
      [...(all[language] ?? [])].filter(([, text]) => {
        try {
          compile(text)
          return false
        } catch {
          return true
        }
      }),
    )
    expect(broken).toEqual([])
  })

  it('are there for every key that the code names', () => {
    const missing: string[] = []
    for (const file of globSync('src/**/*.{ts,tsx}', { cwd: dashboard, ignore: ['**/*.test.*'] })) {
      const text = readFileSync(join(dashboard, file), 'utf8')
      const names = [...text.matchAll(/const (\w+) = (?:await )?(?:useTranslations|getTranslations)\('(\w[\w-]*)'\)/g)].map(
        (match) => [match[1] as string, match[2] as string] as const,
      )
      for (const [variable, feature] of names) {
        const features = new Set(names.filter(([name]) => name === variable).map(([, one]) => one))
        for (const [, key] of text.matchAll(new RegExp(`\\b${variable}\\('([\\w.-]+)'`, 'g')))
          if (![...features].some((one) => english.has(`${one}.${key}`))) missing.push(`${file}: ${feature}.${key}`)
      }
    }
    expect(missing).toEqual([])
  })
})
