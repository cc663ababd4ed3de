'use client'
import { useLocale, useTranslations } from 'next-intl'
import { useMemo } from 'react'

/** Kept, because making one costs a hundred times what using it does, and every cell of a list uses some. */
const numberFormats = new Map<string, Intl.NumberFormat>()
function numberFormat(locale: string, digits: number): Intl.NumberFormat {
  const key = `${locale} ${digits}`
  let format = numberFormats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits })
    numberFormats.set(key, format)
  }
  return format
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes in binary units with three significant figures: `512 MiB`, `1.23 GiB`. */
export function formatBytes(bytes: number, locale = 'en'): string {
  let unit = 0
  let value = Math.abs(bytes)
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  const text = numberFormat(locale, digits).format(bytes < 0 ? -value : value)
  return `${text} ${byteUnits[unit]}`
}

/** Reads `512m`, `1.5g`, `1 GiB`, `1024` (bytes), as the docker command line does. Null when it is not a size. */
export function parseBytes(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(b|k|m|g|t|p)?(?:i?b)?\s*$/i.exec(text)
  if (!match) return null
  const power = 'bkmgtp'.indexOf((match[2] ?? 'b').toLowerCase())
  return Math.round(Number(match[1]) * 1024 ** power)
}

/** The shortest way the docker command line would write it: 536870912 → `512m`. Exact. */
export function shortBytes(bytes: number): string {
  if (bytes === 0) return '0'
  for (const [index, letter] of ['', 'k', 'm', 'g', 't'].entries()) {
    const unit = 1024 ** index
    const nextIsExact = bytes % (unit * 1024) === 0
    if (!nextIsExact) return `${bytes / unit}${letter}`
  }
  return `${bytes / 1024 ** 4}t`
}

/** Seconds as `4 d 3 h`, `12 min`, `8 s`: the two greatest parts at most. */
export function splitDuration(seconds: number): { unit: 'd' | 'h' | 'min' | 's'; value: number }[] {
  const whole = Math.max(0, Math.floor(seconds))
  const parts = [
    { unit: 'd' as const, value: Math.floor(whole / 86400) },
    { unit: 'h' as const, value: Math.floor((whole % 86400) / 3600) },
    { unit: 'min' as const, value: Math.floor((whole % 3600) / 60) },
    { unit: 's' as const, value: whole % 60 },
  ]
  const first = parts.findIndex((part) => part.value > 0)
  if (first < 0) return [{ unit: 's', value: 0 }]
  return parts.slice(first, first === 3 ? 4 : first + 2).filter((part, index) => index === 0 || part.value > 0)
}

/** `2026-11-27 21:41:37` in the browser's time: the same length everywhere, so that columns of it can be compared with the eye, and the form that logs have. */
export function formatDateTime(at: string | number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '–'
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Numbers, sizes and times in the person's language. All functions are stable while the language stays. */
export function useFormat() {
  const locale = useLocale()
  const t = useTranslations('ui')
  return useMemo(() => {
    const number = numberFormat(locale, 3)
    const one = numberFormat(locale, 1)
    // What took a moment did not take nothing.
    const duration = (seconds: number) =>
      seconds > 0 && seconds < 1
        ? `< 1 ${t('unit.s')}`
        : splitDuration(seconds)
            .map((part) => `${part.value} ${t(`unit.${part.unit}`)}`)
            .join(' ')
    return {
      number: (value: number) => number.format(value),
      bytes: (value: number) => formatBytes(value, locale),
      rate: (value: number) => `${formatBytes(value, locale)}/s`,
      percent: (value: number) => `${one.format(value)} %`,
      duration,
      /** Since a moment, from `now` (ms). */
      ago: (at: string | number, now: number) => {
        const seconds = (now - (typeof at === 'number' ? at : Date.parse(at))) / 1000
        return seconds < 5
          ? t('justNow')
          : t('ago', {
              duration: splitDuration(seconds)
                .slice(0, 1)
                .map((part) => `${part.value} ${t(`unit.${part.unit}`)}`)
                .join(''),
            })
      },
      dateTime: formatDateTime,
    }
  }, [locale, t])
}
