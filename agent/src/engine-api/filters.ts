import { EngineError } from '../errors.ts'

/**
 * The `filters` query parameter: a JSON map of lists, or, from clients before 1.22, of maps (`{"status":{"running":true}}`). A filter whose
 * name is not in `known` is refused in Docker's words.
 * @throws invalid_argument
 */
export function parseFilters(text: string | null, known: readonly string[]): Record<string, string[]> {
  if (text === null || text === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EngineError('invalid_argument', `invalid filter: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('invalid_argument', 'invalid filter: filters must be a JSON map of lists')
  const filters: Record<string, string[]> = {}
  for (const [name, wanted] of Object.entries(value as Record<string, unknown>)) {
    if (!known.includes(name)) throw new EngineError('invalid_argument', `Invalid filter '${name}'`)
    if (Array.isArray(wanted)) filters[name] = wanted.map(String)
    else if (typeof wanted === 'object' && wanted !== null)
      filters[name] = Object.entries(wanted)
        .filter(([, on]) => on)
        .map(([key]) => key)
    else throw new EngineError('invalid_argument', `Invalid filter '${name}': give a list of strings`)
  }
  return filters
}

/** `until` of a prune filter: RFC 3339, seconds since 1970, or a duration before now (`24h`). @throws invalid_argument */
export function untilOf(filters: Record<string, string[]>): string | undefined {
  const values = filters.until ?? []
  if (values.length === 0) return undefined
  if (values.length > 1) throw new EngineError('invalid_argument', 'more than one until filter specified')
  return instant(values[0] as string)
}

/** A boolean filter, as `dangling`. @throws invalid_argument */
export function booleanFilter(filters: Record<string, string[]>, name: string): boolean | undefined {
  const values = filters[name] ?? []
  if (values.length === 0) return undefined
  if (values.every((value) => ['1', 'true', 't'].includes(value.toLowerCase()))) return true
  if (values.every((value) => ['0', 'false', 'f'].includes(value.toLowerCase()))) return false
  throw new EngineError('invalid_argument', `Invalid filter '${name}=[${values.join(' ')}]'`)
}

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's durations (`1h30m`) in milliseconds, or null. */
function goDuration(text: string): number | null {
  if (!/^([\d.]+(ns|us|µs|ms|s|m|h))+$/.test(text)) return null
  let sum = 0
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) sum += Number(number) * (units[unit as string] as number)
  return sum
}

/**
 * A moment as Docker's API accepts it: seconds since 1970 with a fraction, RFC 3339 (also without zone or time), or a duration before now.
 * @returns RFC 3339 in UTC with nanoseconds
 * @throws invalid_argument
 */
export function instant(text: string): string {
  if (/^-?\d+(\.\d{1,9})?$/.test(text)) {
    const [seconds, fraction = ''] = text.split('.')
    return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction.padEnd(9, '0')}Z`
  }
  const duration = goDuration(text)
  if (duration !== null) return new Date(Date.now() - duration).toISOString()
  const time = Date.parse(/^\d{4}-\d\d-\d\dT[\d:.]+$/.test(text) ? `${text}Z` : text)
  if (Number.isNaN(time)) throw new EngineError('invalid_argument', `failed to parse value as time or duration: "${text}"`)
  return new Date(time).toISOString()
}
