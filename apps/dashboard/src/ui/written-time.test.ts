import { describe, expect, it } from 'vitest'
import { dayOf, isDay, readTime, writeTime } from './written-time.ts'

describe('days and times as people write them', () => {
  it('knows the days of the calendar', () => {
    expect(isDay('2026-11-28')).toBe(true)
    expect(isDay('2024-02-29')).toBe(true)
    for (const none of ['', '2026-02-30', '2026-13-01', '28.11.2026', '2026-1-1', 'x2026-11-28', '2026-11-28T00:00'])
      expect(isDay(none)).toBe(false)
  })
  it('reads a moment in either time, with or without seconds', () => {
    expect(readTime('2026-11-28 07:54:09', true)?.toISOString()).toBe('2026-11-28T07:54:09.000Z')
    expect(readTime(' 2026-11-28T7:54 ', true)?.toISOString()).toBe('2026-11-28T07:54:00.000Z')
    expect(readTime('2026-11-28 07:54:09Z', false)?.toISOString()).toBe('2026-11-28T07:54:09.000Z')
    expect(readTime('2026-11-28', true)?.toISOString()).toBe('2026-11-28T00:00:00.000Z')
    expect(readTime('2026-11-28 07:54', false)?.getTime()).toBe(new Date(2026, 10, 28, 7, 54).getTime())
    for (const none of ['', 'yesterday', '2026-11-28 25:00', '2026-11-28 07', '2026-11-31 07:00']) expect(readTime(none, true)).toBeNull()
  })
  it('writes what it reads', () => {
    const at = new Date('2026-03-04T05:06:07Z')
    expect(writeTime(at, true)).toBe('2026-03-04 05:06:07')
    for (const utc of [true, false]) expect(readTime(writeTime(at, utc), utc)?.getTime()).toBe(at.getTime())
  })
  it('says the day of a moment in local time', () => {
    expect(dayOf(new Date(2026, 0, 2, 23, 59))).toBe('2026-01-02')
  })
})
