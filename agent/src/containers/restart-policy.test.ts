import { describe, expect, it } from 'vitest'
import { nextRestart, startsAtBoot } from './restart-policy.ts'

const policy = (name: 'no' | 'always' | 'unless-stopped' | 'on-failure', maximumRetryCount = 0) => ({ name, maximumRetryCount })
const ended = { exitCode: 1, ranMs: 50, manuallyStopped: false }

describe('nextRestart', () => {
  it('doubles from 100 ms and starts over after 10 s of health', () => {
    const delays = []
    let lastDelayMs = 0
    for (let count = 0; count < 12; count++) {
      lastDelayMs = nextRestart(policy('always'), { count, lastDelayMs }, ended) as number
      delays.push(lastDelayMs)
    }
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000])
    expect(nextRestart(policy('always'), { count: 9, lastDelayMs: 60000 }, { ...ended, ranMs: 10_000 })).toBe(100)
  })

  it('follows the policy', () => {
    const fresh = { count: 0, lastDelayMs: 0 }
    expect(nextRestart(policy('no'), fresh, ended)).toBeNull()
    expect(nextRestart(policy('always'), fresh, { ...ended, exitCode: 0 })).toBe(100)
    expect(nextRestart(policy('on-failure'), fresh, { ...ended, exitCode: 0 })).toBeNull()
    expect(nextRestart(policy('on-failure', 3), { count: 2, lastDelayMs: 200 }, ended)).toBe(400)
    expect(nextRestart(policy('on-failure', 3), { count: 3, lastDelayMs: 400 }, ended)).toBeNull()
    for (const name of ['always', 'unless-stopped', 'on-failure'] as const)
      expect(nextRestart(policy(name), fresh, { ...ended, manuallyStopped: true })).toBeNull()
  })
})

describe('startsAtBoot', () => {
  const last = { wasRunning: true, rebooted: true, everStarted: true, manuallyStopped: false, exitCode: 0, restartCount: 0 }
  it('brings back what the policy says', () => {
    expect(startsAtBoot(policy('no'), last)).toBe(false)
    expect(startsAtBoot(policy('always'), { ...last, wasRunning: false, manuallyStopped: true })).toBe(true)
    expect(startsAtBoot(policy('always'), { ...last, everStarted: false })).toBe(false)
    expect(startsAtBoot(policy('unless-stopped'), last)).toBe(true)
    expect(startsAtBoot(policy('unless-stopped'), { ...last, manuallyStopped: true })).toBe(false)
    expect(startsAtBoot(policy('on-failure'), last)).toBe(true)
    expect(startsAtBoot(policy('on-failure'), { ...last, wasRunning: false })).toBe(false)
  })
})
