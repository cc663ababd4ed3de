import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

const loopTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('Turns', () => {
  it('lets one in each turn of the loop, in the order of asking, and others between them', async () => {
    const turns = new Turns()
    const order: string[] = []
    const all = ['a', 'b', 'c'].map((name) => turns.take().then(() => order.push(name)))
    for (let turn = 0; turn < 8 && order.filter((what) => what !== '-').length < 3; turn += 1) {
      await loopTurn()
      order.push('-')
    }
    await Promise.all(all)
    expect(order.filter((what) => what !== '-')).toEqual(['a', 'b', 'c'])
    // Never two without a turn of somebody else's between them.
    expect(order.join('')).not.toMatch(/[a-c][a-c]/)
  })

  it('lets in who asks later, and who asks while another one is let in', async () => {
    const turns = new Turns()
    await turns.take()
    await turns.take()
    const later = turns.take().then(() => turns.take())
    await loopTurn()
    await turns.take()
    await later
  })
})
