/** Data roots on which nothing can run: one sentence at the start, not riddles at the first container. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEngine } from '../src/engine.ts'
import { createLogger } from '../src/log.ts'
import { removeEngineFiles, testConfig } from './engine.ts'

let root: string
const mounts: string[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-root-'))
})
afterEach(() => {
  for (const path of mounts.splice(0).reverse()) execFileSync('umount', [path])
  rmSync(root, { recursive: true, force: true })
})

function mount(path: string, ...args: string[]): void {
  execFileSync('mount', [...args, path])
  mounts.push(path)
}
async function open(dataRoot: string): Promise<unknown> {
  const config = testConfig()
  try {
    return await openEngine({ ...config, dataRoot }, createLogger('silent'))
  } finally {
    removeEngineFiles(config)
  }
}

it('says so of a file system that cannot hold layers, and leaves nothing there', async () => {
  for (const name of ['l', 'u', 'w', 'm']) mkdirSync(join(root, name))
  const options = `lowerdir=${root}/l,upperdir=${root}/u,workdir=${root}/w`
  mount(join(root, 'm'), '-t', 'overlay', '-o', options, 'overlay')
  await expect(open(join(root, 'm/data'))).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `the file system of ${root}/m/data (overlay) cannot hold the writable layers of overlay mounts; choose a data root on ext4, xfs or btrfs (BERTH_DATA)`,
  })
  expect(readdirSync(join(root, 'm/data'))).toEqual([])
})

it('says so of a read-only one, and of a file in the way', async () => {
  mount(root, '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
  mkdirSync(join(root, 'there'))
  writeFileSync(join(root, 'file'), '')
  execFileSync('mount', ['-o', 'remount,ro', root])
  const readOnly = { code: 'failed_precondition', message: expect.stringMatching(/is on a read-only file system$/) }
  await expect(open(join(root, 'new/data'))).rejects.toMatchObject(readOnly)
  await expect(open(join(root, 'there'))).rejects.toMatchObject(readOnly)
  await expect(open(join(root, 'file'))).rejects.toThrow('a file is in the way')
  await expect(open(join(root, 'file/data'))).rejects.toThrow('a file is in the way')
})
