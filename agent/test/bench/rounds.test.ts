import { describe, expect, it, vi } from 'vitest'
import { interleaved, NoAnswer, withinLimit } from './rounds.ts'

const ours = { name: 'berth' }
const peer = { name: 'dockerd' }
const never = new Promise<never>(() => undefined)

describe('a limit on one command', () => {
  it('gives back what came in time', async () => {
    await expect(withinLimit(peer, 'ps', Promise.resolve(7), () => undefined)).resolves.toBe(7)
  })

  it('gives a command up that does not end, ends it, and names engine and command', async () => {
    const giveUp = vi.fn()
    await expect(withinLimit(peer, 'docker rm -f', never, giveUp, 10)).rejects.toThrow(
      'dockerd gave no answer to "docker rm -f" within 0.01 s; it was given up',
    )
    expect(giveUp).toHaveBeenCalledOnce()
  })
})

describe('interleaved rounds', () => {
  it('are in turns, after one each that does not count', async () => {
    const order: string[] = []
    const times = await interleaved('w', [ours, peer], 2, async ({ name }) => order.push(name))
    expect(order).toEqual(['berth', 'dockerd', 'berth', 'dockerd', 'berth', 'dockerd'])
    expect([...(times ?? [])].map(([name, values]) => [name, values.length])).toEqual([
      ['berth', 2],
      ['dockerd', 2],
    ])
  })

  it('are left out, with a sentence, when the peer gives no answer', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    try {
      const late = new NoAnswer('dockerd', 'ps', 60_000)
      await expect(
        interleaved('docker ps', [ours, peer], 1, ({ name }) => (name === 'berth' ? Promise.resolve() : Promise.reject(late))),
      ).resolves.toBe(null)
      expect(said.mock.calls).toEqual([['docker ps: not compared. dockerd gave no answer to "ps" within 60 s; it was given up']])
    } finally {
      said.mockRestore()
    }
  })

  it('fail when our own engine gives none, and for every other reason', async () => {
    await expect(interleaved('w', [ours], 1, () => Promise.reject(new NoAnswer('berth', 'ps', 1)))).rejects.toThrow('berth gave no answer')
    await expect(interleaved('w', [peer], 1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})
