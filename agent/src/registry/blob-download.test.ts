import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { EngineError } from '../errors.ts'
import { downloadBlob } from './blob-download.ts'
import type { Repository } from './registry-client.ts'

// The pauses between attempts are not what is tested.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }))

const bytes = Buffer.alloc(1 << 20, 7)
const blob = { digest: `sha256:${'0'.repeat(64)}` as const, sizeBytes: bytes.length }

/** A server that ends each answer after so many bytes; null: it has nothing. */
function server(host: string, most: number | null) {
  const asked: number[] = []
  const repository = {
    host,
    async blob(_digest: string, start: number) {
      asked.push(start)
      if (most === null) throw new EngineError('not_found', `${host} does not have it`)
      return { body: Readable.from([bytes.subarray(start, start + most)]), skip: 0 }
    },
  } as unknown as Repository
  return { repository, asked }
}

async function download(...servers: { repository: Repository }[]): Promise<number> {
  let received = 0
  for await (const chunk of downloadBlob(
    servers.map(({ repository }) => repository),
    blob,
    0,
  ))
    received += chunk.length
  return received
}

describe('downloadBlob', () => {
  it('goes on where an answer ended, however often, as long as it gets somewhere', async () => {
    const one = server('one', 100_000)
    expect(await download(one)).toBe(bytes.length)
    expect(one.asked).toEqual(Array.from({ length: 11 }, (_, at) => at * 100_000))
  })

  it('gives up a server that ends after a byte each time', async () => {
    const one = server('one', 1)
    await expect(download(one)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('one ended') })
    expect(one.asked).toEqual([0, 1, 2, 3, 4])
  })

  it('leaves such a mirror for the next server', async () => {
    const [trickle, empty, whole] = [server('trickle', 1), server('empty', null), server('whole', bytes.length)]
    expect(await download(trickle, empty, whole)).toBe(bytes.length)
    expect([trickle.asked, empty.asked, whole.asked]).toEqual([[0], [1], [1]])
  })
})
