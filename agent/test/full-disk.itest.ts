import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestEngine, parseOptions, removeEngineFiles, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/** The data root on a small file system of its own, filled to the last block. */
const config = testConfig()
const image = `${config.runRoot}.img`
const filler = `${config.dataRoot}/filler`
let engine: TestEngine

beforeAll(async () => {
  execFileSync('truncate', ['-s', '48M', image])
  execFileSync('mkfs.ext4', ['-q', '-m', '0', '-O', '^has_journal', image])
  execFileSync('mount', ['-o', 'loop', image, config.dataRoot])
  execFileSync('chmod', ['711', config.dataRoot])
  engine = await openTestEngine(config)
})
afterAll(async () => {
  // destroy() would remove the data root, which is a mount point here.
  rmSync(filler, { force: true })
  for (const { id } of (await engine?.containers.list({ all: true, filters: {}, limit: 0, size: false })) ?? [])
    await engine.containers.remove(id, { force: true, volumes: true })
  await engine?.close()
  execFileSync('umount', ['-l', config.dataRoot])
  rmSync(image, { force: true })
  mkdirSync(config.dataRoot, { recursive: true })
  removeEngineFiles(config)
})

function fill(): void {
  const file = openSync(filler, 'w')
  for (const size of [1 << 20, 4096, 512])
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  closeSync(file)
}

const quiet = (cmd: string[]) => parseOptions({ image: 'busybox:1', cmd, networkMode: 'none', stopTimeoutSeconds: 0 })
const all = () => engine.containers.list({ all: true, filters: {}, limit: 0, size: false })

it('says so, loses nothing, and goes on when there is room again', async () => {
  const { id } = await engine.containers.create({ name: 'before', options: quiet(['sh', '-c', 'echo early; sleep 600']) })
  await engine.containers.start(id)
  fill()
  await expect(engine.containers.create({ name: 'during', options: quiet(['true']) })).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringMatching(/no space/i),
  })
  expect((await all()).map(({ name }) => name)).toEqual(['before'])
  expect((await engine.exec(id, { cmd: ['echo', 'still here'] })).stdout).toBe('still here\n')
  await engine.containers.stop(id)
  expect((await engine.containers.inspect(id)).state).toMatchObject({ status: 'exited', exitCode: 137 })
  rmSync(filler)
  await engine.reopen()
  expect((await all()).map(({ name, state }) => `${name} ${state.status} ${state.exitCode}`)).toEqual(['before exited 137'])
  expect(
    (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 5 })).records.map(({ text }) => text),
  ).toEqual(['early'])
  expect((await engine.output(quiet(['echo', 'room again']))).stdout).toBe('room again\n')
  await engine.containers.remove(id, { force: false, volumes: true })
  expect(await settledLeftovers(config, (left) => !left.startsWith('mount:'))).toEqual([])
})
