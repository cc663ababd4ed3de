import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeDataRoot, nativeDir, openImageRooms, testContext } from '../../test/image-rooms.ts'
import { busyboxImage, busyboxLayer, imageOf, layerOf, pushTestImage, putManifest, sha256, tarOf, tinyTar } from '../../test/images.ts'
import { startRegistry, type TestRegistry } from '../../test/registry.ts'

let registry: TestRegistry
let dataRoot: string
let rooms: Awaited<ReturnType<typeof openImageRooms>>
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(() => registry.stop())
beforeEach(async () => {
  dataRoot = makeDataRoot()
  rooms = await openImageRooms(dataRoot)
})
afterEach(() => rooms.destroy())

const file = (name: string, text: string) => layerOf(tarOf((directory) => writeFileSync(join(directory, name), text)))

describe('pull', () => {
  it('fetches, verifies and unpacks an image, and finds nothing new the second time', async () => {
    const { id, manifestDigest } = await pushTestImage(registry.url, 'busybox', 'latest', busyboxImage())
    const context = testContext()
    const pulled = await rooms.images.pull({ reference: `${registry.host}/busybox` }, context)
    expect(pulled).toEqual({ id, reference: `${registry.host}/busybox:latest`, digest: manifestDigest, changed: true })
    const layer = context.lines.filter((line) => line.id === sha256(busyboxLayer().blob).slice(7, 19)).map((line) => line.status)
    expect([...new Set(layer)]).toEqual([
      'Pulling fs layer',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
    ])
    expect(context.lines.at(-1)).toEqual({ status: `Status: Downloaded newer image for ${registry.host}/busybox:latest` })
    const resolved = rooms.images.resolve(`${registry.host}/busybox`)
    expect(resolved).toMatchObject({ id, config: { cmd: ['sh'] } })
    const [lower] = (await rooms.snapshots.prepare('c1', resolved.chainId)).lower
    expect(lstatSync(join(lower as string, 'bin', 'busybox')).mode & 0o777).toBe(0o755)
    const again = testContext()
    expect(await rooms.images.pull({ reference: `${registry.host}/busybox` }, again)).toMatchObject({ changed: false })
    expect(again.lines.some((line) => line.status === 'Downloading')).toBe(false)
    expect(rooms.events.query({}).filter((event) => event.action === 'pull')).toHaveLength(2)
  })

  it('takes Docker schema 2, zstd and plain layers, and shares layers between images', async () => {
    const extra = file('extra', 'x')
    await pushTestImage(registry.url, 'docker', '1', imageOf([busyboxLayer(), extra]), { docker: true })
    const zstd = layerOf(
      tarOf((directory) => writeFileSync(join(directory, 'z'), 'zstd')),
      'zstd',
    )
    const plain = layerOf(
      tarOf((directory) => writeFileSync(join(directory, 'p'), 'plain')),
      'none',
    )
    await pushTestImage(registry.url, 'mixed', '1', imageOf([busyboxLayer(), zstd, plain]))
    await rooms.images.pull({ reference: `${registry.host}/docker:1` }, testContext())
    const context = testContext()
    await rooms.images.pull({ reference: `${registry.host}/mixed:1` }, context)
    expect(context.lines.filter((line) => line.status === 'Already exists').map((line) => line.id)).toEqual([
      sha256(busyboxLayer().blob).slice(7, 19),
    ])
    const { chainId } = rooms.images.resolve(`${registry.host}/mixed:1`)
    const { lower } = await rooms.snapshots.prepare('c', chainId)
    expect(lower.map((directory) => readdirSync(directory).length > 0)).toEqual([true, true, true])
    expect(readFileSync(join(lower[1] as string, 'z'), 'utf8')).toBe('zstd')
  })

  it('chooses this machine from an index, and says what there is otherwise', async () => {
    const { manifest, manifestDigest, id } = await pushTestImage(registry.url, 'multi', 'amd64', busyboxImage())
    const architecture = (JSON.parse(JSON.stringify(busyboxImage().config)) as { architecture: string }).architecture
    const entry = (platform: { os: string; architecture: string }) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: manifestDigest,
      size: manifest.length,
      platform,
    })
    const type = 'application/vnd.oci.image.index.v1+json'
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        manifests: [entry({ os: 'linux', architecture: 'mips64' }), entry({ os: 'linux', architecture })],
      }),
    )
    await putManifest(registry.url, 'multi', 'all', index, type)
    expect(await rooms.images.pull({ reference: `${registry.host}/multi:all` }, testContext())).toMatchObject({ id, digest: sha256(index) })
    expect((await rooms.images.inspect(`${registry.host}/multi:all`)).digests).toEqual([`${registry.host}/multi@${sha256(index)}`])
    await expect(
      rooms.images.pull({ reference: `${registry.host}/multi:all`, platform: 'linux/s390x' }, testContext()),
    ).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no matching manifest for linux/s390x'),
    })
    await rooms.images.pull({ reference: `${registry.host}/multi@${sha256(index)}` }, testContext())
    await rooms.images.pull({ reference: `${registry.host}/multi`, allTags: true }, testContext())
    expect((await rooms.images.inspect(id)).tags).toEqual([`${registry.host}/multi:all`, `${registry.host}/multi:amd64`])
  })

  it('fetches nothing of an image that is here in another compression', async () => {
    const tar = tarOf((directory) => writeFileSync(join(directory, 'same'), 'same'))
    await pushTestImage(registry.url, 'packed', '1', imageOf([layerOf(tar)]))
    await pushTestImage(registry.url, 'plain', '1', imageOf([layerOf(tar, 'none')]))
    const { id } = await rooms.images.pull({ reference: `${registry.host}/packed:1` }, testContext())
    const context = testContext()
    expect(await rooms.images.pull({ reference: `${registry.host}/plain:1` }, context)).toMatchObject({ id, changed: true })
    expect(context.lines.map((line) => line.status)).toContain('Already exists')
    expect(context.lines.some((line) => line.status === 'Downloading' || line.status === 'Pulling fs layer')).toBe(false)
  })

  it('mounts 130 layers', async () => {
    const layers = Array.from({ length: 130 }, (_, at) => layerOf(tinyTar(`f${at}`, `${at}`)))
    await pushTestImage(registry.url, 'deep', '1', imageOf(layers))
    await rooms.images.pull({ reference: `${registry.host}/deep:1` }, testContext())
    const { chainId } = rooms.images.resolve(`${registry.host}/deep:1`)
    const { lower } = await rooms.snapshots.prepare('deep', chainId)
    expect(lower).toHaveLength(130)
    const root = join(dataRoot, 'rootfs')
    mkdirSync(root)
    writeFileSync(join(dataRoot, 'mounts.json'), JSON.stringify({ mounts: rooms.snapshots.mounts('deep', root), root }))
    for (const name of ['f0', 'f129']) {
      const seen = execFileSync(
        join(nativeDir, 'berth-unpack'),
        ['stat', '--mounts', join(dataRoot, 'mounts.json'), '--path', `/${name}`],
        { encoding: 'utf8' },
      )
      expect(JSON.parse(seen)).toMatchObject({ name, sizeBytes: name.length - 1 })
    }
  }, 120_000)

  it('names what is missing', async () => {
    await expect(rooms.images.pull({ reference: `${registry.host}/nothing:1` }, testContext())).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining(`manifest for ${registry.host}/nothing:1 not found`),
    })
    await expect(rooms.images.pull({ reference: '127.0.0.1:1/x' }, testContext())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('connection refused'),
    })
  })

  it('mends an image that has lost a blob', async () => {
    await pushTestImage(registry.url, 'packed', '1', imageOf([file('mend', 'x')]))
    const { id } = await rooms.images.pull({ reference: `${registry.host}/packed:1` }, testContext())
    const [layer] = (await rooms.images.inspect(id)).layers
    rmSync(rooms.content.path(layer?.digest as string))
    await rooms.close()
    rooms = await openImageRooms(dataRoot)
    await expect(rooms.images.save([id])).rejects.toMatchObject({ code: 'data_loss' })
    await rooms.images.pull({ reference: `${registry.host}/packed:1` }, testContext())
    expect((await buffer(await rooms.images.save([id]))).length).toBeGreaterThan(0)
  })

  it('keeps images and layers across a restart', async () => {
    const { id } = await pushTestImage(registry.url, 'busybox', 'latest', busyboxImage())
    await rooms.images.pull({ reference: `${registry.host}/busybox` }, testContext())
    await rooms.close()
    rooms = await openImageRooms(dataRoot)
    const { chainId } = rooms.images.resolve(id.slice(7, 15))
    expect(chainId && rooms.snapshots.has(chainId)).toBe(true)
    expect(
      execFileSync('ls', [join(dataRoot, 'snapshots', 'l')], { encoding: 'utf8' })
        .trim()
        .split('\n'),
    ).toHaveLength(1)
  })
})
