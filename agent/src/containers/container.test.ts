import { afterEach, expect, it, vi } from 'vitest'
import type { Task } from '../tasks/tasks.ts'
import { Container } from './container.ts'
import type { ContainerRecord } from './record.ts'

afterEach(() => void vi.useRealTimers())

it('has run as long as it has, whatever the wall clock is set to', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const container = new Container({ id: 'c', name: 'c' } as ContainerRecord)
  container.begin({} as Task, 4000)
  for (const hours of [1, -1]) {
    vi.setSystemTime(Date.now() + hours * 3_600_000)
    expect(container.ranMs()).toBeGreaterThanOrEqual(4000)
    expect(container.ranMs()).toBeLessThan(60_000)
  }
})
