import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LogRecord, logQuery } from '@berth/contract/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogs } from './create-logs.ts'

let directory: string
let end: () => void
const ended = () =>
  new Promise<void>((resolve) => {
    end = resolve
  })
let running = false
let over: Promise<void>
const logs = createLogs({ logOf: () => ({ id: 'c', directory, running, ended: over }) })
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-log-'))
  running = false
  over = Promise.resolve()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const time = (n: number) => `2026-01-01T00:00:${String(n % 60).padStart(2, '0')}.${String(n).padStart(9, '0')}Z`
const line = (n: number, text = `line ${n}`, stream = 'stdout', tag = 'F') => `${time(n)} ${stream} ${tag} ${text}\n`
const nameOf = (offset: number) => join(directory, `${String(offset).padStart(20, '0')}.log`)
/** Writes lines into files of about `perFile` records; returns the logical end. */
function write(lines: string[], perFile: number): number {
  let offset = 0
  for (let at = 0; at < lines.length; at += perFile) {
    const text = lines.slice(at, at + perFile).join('')
    writeFileSync(nameOf(offset), text)
    offset += Buffer.byteLength(text)
  }
  return offset
}
const read = (query: Record<string, unknown>) => logs.read(logQuery.parse({ container: 'c', ...query }))
const texts = (records: { text: string }[]) => records.map(({ text }) => text)
async function raw(query: Record<string, unknown>) {
  const records: string[] = []
  await logs.raw(
    { container: 'c', stdout: true, stderr: true, tail: null, follow: false, ...query } as Parameters<typeof logs.raw>[0],
    async (batch) => {
      for (const record of batch) records.push(`${record.stream[3]}:${record.bytes.toString()}`)
    },
    new AbortController().signal,
  )
  return records
}

describe('reading', () => {
  it('answers for a container that never logged', async () => {
    expect(await read({})).toEqual({ records: [], startOffset: 0, endOffset: 0, nextOffset: null, scanned: 0 })
  })

  it('pages forwards and backwards across files without a gap or a duplicate', async () => {
    const total = write(
      Array.from({ length: 100 }, (_, n) => line(n)),
      7,
    )
    const forwards: LogRecord[] = []
    for (let from: number | null = 0; from !== null; ) {
      const page: Awaited<ReturnType<typeof read>> = await read({ fromOffset: from, limit: 9 })
      forwards.push(...page.records)
      from = page.nextOffset
    }
    expect(texts(forwards)).toEqual(Array.from({ length: 100 }, (_, n) => `line ${n}`))
    forwards.forEach((record, index) => {
      expect(record.offset).toBe(index === 0 ? 0 : forwards[index - 1]?.next)
    })
    const backwards: LogRecord[] = []
    for (let before: number | null = total; before !== null; ) {
      const page: Awaited<ReturnType<typeof read>> = await read({ beforeOffset: before, limit: 9 })
      backwards.unshift(...page.records)
      before = page.nextOffset
    }
    expect(backwards).toEqual(forwards)
  })

  it('counts the tail in whole lines of the wanted stream', async () => {
    write([line(1), line(2, 'e', 'stderr'), line(3, 'par', 'stdout', 'P'), line(4, 'tial'), line(5, 'e2', 'stderr'), line(6)], 2)
    expect(texts((await read({ tail: 2, stderr: false })).records)).toEqual(['par', 'tial', 'line 6'])
    expect(texts((await read({ tail: 1, stdout: false })).records)).toEqual(['e2'])
    expect(texts((await read({ tail: 100 })).records)).toHaveLength(6)
    expect(texts((await read({ tail: 0 })).records)).toEqual([])
    expect(await raw({ tail: 3 })).toEqual(['o:par', 'o:tial\n', 'e:e2\n', 'o:line 6\n'])
  })

  it('keeps to since and until, and passes over torn lines', async () => {
    write([line(1), 'torn half of a rec', '\n', line(5), line(9), line(12)], 100)
    expect(texts((await read({ since: time(5), until: time(9) })).records)).toEqual(['line 5', 'line 9'])
    expect(await raw({ since: time(9) })).toEqual(['o:line 9\n', 'o:line 12\n'])
    expect(await raw({ until: time(1) })).toEqual(['o:line 1\n'])
  })

  it('finds by time what a clock that was set back wrote behind later times', async () => {
    write([line(1), line(30), line(31), line(2), line(3)], 2)
    expect(texts((await read({ until: time(10) })).records)).toEqual(['line 1', 'line 2', 'line 3'])
    expect(await raw({ until: time(10) })).toEqual(['o:line 1\n', 'o:line 2\n', 'o:line 3\n'])
    expect(texts((await read({ since: time(20) })).records)).toEqual(['line 30', 'line 31'])
    const { endOffset } = await read({})
    expect(texts((await read({ since: time(20), beforeOffset: endOffset })).records)).toEqual(['line 30', 'line 31'])
  })

  it('follows until the moment that was asked for, also when nothing more is said', async () => {
    write([line(1)], 1)
    running = true
    over = ended()
    const until = new Date(Date.now() + 200)
    expect(await raw({ follow: true, until: until.toISOString() })).toEqual(['o:line 1\n'])
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime())
    expect(await raw({ follow: true, until: '2020-01-01T00:00:00Z' })).toEqual([])
    end()
  })

  it('gives bytes as they were written', async () => {
    const bytes = Buffer.from([0x00, 0xff, 0xc3, 0x28, 0x1b, 0x5b])
    writeFileSync(
      nameOf(0),
      Buffer.concat([
        Buffer.from(`${time(1)} stdout F `),
        bytes,
        Buffer.from('\n'),
        Buffer.from(line(2, '', 'stderr')),
        Buffer.from(line(3, 'open', 'stdout', 'P')),
      ]),
    )
    const records: Buffer[] = []
    await logs.raw(
      { container: 'c', stdout: true, stderr: true, tail: null, follow: false },
      async (batch) => void records.push(...batch.map((record) => record.bytes)),
      new AbortController().signal,
    )
    expect(records).toEqual([Buffer.concat([bytes, Buffer.from('\n')]), Buffer.from('\n'), Buffer.from('open')])
  })

  it('goes on behind what rotation took', async () => {
    const size = write(
      Array.from({ length: 20 }, (_, n) => line(n)),
      10,
    )
    rmSync(nameOf(0))
    const page = await read({ fromOffset: 0 })
    expect(texts(page.records)[0]).toBe('line 10')
    expect(page.startOffset).toBeGreaterThan(0)
    await expect(read({ fromOffset: size + 1 })).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

describe('searching', () => {
  beforeEach(() => {
    write([line(1, 'GET /a 200'), line(2, 'get /b 404'), line(3, 'POST /c 500 – Größe'), line(4, 'x')], 2)
  })
  it.each([
    [{ text: 'get' }, ['GET /a 200', 'get /b 404']],
    [{ text: 'get', ignoreCase: false }, ['get /b 404']],
    [{ text: 'größe' }, ['POST /c 500 – Größe']],
    [{ text: ' [45]\\d\\d', regex: true }, ['get /b 404', 'POST /c 500 – Größe']],
    [{ text: '/', invert: true }, ['x']],
  ])('%j', async (search, expected) => {
    const page = await read({ search })
    expect(texts(page.records)).toEqual(expected)
    expect(page.scanned).toBe(4 - expected.length)
    expect(texts((await read({ search, beforeOffset: page.endOffset })).records)).toEqual(expected)
  })

  it('is not held up by a pattern that backtracks', async () => {
    writeFileSync(nameOf(0), line(1, 'a'.repeat(15_000)))
    expect((await read({ search: { text: '(a+)+$x', regex: true } })).records).toEqual([])
    await expect(read({ search: { text: '(', regex: true } })).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

describe('following', () => {
  it('gives the tail, then what comes, across rotation, to the end', async () => {
    running = true
    over = ended()
    const first = line(1) + line(2)
    writeFileSync(nameOf(0), first)
    const seen: string[] = []
    let more: () => void = () => {}
    const wait = (count: number) =>
      new Promise<void>((resolve) => {
        more = () => seen.length >= count && resolve()
        more()
      })
    const follow = logs.follow({ container: 'c', stdout: true, stderr: true, tail: 1 }, async (records) => {
      seen.push(...texts(records))
      more()
    })
    expect([follow.startOffset, follow.endOffset]).toEqual([0, first.length])
    await wait(1)
    appendFileSync(nameOf(0), `${line(3)}${line(4).slice(0, 20)}`)
    await wait(2)
    appendFileSync(nameOf(0), line(4).slice(20))
    writeFileSync(nameOf(first.length + line(3).length + line(4).length), line(5))
    await wait(4)
    expect(seen).toEqual(['line 2', 'line 3', 'line 4', 'line 5'])
    appendFileSync(nameOf(first.length + line(3).length + line(4).length), line(6))
    end()
    expect(await follow.done).toBe('ended')
    expect(seen.at(-1)).toBe('line 6')
  })

  it('stops when told, and waits for a slow reader', async () => {
    running = true
    over = ended()
    write(
      Array.from({ length: 2000 }, (_, n) => line(n)),
      300,
    )
    let batches = 0
    let release: () => void = () => {}
    const follow = logs.follow({ container: 'c', stdout: true, stderr: true, tail: null }, () => {
      batches += 1
      return new Promise<void>((resolve) => {
        release = resolve
      })
    })
    await expect.poll(() => batches, { timeout: 10_000 }).toBe(1)
    follow.stop()
    release()
    expect(await follow.done).toBe('stopped')
    expect(batches).toBe(1)
  })
})
