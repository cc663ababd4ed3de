import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BuildContext, peek } from './build-context.ts'

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

describe('the digest of what a COPY copies', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-context-'))
    writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\n')
    mkdirSync(join(root, 'tree/deep'), { recursive: true })
    for (const [name, content] of files) {
      writeFileSync(join(root, 'tree', name), content)
      chmodSync(join(root, 'tree', name), 0o640)
    }
    symlinkSync('/etc/hostname', join(root, 'tree/link'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  /** On both sides of what is read at once. */
  const files = new Map([
    ['deep/large', Buffer.alloc(3 * 64 * 1024 + 1, 'l')],
    ['empty', Buffer.alloc(0)],
    ['limit', Buffer.alloc(64 * 1024, 'm')],
    ['small', Buffer.from('few bytes')],
  ])
  const digest = async () => (await BuildContext.open(root, { dockerfile: 'Dockerfile' })).digest('tree')

  it('is that of names, modes, sizes and contents in order, links by their target: steps of earlier versions are found by it', async () => {
    const hash = createHash('sha256')
    const entry = (name: string, content?: Buffer | string) => {
      const stat = lstatSync(join(root, 'tree', name))
      hash.update(JSON.stringify([name, stat.mode, stat.isFile() ? stat.size : 0, 0]))
      if (content !== undefined) hash.update(content)
    }
    entry('')
    entry('/deep')
    entry('/deep/large', files.get('deep/large'))
    entry('/empty')
    entry('/limit', files.get('limit'))
    entry('/link', '/etc/hostname')
    entry('/small', files.get('small'))
    expect(await digest()).toBe(hash.digest('hex'))
  })

  it.each([...files.keys()].filter((name) => name !== 'empty'))('is another one when the last byte of %s is', async (name) => {
    const before = await digest()
    const content = Buffer.from(files.get(name) as Buffer)
    content[content.length - 1] = 0
    writeFileSync(join(root, 'tree', name), content)
    expect(await digest()).not.toBe(before)
  })

  it('lets others have their turn while thousands of files are read', async () => {
    for (let n = 0; n < 3000; n++) writeFileSync(join(root, 'tree', `file-${n}`), 'x'.repeat(1000))
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    try {
      await digest()
    } finally {
      clearInterval(timer)
    }
    expect(turns).toBeGreaterThan(1)
  })
})
