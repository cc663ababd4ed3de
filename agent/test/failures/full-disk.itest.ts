import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEvents } from '../../src/events/create-events.ts'
import { createVolumes } from '../../src/volumes/create-volumes.ts'
import { nativeDir, openImageRooms, testContext } from '../image-rooms.ts'
import { imageOf, layerOf, pushTestImage, tarOf } from '../images.ts'
import { startRegistry, type TestRegistry } from '../registry.ts'

/** A data root on a small file system of its own. */
let scratch: string
let dataRoot: string
let registry: TestRegistry
beforeEach(async () => {
  registry = await startRegistry()
})
afterEach(async () => {
  await registry.stop()
  execFileSync('umount', ['--lazy', dataRoot])
  rmSync(scratch, { recursive: true })
})
function mountSmall(megabytes: number, inodes: number) {
  scratch = mkdtempSync(join(tmpdir(), 'berth-small-'))
  dataRoot = join(scratch, 'root')
  execFileSync('mkdir', [dataRoot])
  execFileSync('truncate', ['-s', `${megabytes}M`, join(scratch, 'disk')])
  execFileSync('mkfs.ext4', ['-q', '-N', String(inodes), '-m', '0', join(scratch, 'disk')])
  execFileSync('mount', ['-o', 'loop', join(scratch, 'disk'), dataRoot])
}
/** A layer that does not compress. */
const noise = (megabytes: number) =>
  layerOf(
    tarOf((directory) => writeFileSync(join(directory, 'noise'), randomBytes(megabytes << 20))),
    'none',
  )
const small = () => layerOf(tarOf((directory) => writeFileSync(join(directory, 'small'), 'small')))

async function nothingHalfMade(rooms: Awaited<ReturnType<typeof openImageRooms>>) {
  expect((await rooms.images.list({ all: true })).flatMap((image) => image.tags)).toEqual([`${registry.host}/small:1`])
  await rooms.gc.collect()
  await rooms.snapshots.close()
  expect(readdirSync(join(dataRoot, 'snapshots', 'l'))).toHaveLength(1)
  for (const name of ['tmp', 'trash']) expect(readdirSync(join(dataRoot, 'snapshots', name))).toEqual([])
  const everything = readdirSync(dataRoot, { recursive: true, encoding: 'utf8' })
  expect(everything.filter((name) => name.endsWith('.broken') || name.endsWith('.tmp'))).toEqual([])
}

describe('a full disk', () => {
  it('is told clearly by pull, load, import and restore, and nothing is lost or half-made', async () => {
    mountSmall(48, 4000)
    await pushTestImage(registry.url, 'small', '1', imageOf([small()]))
    await pushTestImage(registry.url, 'big', '1', imageOf([small(), noise(30)]))
    let rooms = await openImageRooms(dataRoot)
    const full = { code: 'resource_exhausted', message: expect.stringMatching(/space|disk/) }
    const volumes = await createVolumes({ dataRoot, nativeDir, events: await createEvents({ dataRoot }) })
    try {
      await rooms.images.pull({ reference: `${registry.host}/small:1` }, testContext())
      await expect(rooms.images.pull({ reference: `${registry.host}/big:1` }, testContext())).rejects.toMatchObject(full)
      expect(readdirSync(join(dataRoot, 'content', 'ingest'))).toEqual([])
      const tar = noise(60).blob
      await expect(
        rooms.images.import(Readable.from([tar]), { reference: 'x:1', message: '', changes: [] }, testContext()),
      ).rejects.toMatchObject(full)
      await expect(rooms.images.load(Readable.from([tar]), testContext())).rejects.toMatchObject(full)
      const { mountpoint } = await volumes.create({ name: 'data' })
      writeFileSync(join(mountpoint, 'f'), 'kept')
      await expect(volumes.restore('data', Readable.from([tar]))).rejects.toMatchObject(full)
      expect(readdirSync(mountpoint)).toEqual(['f'])
      await nothingHalfMade(rooms)
      await rooms.close()
      rooms = await openImageRooms(dataRoot)
      await nothingHalfMade(rooms)
      expect(await rooms.images.pull({ reference: `${registry.host}/small:1` }, testContext())).toMatchObject({ changed: false })
    } finally {
      await rooms.close()
      await volumes.close()
    }
  })

  it('without inodes is told the same way', async () => {
    mountSmall(64, 400)
    const many = layerOf(tarOf((directory) => Array.from({ length: 600 }, (_, at) => writeFileSync(join(directory, `f${at}`), ''))))
    await pushTestImage(registry.url, 'small', '1', imageOf([small()]))
    await pushTestImage(registry.url, 'many', '1', imageOf([many]))
    const rooms = await openImageRooms(dataRoot)
    try {
      await rooms.images.pull({ reference: `${registry.host}/small:1` }, testContext())
      await expect(rooms.images.pull({ reference: `${registry.host}/many:1` }, testContext())).rejects.toMatchObject({
        code: 'resource_exhausted',
      })
      await nothingHalfMade(rooms)
    } finally {
      await rooms.close()
    }
  })
})

describe('a power cut', () => {
  it('that took the files of a layer is mended from the blob at the next start', async () => {
    mountSmall(48, 4000)
    await pushTestImage(registry.url, 'small', '1', imageOf([small()]))
    let rooms = await openImageRooms(dataRoot)
    try {
      await rooms.images.pull({ reference: `${registry.host}/small:1` }, testContext())
      const { chainId } = rooms.images.resolve(`${registry.host}/small:1`)
      // What unflushed files look like after another boot: there, and empty. The record still carries the boot in which it was written.
      const [record = ''] = readdirSync(join(dataRoot, 'snapshots', 'layers'))
      const path = join(dataRoot, 'snapshots', 'layers', record)
      execFileSync('sed', ['-i', 's/"bootId":"[^"]*"/"bootId":"another"/', path])
      const [layer = ''] = readdirSync(join(dataRoot, 'snapshots', 'l'))
      writeFileSync(join(dataRoot, 'snapshots', 'l', layer, 'small'), '')
      await rooms.registry.close()
      rooms = await openImageRooms(dataRoot)
      const { lower } = await rooms.snapshots.prepare('c', chainId)
      expect(execFileSync('cat', [join(lower[0] as string, 'small')], { encoding: 'utf8' })).toBe('small')
    } finally {
      await rooms.close()
    }
  })
})
