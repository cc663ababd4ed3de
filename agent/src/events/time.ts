import { EngineError } from '../errors.ts'

/** RFC 3339 in UTC with nine fractional digits. */
export function rfc3339(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${date}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`
}

/**
 * Nanoseconds since 1970 of what clients write: seconds with an optional fraction of up to nine digits, or RFC 3339 with offset.
 * @throws invalid_argument
 */
export function parseTime(text: string): bigint {
  const seconds = /^(-?\d{1,12})(?:\.(\d{1,9})\d*)?$/.exec(text)
  if (seconds) return BigInt(seconds[1] as string) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  const date = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)?$/.exec(text)
  const whole = date ? Date.parse(`${(date[1] as string).replace(/[t ]/, 'T')}${(date[3] ?? 'Z').toUpperCase()}`) : Number.NaN
  const ms =
    Number.isNaN(whole) && /^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/.test(text) ? Date.parse(text.length === 10 ? text : `${text}:00Z`) : whole
  if (Number.isNaN(ms))
    throw new EngineError('invalid_argument', `"${text.slice(0, 64)}" is not a time; use RFC 3339 or seconds since 1970`)
  return BigInt(ms) * 1_000_000n + BigInt((date?.[2] ?? '').padEnd(9, '0') || '0')
}

export function nanosOf(timeNano: string): bigint {
  return /^-?\d{1,20}$/.test(timeNano) ? BigInt(timeNano) : 0n
}
