/** What a person does with images, end to end, one data root and one real registry for all; hence its length. */
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeDataRoot, openImageRooms, testContext } from '../../test/image-rooms.ts'
import { busyboxImage, imageOf, layerOf, pushTestImage, tarOf } from '../../test/images.ts'
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

const text = (name: string, content: string) => tarOf((directory) => writeFileSync(join(directory, name), content))
/** An image made here, of one plain layer. */
async function importText(name: string, reference: string, changes: string[] = []) {
  return rooms.images.import(Readable.from([text(name, name)]), { reference, message: 'made', changes }, testContext())
}
const blobCount = () => readdirSync(join(dataRoot, 'content', 'blobs', 'sha256')).length
const layerCount = () => readdirSync(join(dataRoot, 'snapshots', 'l')).length

describe('import, commit and history', () => {
  it('makes an image of an archive, with changes', async () => {
    const { id } = await importText('a', 'mine:1', [
      'CMD ["sh", "-c", "x"]',
      'ENV A=1 B="two words"',
      'EXPOSE 80',
      'LABEL l=v',
      'WORKDIR /w',
      'USER 7',
    ])
    const detail = await rooms.images.inspect('mine:1')
    expect(detail).toMatchObject({
      id,
      tags: ['mine:1'],
      config: {
        cmd: ['sh', '-c', 'x'],
        env: ['A=1', 'B=two words'],
        exposedPorts: ['80/tcp'],
        labels: { l: 'v' },
        workingDir: '/w',
        user: '7',
      },
    })
    expect(detail.sizeBytes).toBeGreaterThan(0)
    await expect(importText('a', 'mine:2', ['FROM x'])).rejects.toThrow('not a valid change')
    const gz = await rooms.images.import(
      Readable.from([gzipSync(text('g', 'g'))]),
      { reference: 'gz', message: '', changes: [] },
      testContext(),
    )
    expect((await rooms.images.inspect(gz.id)).layers[0]?.mediaType).toMatch(/gzip$/)
    // What a registry does not know, and what nobody has compressed, is kept as gzip; the files are the same.
    const plain = text('other', 'o'.repeat(100_000))
    const diffIds = new Set<string>()
    for (const program of ['cat', 'xz', 'bzip2']) {
      const bytes = execFileSync(program, { input: plain })
      const { id: imported } = await rooms.images.import(Readable.from([bytes]), { reference: '', message: '', changes: [] }, testContext())
      const layer = (await rooms.images.inspect(imported)).layers[0]
      expect([program, layer?.mediaType?.endsWith('gzip')]).toEqual([program, true])
      diffIds.add(layer?.diffId as string)
    }
    expect(diffIds.size).toBe(1)
    for (const cut of [execFileSync('xz', { input: plain }).subarray(0, -20), Buffer.from('BZh9 no more')])
      await expect(
        rooms.images.import(Readable.from([cut]), { reference: '', message: '', changes: [] }, testContext()),
      ).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(
      rooms.images.import(Readable.from([Buffer.from('no archive')]), { reference: '', message: '', changes: [] }, testContext()),
    ).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(readdirSync(join(dataRoot, 'content', 'ingest'))).toEqual([])
  })

  it('commits a writable layer on top of an image and tells its history', async () => {
    const { id: parent } = await importText('base', 'base:1')
    const base = rooms.images.resolve('base:1')
    const active = await rooms.snapshots.prepare('c1', base.chainId)
    writeFileSync(join(active.upper, 'new'), 'new file')
    expect(await rooms.snapshots.changes('c1')).toEqual([{ kind: 'A', path: '/new' }])
    const { chainId: _chain, ...layer } = await rooms.snapshots.commit('c1', { compress: 'none' })
    const history = [{ createdBy: '/bin/sh -c echo', emptyLayer: false, comment: 'c' }]
    const { id } = await rooms.images.create(
      { parent, config: base.config, platform: base.platform, layers: [layer], history, comment: 'c' },
      'child:1',
    )
    const entries = await rooms.images.history('child:1')
    expect(entries.map((entry) => [entry.id, entry.tags, entry.createdBy])).toEqual([
      [id, ['child:1'], '/bin/sh -c echo'],
      [parent, ['base:1'], ''],
    ])
    const child = rooms.images.resolve('child:1')
    await rooms.images.tag('child:1', 'keep:1')
    const twin = await rooms.snapshots.prepare('twin', base.chainId)
    writeFileSync(join(twin.upper, 'twin'), 'gone with its image')
    const { chainId: twinChain, ...twinLayer } = await rooms.snapshots.commit('twin', { compress: 'none' })
    const twinImage = await rooms.images.create(
      { parent, config: base.config, platform: base.platform, layers: [twinLayer], history },
      'twin:1',
    )
    expect(await rooms.images.remove('twin:1', { force: false, prune: true })).toEqual([
      { untagged: 'twin:1' },
      { deleted: twinImage.id },
      { deleted: twinChain },
    ])
    const { lower } = await rooms.snapshots.prepare('c2', child.chainId)
    expect(readFileSync(join(lower[0] as string, 'new'), 'utf8')).toBe('new file')
    // The same without a copy: the build's way.
    const step = await rooms.snapshots.prepare('step', rooms.images.resolve('child:1').chainId)
    writeFileSync(join(step.upper, 'step'), 'taken')
    const taken = await rooms.snapshots.commit('step', { compress: 'gzip', consume: true })
    expect(rooms.snapshots.active('step')).toBeNull()
    const { lower: below } = await rooms.snapshots.prepare('c3', taken.chainId)
    expect(readFileSync(join(below[0] as string, 'step'), 'utf8')).toBe('taken')
    expect(rooms.snapshots.layerBytes(taken.chainId)).toBeGreaterThan(0)
  })
})

describe('a container with a user range of its own', () => {
  it('is committed with the owners that it sees', async () => {
    await importText('base', 'base:1')
    const base = rooms.images.resolve('base:1')
    const active = await rooms.snapshots.prepare('u', base.chainId, { idmap: { uid: 100_000, gid: 100_000, size: 65_536 } })
    expect(statSync(active.upper).uid).toBe(100_000)
    for (const [name, owner] of [
      ['root', 100_000],
      ['user', 101_000],
      ['engine', 0],
    ] as const) {
      writeFileSync(join(active.upper, name), name)
      chownSync(join(active.upper, name), owner, owner)
    }
    const { chainId } = await rooms.snapshots.commit('u', { compress: 'none' })
    const { lower } = await rooms.snapshots.prepare('v', chainId)
    const owners = ['root', 'user', 'engine'].map((name) => statSync(join(lower[0] as string, name)).uid)
    expect(owners).toEqual([0, 1000, 0])
    expect((await rooms.snapshots.changes('u')).map((change) => change.path)).toEqual(['/engine', '/root', '/user'])
  })
})

describe('remove', () => {
  it('only untags one of several, then deletes image and layers and blobs', async () => {
    await importText('a', 'one:1')
    await rooms.images.tag('one:1', 'one:2')
    expect(await rooms.images.remove('one:1', { force: false, prune: true })).toEqual([{ untagged: 'one:1' }])
    const { id } = rooms.images.resolve('one:2')
    const { chainId } = rooms.images.resolve('one:2')
    expect(await rooms.images.remove('one:2', { force: false, prune: true })).toEqual([
      { untagged: 'one:2' },
      { deleted: id },
      { deleted: chainId },
    ])
    expect([blobCount(), layerCount()]).toEqual([0, 0])
    await expect(rooms.images.remove('one:2', { force: false, prune: true })).rejects.toMatchObject({
      code: 'not_found',
      message: 'No such image: one:2',
    })
  })

  it('keeps shared layers, takes digests along with the last tag, and works by id prefix', async () => {
    const shared = layerOf(text('shared', 's'))
    await pushTestImage(registry.url, 'a', '1', imageOf([shared, layerOf(text('a', 'a'))]))
    await pushTestImage(registry.url, 'b', '1', imageOf([shared, layerOf(text('b', 'b'))]))
    for (const name of ['a', 'b']) await rooms.images.pull({ reference: `${registry.host}/${name}:1` }, testContext())
    const lines = await rooms.images.remove(`${registry.host}/a:1`, { force: false, prune: true })
    expect(lines.map((line) => Object.keys(line)[0])).toEqual(['untagged', 'untagged', 'deleted', 'deleted'])
    expect(layerCount()).toBe(2)
    const { id } = rooms.images.resolve(`${registry.host}/b:1`)
    await rooms.images.tag(id, 'other/name:1')
    await expect(rooms.images.remove(id.slice(7, 19), { force: false, prune: true })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
    })
    await rooms.images.remove(id.slice(7, 19), { force: true, prune: true })
    expect([blobCount(), layerCount()]).toEqual([0, 0])
  })

  it('refuses what containers use, in Docker words', async () => {
    const { id } = await importText('a', 'used:1')
    const short = id.slice(7, 19)
    const user = { imageId: id, containerId: 'c'.repeat(64), running: true }
    rooms.images.setUsers(() => [user])
    const options = { force: false, prune: true }
    await expect(rooms.images.remove('used:1', options)).rejects.toThrow(
      `conflict: unable to remove repository reference "used:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
    )
    await expect(rooms.images.remove(id, { ...options, force: true })).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    )
    expect(await rooms.images.remove('used:1', { ...options, force: true })).toEqual([{ untagged: 'used:1' }])
    user.running = false
    await expect(rooms.images.remove(id, options)).rejects.toThrow(
      '(must be forced) - image is being used by stopped container cccccccccccc',
    )
    expect(await rooms.images.remove(id, { ...options, force: true })).toHaveLength(2)
  })

  it('keeps the layers below an active snapshot', async () => {
    const { id } = await importText('a', 'used:1')
    await rooms.snapshots.prepare('c', rooms.images.resolve('used:1').chainId)
    expect(await rooms.images.remove(id, { force: true, prune: true })).toEqual([{ untagged: 'used:1' }, { deleted: id }])
    expect(layerCount()).toBe(1)
    await rooms.snapshots.remove('c')
    await rooms.gc.collect()
    expect(layerCount()).toBe(0)
  })
})

describe('prune', () => {
  it('lists in a dry run exactly what goes, and gives back what it says', async () => {
    await importText('kept', 'kept:1')
    await importText('b', 'gone:1')
    await importText('c', 'gone:1')
    const everything = { dangling: true, labels: [], notLabels: [], dryRun: true }
    const dry = await rooms.images.prune(everything)
    expect(dry.removed).toHaveLength(1)
    const before = rooms.content.totalBytes() + rooms.snapshots.totalBytes()
    expect(await rooms.images.prune({ ...everything, dryRun: false })).toEqual({ ...dry, dryRun: false })
    expect(before - rooms.content.totalBytes() - rooms.snapshots.totalBytes()).toBe(dry.reclaimedBytes)
    rooms.images.setUsers(() => [{ imageId: rooms.images.resolve('kept:1').id, containerId: 'c', running: false }])
    const all = await rooms.images.prune({ ...everything, dangling: false, dryRun: false })
    expect(all.removed.map((entry) => entry.name)).toEqual(['gone:1'])
    expect((await rooms.images.list({})).map((image) => image.tags)).toEqual([['kept:1']])
    expect((await rooms.images.prune({ ...everything, dangling: false, until: '1h' })).removed).toEqual([])
  })
})

describe('list', () => {
  it('filters', async () => {
    await importText('a', 'team/app:1', ['LABEL tier=web'])
    await importText('b', 'redis:7')
    const names = async (filters: Record<string, string[]>) => (await rooms.images.list({ filters })).flatMap((image) => image.tags)
    expect(await names({ reference: ['team/*'] })).toEqual(['team/app:1'])
    expect(await names({ reference: ['redis'] })).toEqual(['redis:7'])
    expect(await names({ label: ['tier=web'] })).toEqual(['team/app:1'])
    expect(await names({ dangling: ['true'] })).toEqual([])
    expect(await names({ since: ['team/app:1'] })).toEqual(['redis:7'])
    await expect(names({ colour: ['red'] })).rejects.toThrow("Invalid filter 'colour'")
    const [image] = await rooms.images.list({ withUnique: true, filters: { reference: ['redis'] } })
    expect(image?.uniqueSizeBytes).toBe(image?.sizeBytes)
  })
})

describe('push', () => {
  it('uploads, skips what is there, mounts across repositories, and is pulled again after the local copy is gone', async () => {
    const { id } = await importText('p', `${registry.host}/mine/app:1`)
    const first = testContext()
    const { digest } = await rooms.images.push({ reference: `${registry.host}/mine/app:1` }, first)
    expect(first.lines.map((line) => line.status)).toEqual(
      expect.arrayContaining(['Preparing', 'Pushed', expect.stringMatching(`^1: digest: ${digest} size: \\d+$`)]),
    )
    const second = testContext()
    expect((await rooms.images.push({ reference: `${registry.host}/mine/app:1` }, second)).digest).toBe(digest)
    expect(second.lines.some((line) => line.status === 'Layer already exists')).toBe(true)
    await rooms.images.tag(id, `${registry.host}/other/app:1`)
    const third = testContext()
    await rooms.images.push({ reference: `${registry.host}/other/app:1` }, third)
    expect(third.lines.some((line) => line.status === 'Mounted from mine/app')).toBe(true)
    expect((await rooms.images.inspect(id)).digests).toContain(`${registry.host}/mine/app@${digest}`)
    await rooms.images.remove(id, { force: true, prune: true })
    expect(blobCount()).toBe(0)
    expect((await rooms.images.pull({ reference: `${registry.host}/other/app:1` }, testContext())).id).toBe(id)
    await expect(rooms.images.push({ reference: `${registry.host}/nothing:1` }, testContext())).rejects.toThrow(
      `An image does not exist locally with the tag: ${registry.host}/nothing:1`,
    )
  })

  it('pushes what it pulled byte for byte', async () => {
    const { manifestDigest } = await pushTestImage(registry.url, 'busybox', '1', busyboxImage(), { docker: true })
    await rooms.images.pull({ reference: `${registry.host}/busybox:1` }, testContext())
    await rooms.images.tag(`${registry.host}/busybox:1`, `${registry.host}/copy:2`)
    expect((await rooms.images.push({ reference: `${registry.host}/copy:2` }, testContext())).digest).toBe(manifestDigest)
  })

  it('catalogs, lists tags, searches and deletes a tag', async () => {
    await pushTestImage(registry.url, 'find/me', 'v1', busyboxImage({ Cmd: ['v1'] }))
    await pushTestImage(registry.url, 'find/me', 'v2', busyboxImage({ Cmd: ['v2'] }))
    const names: string[] = []
    for (let last: string | undefined | null = undefined; last !== null; ) {
      const page: { repositories: string[]; next: string | null } = await rooms.registries.catalog(registry.host, { limit: 1, last })
      names.push(...page.repositories)
      last = page.next
    }
    expect(names).toContain('find/me')
    expect(await rooms.registries.tags(`${registry.host}/find/me`)).toEqual(['v1', 'v2'])
    expect(await rooms.images.search(`${registry.host}/find`, 10)).toEqual([
      { name: `${registry.host}/find/me`, description: '', stars: 0, official: false },
    ])
    await rooms.registries.deleteTag(`${registry.host}/find/me:v1`)
    await expect(rooms.images.pull({ reference: `${registry.host}/find/me:v1` }, testContext())).rejects.toMatchObject({
      code: 'not_found',
    })
    expect((await rooms.images.remoteDescriptor(`${registry.host}/find/me:v2`)).platforms).toMatchObject([{ os: 'linux' }])
  })
})

describe('save and load', () => {
  it('carries images to another host as Docker archive and OCI layout', async () => {
    await pushTestImage(registry.url, 'busybox', '1', busyboxImage())
    await rooms.images.pull({ reference: `${registry.host}/busybox:1` }, testContext())
    await importText('own', 'own:1')
    await rooms.images.tag('own:1', 'own:2')
    const archive = await buffer(await rooms.images.save([`${registry.host}/busybox:1`, 'own']))
    const directory = mkdtempSync(join(tmpdir(), 'berth-save-'))
    try {
      execFileSync('tar', ['-xf', '-', '-C', directory], { input: archive })
      // An independent reader of OCI layouts and one of Docker archives.
      const inspected = JSON.parse(execFileSync('skopeo', ['inspect', '--raw', `oci:${directory}:1`], { encoding: 'utf8' })) as {
        schemaVersion: number
      }
      expect(inspected.schemaVersion).toBe(2)
      writeFileSync(join(directory, 'all.tar'), archive)
      expect(execFileSync('skopeo', ['inspect', '--config', `docker-archive:${directory}/all.tar:own:2`], { encoding: 'utf8' })).toContain(
        '"rootfs"',
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
    const otherRoot = makeDataRoot()
    const other = await openImageRooms(otherRoot)
    try {
      for (const form of [archive, gzipSync(archive, { level: 1 })]) {
        const loaded = await other.images.load(Readable.from([form]), testContext())
        expect(loaded.references.sort()).toEqual([`${registry.host}/busybox:1`, 'own:1', 'own:2'])
      }
      expect(other.images.resolve('own:1').id).toBe(rooms.images.resolve('own:1').id)
      const { chainId } = other.images.resolve(`${registry.host}/busybox:1`)
      const { lower } = await other.snapshots.prepare('x', chainId)
      expect(existsSync(join(lower[0] as string, 'bin', 'busybox'))).toBe(true)
      expect(readdirSync(join(otherRoot, 'images', 'work'))).toEqual([])
    } finally {
      await other.destroy()
    }
  })

  it('loads what docker save wrote of old: plain layers, links between them', async () => {
    const image = imageOf([layerOf(text('l', 'l'), 'none')])
    const archive = tarOf((directory) => {
      mkdirSync(join(directory, 'abc'))
      mkdirSync(join(directory, 'def'))
      writeFileSync(join(directory, 'abc', 'layer.tar'), image.layers[0]?.blob as Buffer)
      symlinkSync('../abc/layer.tar', join(directory, 'def', 'layer.tar'))
      writeFileSync(join(directory, 'c.json'), JSON.stringify(image.config))
      const two = { ...image.config, rootfs: { type: 'layers', diff_ids: [image.layers[0]?.diffId, image.layers[0]?.diffId] } }
      writeFileSync(join(directory, 'd.json'), JSON.stringify(two))
      writeFileSync(
        join(directory, 'manifest.json'),
        JSON.stringify([
          { Config: 'c.json', RepoTags: ['old:1'], Layers: ['abc/layer.tar'] },
          { Config: 'd.json', RepoTags: null, Layers: ['abc/layer.tar', 'def/layer.tar'] },
        ]),
      )
    })
    const loaded = await rooms.images.load(Readable.from([archive]), testContext())
    expect(loaded.references).toEqual(['old:1'])
    expect(loaded.ids).toHaveLength(2)
  })

  it.each([
    [
      'a name that leads out',
      (d: string) => writeFileSync(join(d, 'manifest.json'), JSON.stringify([{ Config: '../../etc/passwd', Layers: [] }])),
      'not a plain file inside',
    ],
    [
      'a link that leads out',
      (d: string) => {
        symlinkSync('/etc/passwd', join(d, 'c.json'))
        writeFileSync(join(d, 'manifest.json'), JSON.stringify([{ Config: 'c.json', Layers: [] }]))
      },
      'not a plain file inside',
    ],
    [
      'a device',
      (d: string) => {
        execFileSync('mknod', [join(d, 'c.json'), 'c', '1', '5'])
        writeFileSync(join(d, 'manifest.json'), JSON.stringify([{ Config: 'c.json', Layers: [] }]))
      },
      'not a plain file inside',
    ],
    ['a missing layer', (d: string) => writeLayered(d, ['nowhere.tar']), 'lacks the layer'],
    ['fewer layers than promised', (d: string) => writeLayered(d, []), 'configuration names 1'],
    ['nothing of an image', (d: string) => writeFileSync(join(d, 'x'), 'x'), 'not an image archive'],
    ['a manifest of another shape', (d: string) => writeFileSync(join(d, 'manifest.json'), '{"a":1}'), 'malformed'],
    [
      'an index that leads to itself',
      (d: string) =>
        writeFileSync(
          join(d, 'index.json'),
          JSON.stringify({
            schemaVersion: 2,
            manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 3 }],
          }),
        ),
      'lacks the file',
    ],
  ])('refuses %s and leaves nothing', async (_name, fill, message) => {
    await expect(rooms.images.load(Readable.from([tarOf(fill)]), testContext())).rejects.toThrow(message)
    expect(await rooms.images.list({ all: true })).toEqual([])
    expect(readdirSync(join(dataRoot, 'images', 'work'))).toEqual([])
  })
  function writeLayered(directory: string, layers: string[]) {
    writeFileSync(join(directory, 'c.json'), JSON.stringify(imageOf([layerOf(text('x', 'x'))]).config))
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify([{ Config: 'c.json', RepoTags: ['x:1'], Layers: layers }]))
  }
})
