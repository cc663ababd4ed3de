import { describe, expect, it } from 'vitest'
import { afterProbe, nextProbeMs, rhythmOf } from './health.ts'
import type { HealthState } from './shown-state.ts'

const rhythm = rhythmOf({ test: ['CMD', 'x'], startPeriodMs: 10_000, retries: 2, intervalMs: 1000, startIntervalMs: 100 })
const fresh: HealthState = { status: 'starting', failingStreak: 0, log: [] }
const result = (exitCode: number) => ({ startedAt: '', endedAt: '', exitCode, output: '' })

describe('afterProbe', () => {
  it('forgives failures in the start period, then counts them, and heals at the first success', () => {
    let state = afterProbe(fresh, result(1), rhythm, 5000)
    expect(state).toMatchObject({ status: 'starting', failingStreak: 0 })
    state = afterProbe(state, result(1), rhythm, 11_000)
    expect(state).toMatchObject({ status: 'starting', failingStreak: 1 })
    state = afterProbe(state, result(1), rhythm, 12_000)
    expect(state).toMatchObject({ status: 'unhealthy', failingStreak: 2 })
    state = afterProbe(state, result(0), rhythm, 13_000)
    expect(state).toMatchObject({ status: 'healthy', failingStreak: 0 })
    for (let i = 0; i < 10; i++) state = afterProbe(state, result(i), rhythm, 14_000)
    expect(state.log).toHaveLength(5)
  })

  it('probes faster while it starts', () => {
    expect(nextProbeMs(fresh, rhythm, 0)).toBe(100)
    expect(nextProbeMs(fresh, rhythm, 10_000)).toBe(1000)
    expect(nextProbeMs({ ...fresh, status: 'healthy' }, rhythm, 0)).toBe(1000)
  })
})
