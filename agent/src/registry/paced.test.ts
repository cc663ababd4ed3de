import { expect, it } from 'vitest'
import { paced } from './paced.ts'

/** A body of chunks, each after a wait, on a clock of its own. */
function body(chunks: { afterMs: number; bytes: number }[]) {
  const state = { clock: 0, closed: false, at: 0 }
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      const chunk = chunks[state.at++]
      if (!chunk) return { value: undefined, done: true }
      state.clock += chunk.afterMs
      return { value: Buffer.alloc(chunk.bytes), done: false }
    },
    async return() {
      state.closed = true
      return { value: undefined, done: true }
    },
  }
  return { state, now: () => state.clock, iterable: { [Symbol.asyncIterator]: () => iterator } }
}

const least = { bytes: 100, withinMs: 1000 }
async function read(made: ReturnType<typeof body>, readerMs = 0): Promise<number> {
  let bytes = 0
  for await (const chunk of paced(made.iterable, 'slow.example', least, made.now)) {
    bytes += chunk.length
    made.state.clock += readerMs
  }
  return bytes
}

it('gives up a body that trickles, and closes it', async () => {
  const made = body(Array.from({ length: 100 }, () => ({ afterMs: 300, bytes: 1 })))
  await expect(read(made)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('slow.example sent 4 bytes') })
  expect(made.state).toMatchObject({ at: 4, closed: true })
})

it('gives up one that began well', async () => {
  const made = body([
    ...Array.from({ length: 10 }, () => ({ afterMs: 500, bytes: 1000 })),
    ...Array.from({ length: 9 }, () => ({ afterMs: 500, bytes: 1 })),
  ])
  await expect(read(made)).rejects.toMatchObject({ code: 'unavailable' })
})

it('reads a slow one that goes on, and one whose reader is slow', async () => {
  expect(await read(body(Array.from({ length: 50 }, () => ({ afterMs: 900, bytes: 60 }))))).toBe(3000)
  expect(await read(body(Array.from({ length: 50 }, () => ({ afterMs: 1, bytes: 1 }))), 10_000)).toBe(50)
})
