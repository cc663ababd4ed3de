import { describe, expect, it } from 'vitest'
import { Lanes } from './progress.ts'

const never = new AbortController().signal

describe('lanes', () => {
  it('let in as many as there are, in order, also after failures', async () => {
    const lanes = new Lanes(2)
    let inside = 0
    let most = 0
    const order: number[] = []
    const results = await Promise.allSettled(
      Array.from({ length: 7 }, (_, at) =>
        lanes.run(async () => {
          order.push(at)
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setImmediate(resolve))
          inside -= 1
          if (at % 2) throw new Error(String(at))
        }, never),
      ),
    )
    expect([most, inside]).toEqual([2, 0])
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3)
  })

  it('let go of who is cancelled while it waits', async () => {
    const lanes = new Lanes(1)
    let open = () => {}
    const first = lanes.run(() => new Promise<void>((resolve) => (open = resolve)), never)
    const cancel = new AbortController()
    const second = lanes.run(async () => 'second', cancel.signal)
    const third = lanes.run(async () => 'third', never)
    cancel.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    open()
    await first
    expect(await third).toBe('third')
    expect(await lanes.run(async () => 'fourth', never)).toBe('fourth')
  })
})
