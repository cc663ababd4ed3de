import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { peek } from './build-context.ts'

async function read(stream: Readable): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

describe('peek', () => {
  it('gives the first bytes and everything', async () => {
    const { head, stream } = await peek(
      Readable.from([Buffer.from('first '), Buffer.alloc(600, 'x'), Buffer.from(' last')], { objectMode: false }),
    )
    expect(head.subarray(0, 7).toString()).toBe('first x')
    expect(await read(stream)).toBe(`first ${'x'.repeat(600)} last`)
  })

  it('knows an empty stream', async () => {
    const { head, stream } = await peek(Readable.from([], { objectMode: false }))
    expect(head).toHaveLength(0)
    expect(await read(stream)).toBe('')
  })

  it('leaves no listener for each time that its reader was slow', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { stream } = await peek(
      Readable.from(
        Array.from({ length: 30 }, () => Buffer.alloc(1 << 20)),
        { objectMode: false },
      ),
    )
    let listeners = 0
    let total = 0
    for await (const part of stream) {
      total += (part as Buffer).length
      listeners = Math.max(listeners, stream.listenerCount('close'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    process.off('warning', onWarning)
    expect(total).toBe(30 << 20)
    expect(warnings).toEqual([])
    expect(listeners).toBeLessThan(5)
  })

  it('passes on that its source broke, and leaves a source that is not read to the end alone', async () => {
    const broken = new PassThrough()
    broken.write(Buffer.alloc(600))
    const { stream } = await peek(broken)
    broken.destroy(new Error('the line was cut'))
    await expect(read(stream)).rejects.toThrow('the line was cut')

    const source = new PassThrough()
    source.write(Buffer.alloc(600))
    const half = await peek(source)
    half.stream.destroy()
    await once(half.stream, 'close')
    expect(source.destroyed).toBe(false)
  })
})
