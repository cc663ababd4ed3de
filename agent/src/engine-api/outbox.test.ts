import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Outbox } from './outbox.ts'

/** A client that reads one write at a time, when it is told to. */
function slowReader() {
  const got: string[] = []
  let next: (() => void) | null = null
  const target = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      got.push(String(chunk))
      next = () => done()
    },
  })
  const read = async () => {
    const release = next
    next = null
    release?.()
    for (let count = 0; count < 5; count++) await turn()
  }
  return { target, got, read }
}

describe('Outbox', () => {
  it('keeps the order, and takes no more than it may until the client has read', async () => {
    const { target, got, read } = slowReader()
    const outbox = new Outbox(target, 10)
    expect(outbox.offer('12345')).toBe(true)
    await turn()
    expect(outbox.offer('67890')).toBe(true)
    expect(outbox.offer('x')).toBe(false)
    outbox.push('must')
    await read()
    await read()
    expect(got).toEqual(['12345', '67890must'])
    expect(outbox.offer('again')).toBe(true)
    await read()
    await read()
    await outbox.flushed()
    expect([got.at(-1), outbox.empty]).toEqual(['again', true])
  })

  it('ends waiting when the client goes', async () => {
    const { target } = slowReader()
    const outbox = new Outbox(target, 10)
    outbox.push('a')
    await turn()
    outbox.push('b')
    target.destroy()
    await outbox.flushed()
    expect(outbox.empty).toBe(true)
  })
})
