/**
 * A 300 MB image (four layers of this machine's own files, gzip): pull from a loopback registry, save to a file, load into an empty engine, commit of 150 MB,
 * push of that; ours against dockerd, which is started with a root of its own. Run as root: `npx tsx agent/test/bench/image-bench.ts [rounds]`. Prints
 * milliseconds per round and the medians.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { claimBridge, claimDirectory, removeServed } from '../../../scripts/bench-leftovers.ts'
import { makeDataRoot, openImageRooms, testContext } from '../image-rooms.ts'
import { imageOf, layerOf, pushTestImage } from '../images.ts'
import { startRegistry } from '../registry.ts'

const layerBytes = 75 * 1024 * 1024
const layerCount = 4

/** Archives of files below /usr, each about `layerBytes` long. */
function layers() {
  const listing = execFileSync(
    'find',
    ['/usr/lib', '/usr/bin', '/usr/share', '-xdev', '-type', 'f', '-size', '-8000k', '-printf', '%s %p\n'],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  )
  const files = listing
    .trim()
    .split('\n')
    .map((line) => ({ size: Number(line.slice(0, line.indexOf(' '))), path: line.slice(line.indexOf(' ') + 1) }))
  return Array.from({ length: layerCount }, () => {
    const chosen: string[] = []
    for (let total = 0; total < layerBytes && files.length > 0; ) {
      const file = files.shift() as (typeof files)[0]
      chosen.push(file.path)
      total += file.size + 512
    }
    return layerOf(execFileSync('tar', ['-cPf', '-', '--transform', 's,^/,,', '-T', '-'], { input: chosen.join('\n'), maxBuffer: 1 << 30 }))
  })
}

async function startDocker(root: string): Promise<{ socket: string; stop(): Promise<void> }> {
  const socket = `${root}/docker.sock`
  mkdirSync(root, { recursive: true })
  // A bridge of its own: with "none" dockerd would delete the docker0 of the machine.
  const bridge = claimBridge('btimage', '10.250.0.1/16')
  const args = [
    '--data-root',
    `${root}/data`,
    '--exec-root',
    `${root}/exec`,
    '--pidfile',
    `${root}/pid`,
    '--host',
    `unix://${socket}`,
    '--bridge',
    bridge,
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ]
  const child: ChildProcess = spawn('dockerd', args, { stdio: 'ignore' })
  for (let attempt = 0; attempt < 150; attempt++) {
    if (existsSync(socket) && docker(socket, ['version', '--format', '{{.Server.Version}}']))
      return { socket, stop: () => stop(child, bridge) }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await stop(child, bridge)
  throw new Error('dockerd does not start')
}

async function stop(child: ChildProcess, bridge: string): Promise<void> {
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
  execFileSync('ip', ['link', 'delete', bridge])
}

function docker(socket: string, args: string[]): string {
  try {
    return execFileSync('docker', ['-H', `unix://${socket}`, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
const rounds = Number(process.argv[2] ?? 3)
const registry = await startRegistry()
/** Nothing is deleted between rounds: ext4 searches long for inodes right after many were freed, which would be measured instead. */
const roots: string[] = []
const place = claimDirectory('/var/lib', 'berth-bench-images-')
const times = new Map<string, { berth: number[]; docker: number[] }>()
async function time(what: string, who: 'berth' | 'docker', work: () => unknown): Promise<void> {
  execFileSync('sync')
  const begun = performance.now()
  await work()
  const entry = times.get(what) ?? { berth: [], docker: [] }
  times.set(what, entry)
  entry[who].push(performance.now() - begun)
}

async function roundOfBerth(reference: string, round: number): Promise<void> {
  const dataRoot = makeDataRoot()
  const rooms = await openImageRooms(dataRoot)
  const archive = join(dataRoot, 'saved.tar')
  roots.push(dataRoot)
  await time('pull', 'berth', () => rooms.images.pull({ reference }, testContext()))
  await time('save', 'berth', async () => pipeline(await rooms.images.save([reference]), createWriteStream(archive)))
  const { upper } = await rooms.snapshots.prepare('c', rooms.images.resolve(reference).chainId)
  writeFileSync(join(upper, 'noise'), randomBytes(150 << 20))
  const name = `${registry.host}/berth${round}:1`
  await time('commit', 'berth', async () => {
    const { chainId: _chain, ...layer } = await rooms.snapshots.commit('c', { compress: 'none' })
    const { id: parent, config, platform } = rooms.images.resolve(reference)
    await rooms.images.create({ parent, config, platform, layers: [layer], history: [{ createdBy: 'bench', emptyLayer: false }] }, name)
  })
  await time('push', 'berth', () => rooms.images.push({ reference: name }, testContext()))
  await rooms.close()
  const otherRoot = makeDataRoot()
  roots.push(otherRoot)
  const other = await openImageRooms(otherRoot)
  await time('load', 'berth', () => other.images.load(createReadStream(archive, { highWaterMark: 1 << 20 }), testContext()))
  await other.close()
}

async function roundOfDocker(reference: string, round: number): Promise<void> {
  const root = join(place, `docker-${round}`)
  const archive = `${root}.tar`
  roots.push(root, archive, `${root}-other`)
  const daemon = await startDocker(root)
  const run = (...args: string[]) => docker(daemon.socket, args) || fail(args)
  await time('pull', 'docker', () => run('pull', reference))
  await time('save', 'docker', () => docker(daemon.socket, ['save', '-o', archive, reference]))
  const container = run('create', reference, 'x')
  const noise = join(root, 'noise')
  writeFileSync(noise, randomBytes(150 << 20))
  docker(daemon.socket, ['cp', noise, `${container}:/noise`])
  const name = `${registry.host}/docker${round}:1`
  await time('commit', 'docker', () => run('commit', container, name))
  await time('push', 'docker', () => run('push', name))
  await daemon.stop()
  const other = await startDocker(`${root}-other`)
  await time('load', 'docker', () => docker(other.socket, ['load', '-i', archive]) || fail(['load']))
  await other.stop()
}

function fail(args: string[]): never {
  throw new Error(`docker ${args[0]} failed`)
}

try {
  const image = imageOf(layers())
  const bytes = image.layers.reduce((sum, layer) => sum + layer.blob.length, 0)
  await pushTestImage(registry.url, 'big', '1', image)
  const reference = `${registry.host}/big:1`
  for (let round = 0; round < rounds; round++) {
    await roundOfBerth(reference, round)
    await roundOfDocker(reference, round)
  }
  const show = (values: number[]) => `${values.map((value) => value.toFixed(0)).join(' ')} (median ${median(values).toFixed(0)})`
  console.log(`image: ${(bytes / 1e6).toFixed(0)} MB compressed, ${layerCount} layers; milliseconds`)
  for (const [what, { berth, docker: theirs }] of times) {
    console.log(`${what.padEnd(7)} berth ${show(berth)}, docker ${show(theirs)}, ratio ${(median(berth) / median(theirs)).toFixed(2)}`)
  }
} finally {
  await registry.stop()
  for (const root of roots) rmSync(root, { recursive: true, force: true })
  removeServed(place)
}
