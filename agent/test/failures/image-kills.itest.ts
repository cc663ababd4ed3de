import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEvents } from '../../src/events/create-events.ts'
import { createVolumes } from '../../src/volumes/create-volumes.ts'
import { makeDataRoot, nativeDir, openImageRooms } from '../image-rooms.ts'
import { imageOf, layerOf, pushTestImage, sha256, tarOf } from '../images.ts'
import { startRegistry, type TestRegistry } from '../registry.ts'
import type { Statement } from './image-worker.ts'

/** SIGKILLs in one run; with those of ../kill.itest.ts they are 200. */
const kills = Number(process.env.BERTH_KILLS ?? 80)

/** One file, so that 200 starts are quick; below node_modules, where what it leaves out is found. */
const workerFile = fileURLToPath(new URL('../../../node_modules/.cache/berth-image-worker.mjs', import.meta.url))

let registry: TestRegistry
let scratch: string
let dataRoot: string
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'berth-kills-'))
  dataRoot = makeDataRoot()
  registry = await startRegistry()
  await build({
    entryPoints: [fileURLToPath(new URL('./image-worker.ts', import.meta.url))],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['undici', 'tar-stream', 'pino'],
    logLevel: 'error',
  })
  const file = (name: string, size: number) => layerOf(tarOf((directory) => writeFileSync(join(directory, name), Buffer.alloc(size, name))))
  const shared = file('shared', 3_000_000)
  for (let at = 0; at < 3; at++)
    await pushTestImage(registry.url, `app${at}`, '1', imageOf([shared, file(`own${at}`, 2_000_000), file(`top${at}`, 1000)]))
  writeFileSync(join(scratch, 'archive.tar'), archiveOf())
  writeFileSync(
    join(scratch, 'plain.tar'),
    tarOf((directory) => writeFileSync(join(directory, 'plain'), Buffer.alloc(1_500_000, 'plain'))),
  )
})
afterAll(async () => {
  await registry.stop()
  rmSync(workerFile, { force: true })
  rmSync(scratch, { recursive: true, force: true })
  rmSync(dataRoot, { recursive: true, force: true })
})

function archiveOf(): Buffer {
  const layers = ['l1', 'l2'].map((name) =>
    layerOf(
      tarOf((directory) => writeFileSync(join(directory, name), Buffer.alloc(1_000_000, name))),
      'none',
    ),
  )
  return tarOf((directory) => {
    const entries = [1, 2].map((count) => {
      const image = imageOf(layers.slice(0, count), { Cmd: [`loaded ${count}`] })
      writeFileSync(join(directory, `c${count}.json`), JSON.stringify(image.config))
      return { Config: `c${count}.json`, RepoTags: [`loaded:${count}`], Layers: layers.slice(0, count).map((_, at) => `l${at}.tar`) }
    })
    for (const [at, layer] of layers.entries()) writeFileSync(join(directory, `l${at}.tar`), layer.blob)
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(entries))
  })
}

/** Runs the worker, kills it `afterMs` after it is ready, and folds what it said into what is known. Names of an unfinished change are unknown. */
async function runAndKill(known: Map<string, string | null>, seed: number, afterMs: number): Promise<number> {
  const worker: ChildProcess = spawn(process.execPath, [workerFile, dataRoot, registry.host, join(scratch, 'archive.tar'), String(seed)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, BERTH_NATIVE: nativeDir },
  })
  let complaint = ''
  worker.stderr?.on('data', (chunk) => (complaint += chunk))
  let done = 0
  let killed = false
  const ended = new Promise<number | null>((resolve) => worker.once('exit', (code) => resolve(code)))
  const lines = createInterface({ input: worker.stdout as NodeJS.ReadableStream })
  lines.on('line', (line) => {
    const said = JSON.parse(line) as { ready?: boolean; begin?: string[]; done?: Statement[] }
    if (said.ready)
      setTimeout(() => {
        killed = true
        worker.kill('SIGKILL')
      }, afterMs)
    for (const name of said.begin ?? []) known.delete(name)
    for (const { name, value } of said.done ?? []) known.set(name, value)
    if (said.done) done += 1
  })
  await Promise.all([ended, new Promise((resolve) => lines.once('close', resolve))])
  if (!killed) throw new Error(`the worker ended by itself: ${complaint}`)
  return done
}

/** Id of the image that the registry has: a push that was acknowledged is whole there. */
async function remoteId(repository: string): Promise<string> {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
  const manifest = await fetch(`${registry.url}/v2/${repository}/manifests/1`, { headers: { accept } })
  const { config, layers } = (await manifest.json()) as { config: { digest: string }; layers: { digest: string }[] }
  for (const { digest } of [config, ...layers]) {
    const blob = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`)
    expect(sha256(Buffer.from(await blob.arrayBuffer()))).toBe(digest)
  }
  return config.digest
}

/** What must hold after any kill, however early. */
async function checkAfterKill(known: Map<string, string | null>, thorough: boolean): Promise<void> {
  const rooms = await openImageRooms(dataRoot)
  const volumes = await createVolumes({ dataRoot, nativeDir, events: await createEvents({ dataRoot }) })
  try {
    const has = (name: string) => {
      try {
        return rooms.images.resolve(name).id
      } catch {
        return null
      }
    }
    for (const [name, value] of known) {
      if (name.startsWith('remote:')) expect(await remoteId(name.slice('remote:'.length))).toBe(value)
      else if (!name.startsWith('volume')) expect([name, has(name)]).toEqual([name, value])
      else if (value === null) await expect(volumes.inspect(name)).rejects.toThrow('no such volume')
      else expect(readFileSync(join((await volumes.inspect(name)).mountpoint, 'f'), 'utf8')).toBe(value)
    }
    // A writable layer belongs to a container's record; those of the dead worker have none.
    for (const name of readdirSync(join(dataRoot, 'snapshots', 'active'))) await rooms.snapshots.remove(name.replace(/\.json$/, ''))
    await rooms.gc.collect()
    const images = await rooms.images.list({ all: true })
    const needed = new Set<string>()
    for (const image of images) {
      const { chainId } = rooms.images.resolve(image.id)
      expect(chainId && rooms.snapshots.has(chainId)).toBe(true)
      const { layers } = await rooms.images.inspect(image.id)
      for (const layer of layers) needed.add(layer.diffId)
      for (const digest of [image.id, ...layers.map((layer) => layer.digest as string)]) {
        expect(rooms.content.has(digest)).toBe(true)
        if (thorough) expect(sha256(readFileSync(rooms.content.path(digest)))).toBe(digest)
      }
    }
    await rooms.snapshots.close()
    // Nothing is left over: one directory per layer that an image needs, nothing half-made, no record put aside.
    expect(readdirSync(join(dataRoot, 'snapshots', 'l'))).toHaveLength(needed.size)
    for (const name of ['tmp', 'trash', 'a']) expect(readdirSync(join(dataRoot, 'snapshots', name))).toEqual([])
    const work = join(dataRoot, 'images', 'work')
    expect(existsSync(work) ? readdirSync(work) : []).toEqual([])
    const everything = readdirSync(dataRoot, { recursive: true, encoding: 'utf8' })
    expect(everything.filter((name) => name.endsWith('.broken') || name.endsWith('.tmp'))).toEqual([])
  } finally {
    await rooms.close()
    await volumes.close()
  }
}

it(`survives ${kills} kills at any moment of pull, push, load, save, import, commit, remove, prune, backup and restore`, async () => {
  const known = new Map<string, string | null>()
  let changes = 0
  // The same moments in every run, spread over the first half second: the digest of a counter is as good as chance.
  const chance = (at: number) => createHash('sha256').update(String(at)).digest().readUInt32LE(0)
  for (let at = 0; at < kills; at++) {
    changes += await runAndKill(known, chance(at), chance(at + 1_000_000) % 300)
    await checkAfterKill(known, at % 10 === 0)
  }
  expect(changes).toBeGreaterThan(0)
}, 900_000)
