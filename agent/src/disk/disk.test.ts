import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureDirectory, writeFileAtomic } from './files.ts'
import { lockDataRoot, startTimeOf } from './lock.ts'
import { openRecords } from './records.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-disk-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const parse = (value: unknown) => {
  if (typeof (value as { n?: unknown }).n !== 'number') throw new Error('n is missing')
  return value as { n: number }
}

describe('writeFileAtomic', () => {
  it('replaces a file with the given mode and leaves nothing beside it', async () => {
    const path = join(root, 'a')
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, 'two', { mode: 0o640 })
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(root)).toEqual(['a'])
  })

  it('leaves the old file and no temporary one when it fails', async () => {
    await expect(writeFileAtomic(join(root, 'missing', 'a'), 'x')).rejects.toThrow('ENOENT')
    execFileSync('mkdir', [join(root, 'd')])
    await expect(writeFileAtomic(join(root, 'd'), 'x')).rejects.toThrow()
    expect(readdirSync(root)).toEqual(['d'])
  })
})

describe('ensureDirectory', () => {
  it('makes parents, is content with what is there, also at the same time', async () => {
    const path = join(root, 'a/b/c')
    await Promise.all([ensureDirectory(path), ensureDirectory(path), ensureDirectory(join(root, 'a/b'))])
    await ensureDirectory(path)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  it('says what is in the way, and ends where nothing can be made', async () => {
    writeFileSync(join(root, 'file'), '')
    for (const path of [join(root, 'file'), join(root, 'file/below/it')])
      await expect(ensureDirectory(path)).rejects.toThrow(`${path} cannot be a directory: a file is in the way`)
    await expect(ensureDirectory('/proc/berth/data')).rejects.toThrow()
  })
})

describe('openRecords', () => {
  it('keeps records across openings and puts broken ones aside', async () => {
    const first = await openRecords(root, { parse })
    await Promise.all([first.put('a', { n: 1 }), first.put('a', { n: 2 }), first.put('b', { n: 3 })])
    await first.remove('b')
    writeFileSync(join(root, 'c.json'), '{"n":')
    writeFileSync(join(root, '.a.json.00.tmp'), 'torn')
    const second = await openRecords(root, { parse })
    expect(second.keys()).toEqual(['a'])
    expect(second.get('a')).toEqual({ n: 2 })
    expect(readdirSync(root).sort()).toEqual(['a.json', 'c.json.broken'])
  })

  it('keeps a record in a directory of its own', async () => {
    const first = await openRecords(root, { parse, layout: 'directory' })
    await first.put('v1', { n: 1 })
    expect(readdirSync(join(root, 'v1'))).toEqual(['record.json'])
    expect((await openRecords(root, { parse, layout: 'directory' })).get('v1')).toEqual({ n: 1 })
  })

  it('refuses keys that are not plain names', async () => {
    const records = await openRecords(root, { parse })
    for (const key of ['../x', '', '.hidden', 'a/b', 'a\0']) expect(() => records.put(key, { n: 1 })).toThrow('cannot name a record')
  })
})

describe('lockDataRoot', () => {
  it('lets one in, names it to the next, and frees it', async () => {
    const lock = await lockDataRoot(root)
    await expect(lockDataRoot(root)).rejects.toMatchObject({ code: 'failed_precondition' })
    await lock.release()
    await (await lockDataRoot(root)).release()
  })

  it('names a living holder by pid and ignores a dead one', async () => {
    const other = spawn('sleep', ['30'])
    try {
      const pid = other.pid as number
      writeFileSync(join(root, 'agent.lock'), JSON.stringify({ pid, startTime: await startTimeOf(pid) }))
      await expect(lockDataRoot(root)).rejects.toThrow(`process ${pid}`)
      writeFileSync(join(root, 'agent.lock'), JSON.stringify({ pid, startTime: '1' }))
      await (await lockDataRoot(root)).release()
    } finally {
      other.kill('SIGKILL')
    }
  })
})
