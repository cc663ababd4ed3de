import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { afterLong } from './long-timer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('waits for months, where setTimeout alone would not wait at all', () => {
  const run = vi.fn()
  const days = 24 * 3600 * 1000
  afterLong(60 * days, run)
  vi.advanceTimersByTime(60 * days - 1)
  expect(run).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(run).toHaveBeenCalledTimes(1)
})

it('can be cancelled in its first and in a later stretch, and never comes for Infinity', () => {
  const run = vi.fn()
  afterLong(1000, run)()
  const cancel = afterLong(2 ** 32, run)
  afterLong(Number.POSITIVE_INFINITY, run)
  vi.advanceTimersByTime(2 ** 31 + 5)
  cancel()
  vi.advanceTimersByTime(2 ** 33)
  expect(run).not.toHaveBeenCalled()
})
