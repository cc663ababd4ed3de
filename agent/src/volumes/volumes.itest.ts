import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDataRoot, nativeDir } from '../../test/image-rooms.ts'
import { createEvents } from '../events/create-events.ts'
import { createVolumes, type VolumeStore } from './create-volumes.ts'

let dataRoot: string
let volumes: VolumeStore
const open = async () => createVolumes({ dataRoot, nativeDir, events: await createEvents({ dataRoot }) })
beforeEach(async () => {
  dataRoot = makeDataRoot()
  volumes = await open()
})
afterEach(async () => {
  await volumes.close()
  rmSync(dataRoot, { recursive: true, force: true })
})
const inUse = { volume: 'data', containerId: 'c'.repeat(64), containerName: 'web', destination: '/data', readOnly: false }

describe('volumes', () => {
  it('creates, lists, filters and inspects; names are checked, creation is idempotent', async () => {
    const made = await volumes.create({ name: 'data', labels: { a: '1' } })
    expect(made).toMatchObject({ name: 'data', anonymous: false, mountpoint: join(dataRoot, 'volumes', 'data', '_data'), usedBy: [] })
    expect(await volumes.create({ name: 'data' })).toEqual(made)
    const anonymous = await volumes.create({})
    expect(anonymous.name).toMatch(/^[0-9a-f]{64}$/)
    expect((await volumes.list({ filters: { label: ['a=1'] } })).map((volume) => volume.name)).toEqual(['data'])
    expect((await volumes.list({ filters: { name: ['at'] } })).map((volume) => volume.name)).toEqual(['data'])
    await expect(volumes.list({ filters: { shape: ['x'] } })).rejects.toThrow("Invalid filter 'shape'")
    await expect(volumes.create({ name: '../x' })).rejects.toThrow('includes invalid characters for a local volume name')
    await expect(volumes.create({ name: 'x' })).rejects.toThrow('too short')
    await expect(volumes.create({ name: 'opt', options: { colour: 'red' } })).rejects.toThrow('invalid option: "colour"')
    await expect(volumes.create({ name: 'data', options: { type: 'tmpfs', device: 'tmpfs' } })).rejects.toMatchObject({
      code: 'already_exists',
    })
    await volumes.close()
    volumes = await open()
    expect((await volumes.inspect('data')).labels).toEqual({ a: '1' })
  })

  it('refuses to remove one in use, in Docker words, and removes a free one', async () => {
    await volumes.create({ name: 'data' })
    volumes.setUsers(() => [inUse])
    await expect(volumes.remove('data', { force: true })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: `remove data: volume is in use - [${inUse.containerId}]`,
    })
    expect((await volumes.inspect('data')).usedBy).toEqual([{ id: inUse.containerId, name: 'web', destination: '/data', readOnly: false }])
    volumes.setUsers(() => [])
    await volumes.remove('data', { force: false })
    await expect(volumes.inspect('data')).rejects.toMatchObject({ code: 'not_found', message: 'no such volume: data' })
    await expect(volumes.remove('data', { force: false })).rejects.toThrow('no such volume: data')
    await volumes.remove('data', { force: true })
  })

  it('prunes anonymous ones only, unless all, and lists the same in a dry run', async () => {
    for (const name of ['data', 'other']) await volumes.create({ name })
    const anonymous = await volumes.create({})
    writeFileSync(join(anonymous.mountpoint, 'f'), Buffer.alloc(100_000))
    volumes.setUsers(() => [inUse])
    const rest = { labels: [], notLabels: [] }
    const dry = await volumes.prune({ all: false, dryRun: true, ...rest })
    expect(dry.removed.map((entry) => entry.name)).toEqual([anonymous.name])
    expect(dry.reclaimedBytes).toBeGreaterThanOrEqual(100_000)
    expect(await volumes.prune({ all: false, dryRun: false, ...rest })).toEqual({ ...dry, dryRun: false })
    expect((await volumes.prune({ all: true, dryRun: false, ...rest })).removed.map((entry) => entry.name)).toEqual(['other'])
    expect((await volumes.list()).map((volume) => volume.name)).toEqual(['data'])
  })

  it('backs up, restores in place and clones, with owners and modes', async () => {
    const { mountpoint } = await volumes.create({ name: 'data' })
    mkdirSync(join(mountpoint, 'sub'))
    writeFileSync(join(mountpoint, 'sub', 'f'), 'one', { mode: 0o640 })
    execFileSync('chown', ['7:8', join(mountpoint, 'sub', 'f')])
    const archive = await buffer(await volumes.backup('data'))
    expect(execFileSync('tar', ['-tzf', '-'], { input: archive, encoding: 'utf8' })).toContain('sub/f')
    const before = statSync(mountpoint).ino
    writeFileSync(join(mountpoint, 'sub', 'f'), 'two')
    writeFileSync(join(mountpoint, 'new'), 'x')
    await volumes.restore('data', Readable.from([archive]))
    expect(statSync(mountpoint).ino).toBe(before)
    expect(readdirSync(mountpoint)).toEqual(['sub'])
    expect(readFileSync(join(mountpoint, 'sub', 'f'), 'utf8')).toBe('one')
    const copy = await volumes.clone('data', 'copy')
    const { uid, gid, mode } = statSync(join(copy.mountpoint, 'sub', 'f'))
    expect([uid, gid, mode & 0o777]).toEqual([7, 8, 0o640])
    await expect(volumes.clone('data', 'copy')).rejects.toMatchObject({ code: 'already_exists' })
    expect(await volumes.isPristine('copy')).toBe(false)
  })

  it('keeps what was there when a restore fails', async () => {
    const { mountpoint } = await volumes.create({ name: 'data' })
    writeFileSync(join(mountpoint, 'f'), 'kept')
    await expect(volumes.restore('data', Readable.from([Buffer.from('this is no archive at all'.repeat(100))]))).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    expect(readFileSync(join(mountpoint, 'f'), 'utf8')).toBe('kept')
    expect(readdirSync(join(dataRoot, 'volumes', 'data')).sort()).toEqual(['_data', 'record.json'])
  })

  it('finishes a replacement that a crash cut in either phase, and forgets a half-made volume', async () => {
    const { mountpoint } = await volumes.create({ name: 'data' })
    const volume = join(dataRoot, 'volumes', 'data')
    for (const phase of ['_restore.1', '_restore.2']) {
      writeFileSync(join(mountpoint, phase === '_restore.1' ? 'stale' : 'moved-already'), 'x')
      mkdirSync(join(volume, phase))
      writeFileSync(join(volume, phase, 'fresh'), phase)
      mkdirSync(join(dataRoot, 'volumes', 'half', '_data'), { recursive: true })
      await volumes.close()
      volumes = await open()
      expect(readdirSync(mountpoint).sort()).toEqual(phase === '_restore.1' ? ['fresh'] : ['fresh', 'moved-already'])
      expect(readdirSync(volume).sort()).toEqual(['_data', 'record.json'])
      expect(existsSync(join(dataRoot, 'volumes', 'half'))).toBe(false)
    }
  })

  it('mounts a device on first use and unmounts it with the volume', async () => {
    await volumes.create({ name: 'fast', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=5' } })
    const directory = await volumes.mountpoint('fast')
    expect(statSync(directory).uid).toBe(5)
    expect(await volumes.mountpoint('fast')).toBe(directory)
    await volumes.remove('fast', { force: false })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(directory)
    await volumes.create({ name: 'bad', options: { type: 'nonesuch', device: '/nonexistent' } })
    await expect(volumes.mountpoint('bad')).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('failed to mount local volume bad'),
    })
  })
})
