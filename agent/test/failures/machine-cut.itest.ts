/**
 * The machine loses its power: what was acknowledged is on the disk, what was not flushed is gone. The data root is a file system in a file; the agent is
 * killed and what the file holds at that moment, without anything the kernel had not written yet, is what the next boot finds.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerSummary } from '@berth/contract/container'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentBundle, AgentProcess, bundleAgent } from '../agent-process.ts'
import { openTestEngine, removeEngineFiles, testConfig } from '../engine.ts'
import { settledLeftovers } from '../leaks.ts'

const cuts = 5
const config = testConfig()
const scratch = mkdtempSync(join(tmpdir(), 'berth-cut-'))
const disk = join(scratch, 'disk')
const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' })
/** No commit but those that somebody asks for. */
const mount = () => run('mount', '-o', 'loop,commit=300', disk, config.dataRoot)
let bundle: AgentBundle
let agent: AgentProcess | null = null

let seed = 7
const random = (below: number) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return (seed >> 8) % below
}

beforeAll(async () => {
  run('truncate', '-s', '192M', disk)
  run('mkfs.ext4', '-q', '-m', '0', disk)
  mount()
  run('chmod', '711', config.dataRoot)
  const engine = await openTestEngine(config)
  await engine.close()
  bundle = await bundleAgent()
})
afterAll(async () => {
  await agent?.kill()
  bundle?.remove()
  const engine = await openTestEngine(config, {})
  for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
    await engine.containers.remove(id, { force: true, volumes: true })
  await engine.close()
  await unmount()
  removeEngineFiles(config)
  rmSync(scratch, { recursive: true, force: true })
})

/** A program that the killed agent had started may take a moment to end. */
async function unmount(): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      run('umount', '-q', config.dataRoot)
      return
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
}

/** The disk as it is without what only the kernel's memory holds, in a machine that has booted again. */
async function cut(): Promise<void> {
  run('cp', '--sparse=always', disk, `${disk}.cut`)
  await unmount()
  renameSync(`${disk}.cut`, disk)
  mount()
  const snapshots = join(config.dataRoot, 'snapshots')
  const records = [
    ...readdirSync(join(snapshots, 'layers')).map((name) => join(snapshots, 'layers', name)),
    ...readdirSync(join(config.dataRoot, 'containers')).flatMap((id) =>
      ['record.json', 'recent.json'].map((name) => join(config.dataRoot, 'containers', id, name)),
    ),
  ]
  for (const path of records.filter(existsSync)) run('sed', '-i', 's/"bootId":"[0-9a-f-]\\+"/"bootId":"another"/', path)
  for (const name of readdirSync(join(snapshots, 'i')))
    renameSync(join(snapshots, 'i', name), join(snapshots, 'i', `deadbeef${name.slice(8)}`))
  rmSync(config.runRoot, { recursive: true })
  mkdirSync(config.runRoot, { mode: 0o711 })
}

interface Known {
  containers: Map<string, { id: string; exitCode: number }>
  images: Set<string>
  gone: Set<string>
  volumes: Set<string>
}

async function change(known: Known, at: number): Promise<void> {
  const call = (agent as AgentProcess).call.bind(agent as AgentProcess)
  const name = `c${at}`
  const exitCode = random(100)
  const script = `echo ${name} > /made; exit ${exitCode}`
  const { id } = await call<{ id: string }>('test.create', name, { image: 'busybox:1', cmd: ['sh', '-c', script], networkMode: 'none' })
  known.containers.set(name, { id, exitCode: 0 })
  switch (random(6)) {
    case 0:
      return
    case 1:
      await call('containers.remove', name, { force: false, volumes: true })
      known.containers.delete(name)
      known.gone.add(name)
      return
    case 2:
      await call('containers.start', name)
      await call('containers.wait', name, 'not-running')
      known.containers.set(name, { id, exitCode })
      return
    case 3: {
      await call('containers.start', name)
      await call('containers.wait', name, 'not-running')
      known.containers.set(name, { id, exitCode })
      const reference = `made-${name}:1`
      await call('containers.commit', name, { reference, comment: '', author: '', changes: ['CMD ["cat","/made"]'], pause: true })
      known.images.add(reference)
      return
    }
    case 4:
      await call('volumes.create', { name: `v${name}`, labels: {}, options: {} })
      known.volumes.add(`v${name}`)
      return
    default: {
      await call('containers.rename', name, `${name}r`)
      known.containers.delete(name)
      known.containers.set(`${name}r`, { id, exitCode: 0 })
      known.gone.add(name)
    }
  }
}

async function verify(known: Known): Promise<void> {
  const engine = await openTestEngine(config, {})
  try {
    const list = await engine.containers.list({ all: true, filters: {}, limit: 0, size: false })
    const found = new Map(list.map((container: ContainerSummary) => [container.name, container]))
    for (const [name, { id, exitCode }] of known.containers)
      expect([name, found.get(name)?.id, found.get(name)?.state.exitCode]).toEqual([name, id, exitCode])
    for (const name of known.gone) expect(found.has(name), `${name} was acknowledged as gone`).toBe(false)
    for (const image of known.images)
      expect((await engine.output({ image, networkMode: 'none' })).stdout).toBe(`${image.slice('made-'.length, -2)}\n`)
    for (const name of known.volumes) expect((await engine.volumes.inspect(name)).name).toBe(name)
    // Those that stand on what was made again still start.
    const [any] = known.containers.keys()
    if (any) {
      await engine.containers.start(any)
      await engine.containers.wait(any, 'not-running')
      known.containers.delete(any)
      await engine.containers.remove(any, { force: true, volumes: true })
    }
    const everything = readdirSync(config.dataRoot, { recursive: true, encoding: 'utf8' })
    expect(everything.filter((path) => path.endsWith('.broken') || path.endsWith('.tmp'))).toEqual([])
  } finally {
    await engine.close()
  }
}

it(`${cuts} times, and nothing that was acknowledged is lost`, { timeout: 300_000 }, async () => {
  const known: Known = { containers: new Map(), images: new Set(), gone: new Set(), volumes: new Set() }
  for (let at = 0; at < cuts; at++) {
    agent = new AgentProcess(bundle, config)
    await agent.ready
    for (let count = 0; count < 5; count++) await change(known, at * 5 + count)
    await agent.kill()
    agent = null
    await cut()
    await verify(known)
    expect(await settledLeftovers(config, (left) => !left.startsWith('file:') && !left.includes(`mount: /dev/loop`))).toEqual([])
  }
})
