/** Days and times as they are written everywhere here, whatever the language: `2026-11-28`, `2026-11-28 07:54:09`. A browser's own date fields speak the browser's language, not the page's. */
const day = /^\d{4}-\d{2}-\d{2}$/
const time = /^(\d{4}-\d{2}-\d{2})[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z?)$/

/** Whether this is a day of the calendar: `2026-02-30` is none. */
export function isDay(text: string): boolean {
  if (!day.test(text)) return false
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

/** The moment that somebody wrote, local time unless `utc` or it ends in Z; a day alone is its beginning. Null when it is none. */
export function readTime(text: string, utc: boolean): Date | null {
  const trimmed = text.trim()
  const [, date = trimmed, clock = '00:00', zone = ''] = time.exec(trimmed) ?? []
  if (!isDay(date)) return null
  const at = new Date(`${date}T${clock.replace(/^(\d):/, '0$1:')}${utc || zone ? 'Z' : ''}`)
  return Number.isNaN(at.getTime()) ? null : at
}

/** The day of a moment, in the browser's time. */
export function dayOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** `2026-11-28 07:54:09`: what `readTime` reads. */
export function writeTime(at: Date, utc: boolean): string {
  if (utc) return at.toISOString().slice(0, 19).replace('T', ' ')
  return `${dayOf(at)} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')}`
}
