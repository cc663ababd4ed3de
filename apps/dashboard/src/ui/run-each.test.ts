import { describe, expect, it } from 'vitest'
import { runEach } from './run-each'

describe('runEach', () => {
  it('goes on after a failure, and names what failed', async () => {
    const done: string[] = []
    const ended: number[] = []
    const step = (name: string, fails = false) => ({
      key: name,
      name,
      run: async (suffix: string) => {
        await Promise.resolve()
        if (fails) throw new Error(`${name} is in use`)
        done.push(name + suffix)
      },
    })
    const steps = [step('a'), step('b', true), step('c'), step('d'), step('e', true), step('f')]
    const failures = await runEach(steps, '!', (count) => ended.push(count))
    expect(done.sort()).toEqual(['a!', 'c!', 'd!', 'f!'])
    expect(failures).toEqual([
      { key: 'b', name: 'b', message: 'b is in use' },
      { key: 'e', name: 'e', message: 'e is in use' },
    ])
    expect(ended).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('never runs more than four at once', async () => {
    let now = 0
    let most = 0
    const steps = Array.from({ length: 20 }, (_, index) => ({
      key: `${index}`,
      name: `${index}`,
      run: async () => {
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
      },
    }))
    expect(await runEach(steps, undefined)).toEqual([])
    expect(most).toBe(4)
  })
})
