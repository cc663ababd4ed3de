import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, hexOf } from '../oci/digest.ts'
import { createContentStore } from './content-store.ts'

let dataRoot: string
beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), 'berth-content-'))
})
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }))
const ingestNames = () => readdirSync(join(dataRoot, 'content', 'ingest'))

describe('createContentStore', () => {
  it('stores and reads small blobs, and notices a changed disk', async () => {
    const store = await createContentStore({ dataRoot })
    const { digest } = await store.put(Buffer.from('hello'))
    expect((await store.read(digest)).toString()).toBe('hello')
    expect(await buffer(store.stream(digest, 1))).toEqual(Buffer.from('ello'))
    expect((await createContentStore({ dataRoot })).size(digest)).toBe(5)
    writeFileSync(store.path(digest), 'hellO')
    await expect(store.read(digest)).rejects.toMatchObject({ code: 'data_loss' })
    await expect(store.read(digestOf('other'))).rejects.toMatchObject({ code: 'not_found' })
  })

  it('resumes an interrupted blob in a later life', async () => {
    const first = await createContentStore({ dataRoot })
    const digest = digestOf('hello world')
    const ingest = await first.ingest(digest, 11)
    await ingest.write(Buffer.from('hello '))
    await expect(first.ingest(digest, 11)).rejects.toMatchObject({ code: 'failed_precondition' })
    await ingest.suspend()
    const second = await createContentStore({ dataRoot })
    const again = await second.ingest(digest, 11)
    expect(again.offset).toBe(6)
    const back: Buffer[] = []
    for await (const chunk of again.readBack()) back.push(chunk)
    expect(Buffer.concat(back).toString()).toBe('hello ')
    await again.write(Buffer.from('world'))
    await again.commit()
    expect((await second.read(digest)).toString()).toBe('hello world')
    expect(ingestNames()).toEqual([])
  })

  it('throws away what fails verification', async () => {
    const store = await createContentStore({ dataRoot })
    const short = await store.ingest(digestOf('abc'), 3)
    await short.write(Buffer.from('ab'))
    await expect(short.commit()).rejects.toThrow('2 of 3 bytes')
    const wrong = await store.ingest(digestOf('abc'), 3)
    await wrong.write(Buffer.from('abd'))
    await expect(wrong.commit()).rejects.toMatchObject({ code: 'data_loss' })
    const long = await store.ingest(digestOf('abc'), 3)
    await expect(long.write(Buffer.from('abcd'))).rejects.toThrow('longer than')
    await long.discard()
    expect(store.has(digestOf('abc'))).toBe(false)
    expect(ingestNames()).toEqual([])
  })

  it('sweeps what nobody keeps or holds, and downloads abandoned long ago', async () => {
    const store = await createContentStore({ dataRoot })
    const [kept, held, free] = await Promise.all(['kept', 'held', 'free!'].map((text) => store.put(Buffer.from(text))))
    const lease = store.lease()
    lease.hold(held?.digest as string)
    const old = join(dataRoot, 'content', 'ingest', hexOf(digestOf('old')))
    writeFileSync(old, 'xx')
    utimesSync(old, 1, 1)
    writeFileSync(join(dataRoot, 'content', 'ingest', hexOf(digestOf('new'))), 'yy')
    expect(await store.sweep(new Set([kept?.digest as string]))).toBe(5 + 2)
    expect(store.digests().sort()).toEqual([kept?.digest, held?.digest].sort())
    expect(ingestNames()).toEqual([hexOf(digestOf('new'))])
    lease.release()
    expect(await store.sweep(new Set())).toBe(8)
    expect(free && store.has(free.digest)).toBe(false)
  })

  it('forgets drafts of an earlier life', async () => {
    mkdirSync(join(dataRoot, 'content', 'ingest'), { recursive: true })
    const store = await createContentStore({ dataRoot })
    const draft = await store.draft()
    writeFileSync(draft.path, 'abc')
    expect(await draft.commit(digestOf('abc'))).toEqual({ digest: digestOf('abc'), sizeBytes: 3 })
    writeFileSync((await store.draft()).path, 'half')
    await createContentStore({ dataRoot })
    expect(ingestNames()).toEqual([])
  })
})
