import { describe, expect, it } from 'vitest'
import { historyStepMs, StatsHistory } from './stats-history.ts'

/** What the ring has to be, kept the plain way. */
function plainly(points: { step: number; row: number[] }[]): { at: number; values: number[] }[] {
  const bySteps = new Map(points.map(({ step, row }) => [step, row]))
  return [...bySteps].slice(-720).map(([step, row]) => ({ at: step * historyStepMs, values: row.map(Math.fround) }))
}

function kept(points: { step: number; row: number[] }[]): StatsHistory {
  const history = new StatsHistory(points[0]?.row.length ?? 1)
  for (const { step, row } of points) history.add(step * historyStepMs + 17, row)
  return history
}

describe('StatsHistory', () => {
  it('gives back the newest 720 rows of a busy container as they were', () => {
    const points = Array.from({ length: 1000 }, (_, n) => ({
      step: 340_000_000 + n,
      row: [n * 1.5, 3, (n * 7919) % 1000, 2 ** 40 + n * 4096],
    }))
    expect(kept(points).rows()).toEqual(plainly(points))
  })

  it('lets the newest row of a step win', () => {
    const points = [
      { step: 10, row: [1, 1] },
      { step: 11, row: [2, 1] },
      { step: 11, row: [3, 9] },
      { step: 12, row: [4, 1] },
    ]
    expect(kept(points).rows()).toEqual(plainly(points))
  })

  it('keeps the times of rows that did not come each step', () => {
    let step = 1000
    const points = Array.from({ length: 200 }, (_, n) => {
      step += n % 7 === 0 ? 3 : 1
      return { step, row: [n, 0] }
    })
    expect(kept(points).rows()).toEqual(plainly(points))
  })

  it('begins a new block where a gap is too long for the old one, and forgets what is older than an hour', () => {
    const points = [5, 6, 7, 100_000, 100_001].map((step) => ({ step, row: [step, 1] }))
    expect(kept(points).rows()).toEqual(plainly(points.slice(3)))
  })

  it('forgets what a clock that is set back makes the future, and tells the right times then', () => {
    const row = (step: number) => ({ step, row: [step, step % 7] })
    const before = Array.from({ length: 150 }, (_, n) => row(10_000 + n))
    // By two hours, into a block, and within the open rows.
    for (const back of [10_000 - 1440, 10_070, 10_140]) {
      const after = Array.from({ length: 100 }, (_, n) => row(back + n))
      const left = before.filter(({ step }) => step < back)
      expect(kept([...before, ...after]).rows()).toEqual(plainly([...left, ...after]))
    }
  })

  it('keeps a value that changed in the last row of a block only', () => {
    const points = Array.from({ length: 130 }, (_, n) => ({ step: n, row: [n === 59 || n === 119 ? 8 : 4, 5] }))
    expect(kept(points).rows()).toEqual(plainly(points))
  })

  it('costs an idle container a tenth of a busy one', () => {
    const idle = kept(Array.from({ length: 1000 }, (_, step) => ({ step, row: [0, 0, 4096, 1, 0, 0, 0, 0] }))).bytes
    const busy = kept(
      Array.from({ length: 1000 }, (_, step) => ({ step, row: Array.from({ length: 8 }, (_, at) => step * (at + 1)) })),
    ).bytes
    expect(idle).toBeLessThan(busy / 8)
    expect(busy).toBeLessThan(32 * 1024)
  })

  it('costs next to nothing before there is a row', () => {
    expect(new StatsHistory(8).bytes).toBe(0)
  })
})
