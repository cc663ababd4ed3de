/**
 * A process to be killed: changes images and volumes of a data root without end, in an order given by a seed, and says on stdout before each change what it
 * begins (`{"begin":…}`) and after it what is true from then on (`{"done":…}`). Started by image-kills.itest.ts.
 */
import { createReadStream, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createEvents } from '../../src/events/create-events.ts'
import { createVolumes } from '../../src/volumes/create-volumes.ts'
import { nativeDir, openImageRooms, testContext } from '../image-rooms.ts'

/** What is known of one name: the image id or volume content it has, or null when it must not be there. `remote:…` is a repository of the registry. */
export interface Statement {
  name: string
  value: string | null
}

const [, , dataRoot = '', host = '', archivePath = '', seedText = '1'] = process.argv
let seed = Number(seedText)
const random = (below: number) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return Math.floor((seed / 0x7fffffff) * below) % below
}
const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)

const rooms = await openImageRooms(dataRoot)
const volumes = await createVolumes({ dataRoot, nativeDir, events: await createEvents({ dataRoot }) })
await rooms.gc.collect()

/** Runs one change between its announcement and its statement. */
async function change(names: string[], run: () => Promise<Statement[]>) {
  say({ begin: names })
  say({ done: await run() })
}
const idOf = (name: string): string | null => {
  try {
    return rooms.images.resolve(name).id
  } catch {
    return null
  }
}

const steps: (() => Promise<void>)[] = [
  async () => {
    const name = `${host}/app${random(3)}:1`
    await change([name], async () => [{ name, value: (await rooms.images.pull({ reference: name }, testContext())).id }])
  },
  async () => {
    await change(['loaded:1', 'loaded:2'], async () => {
      await rooms.images.load(createReadStream(archivePath), testContext())
      return ['loaded:1', 'loaded:2'].map((name) => ({ name, value: idOf(name) }))
    })
  },
  async () => {
    const source = ['loaded:1', `${host}/app0:1`, `${host}/app1:1`].find((name) => idOf(name) !== null)
    if (!source) return
    const image = rooms.images.resolve(source)
    const key = `step-${process.pid}-${random(1_000_000)}`
    const active = await rooms.snapshots.prepare(key, image.chainId)
    writeFileSync(join(active.upper, key), Buffer.alloc(random(200_000), 65))
    await change(['committed:1'], async () => {
      const { chainId: _chain, ...layer } = await rooms.snapshots.commit(key, { compress: 'none', consume: random(2) === 0 })
      await rooms.snapshots.remove(key)
      const history = [{ createdBy: key, emptyLayer: false }]
      const { id } = await rooms.images.create(
        { parent: image.id, config: image.config, platform: image.platform, layers: [layer], history },
        'committed:1',
      )
      return [{ name: 'committed:1', value: id }]
    })
  },
  async () => {
    const name = ['loaded:1', 'loaded:2', `${host}/app0:1`, `${host}/app1:1`, `${host}/app2:1`, 'committed:1', 'imported:1'][
      random(7)
    ] as string
    if (idOf(name) === null) return
    await change([name], async () => {
      await rooms.images.remove(name, { force: true, prune: true }).catch((error: Error) => {
        if (!error.message.includes('dependent child')) throw error
      })
      return [{ name, value: idOf(name) }]
    })
  },
  async () => {
    const names = (await rooms.images.list({})).flatMap((image) => image.tags)
    await change(names, async () => {
      await rooms.images.prune({ dangling: random(4) > 0, labels: [], notLabels: [], dryRun: false })
      return names.map((name) => ({ name, value: idOf(name) }))
    })
  },
  async () => {
    const reference = 'imported:1'
    await change([reference], async () => {
      const archive = createReadStream(join(dirname(archivePath), 'plain.tar'))
      const changes = [`LABEL n=${random(1000)}`]
      const { id } = await rooms.images.import(archive, { reference, message: '', changes }, testContext())
      return [{ name: reference, value: id }]
    })
  },
  async () => {
    const source = ['imported:1', 'committed:1', 'loaded:2'].find((name) => idOf(name) !== null)
    if (!source) return
    const target = `${host}/pushed:1`
    await change([target, 'remote:pushed'], async () => {
      await rooms.images.tag(source, target)
      await rooms.images.push({ reference: target }, testContext())
      return [target, 'remote:pushed'].map((name) => ({ name, value: idOf(target) }))
    })
  },
  async () => {
    const name = ['imported:1', 'committed:1', 'loaded:2', `${host}/app0:1`].find((one) => idOf(one) !== null)
    if (!name) return
    await change([name], async () => {
      const value = idOf(name)
      await rooms.images.load(await rooms.images.save([name]), testContext())
      return [{ name, value }]
    })
  },
  async () => {
    const name = `volume${random(3)}`
    await change([name], async () => {
      const { mountpoint } = await volumes.create({ name })
      const content = `content ${random(1_000_000)}`
      writeFileSync(join(mountpoint, 'f'), content)
      const copy = await volumes.backup(name)
      await volumes.restore(name, copy)
      return [{ name, value: content }]
    })
  },
  async () => {
    const name = `volume${random(3)}`
    await change([name], async () => {
      await volumes.remove(name, { force: true })
      return [{ name, value: null }]
    })
  },
]

say({ ready: true })
// The parent's death must not leave a busy orphan behind.
Readable.from(process.stdin)
  .on('close', () => process.exit(0))
  .resume()
for (;;) await (steps[random(steps.length)] as () => Promise<void>)()
