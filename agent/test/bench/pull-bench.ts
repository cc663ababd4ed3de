/**
 * Pull of a 300 MB image (four layers of this machine's own files, gzip) from a loopback registry: ours against dockerd, which is started with a root of its
 * own. Run as root: `npx tsx agent/test/bench/pull-bench.ts [rounds]`. Prints milliseconds per round and the medians.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
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
    'none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ]
  const child: ChildProcess = spawn('dockerd', args, { stdio: 'ignore' })
  for (let attempt = 0; attempt < 150; attempt++) {
    if (existsSync(socket) && docker(socket, ['version', '--format', '{{.Server.Version}}'])) return { socket, stop: () => stop(child) }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await stop(child)
  throw new Error('dockerd does not start')
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
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
// Nothing is deleted between rounds: ext4 searches long for inodes right after many were freed, which would be measured instead of the pull.
const roots: string[] = []
try {
  const image = imageOf(layers())
  const bytes = image.layers.reduce((sum, layer) => sum + layer.blob.length, 0)
  await pushTestImage(registry.url, 'big', '1', image)
  const reference = `${registry.host}/big:1`
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    execFileSync('sync')
    const dataRoot = makeDataRoot()
    roots.push(dataRoot)
    const rooms = await openImageRooms(dataRoot)
    let begun = performance.now()
    await rooms.images.pull({ reference }, testContext())
    ours.push(performance.now() - begun)
    await rooms.close()
    const dockerRoot = `/var/lib/berth-k4-dockerd-${round}`
    roots.push(dockerRoot)
    const daemon = await startDocker(dockerRoot)
    execFileSync('sync')
    begun = performance.now()
    const pulled = docker(daemon.socket, ['pull', reference])
    theirs.push(performance.now() - begun)
    await daemon.stop()
    if (!pulled) throw new Error('docker pull failed')
  }
  const show = (values: number[]) => values.map((value) => value.toFixed(0)).join(' ')
  console.log(`image: ${(bytes / 1e6).toFixed(0)} MB compressed, ${layerCount} layers`)
  console.log(`berth  ms: ${show(ours)}  median ${median(ours).toFixed(0)}`)
  console.log(`docker ms: ${show(theirs)}  median ${median(theirs).toFixed(0)}`)
  console.log(`ratio ${(median(ours) / median(theirs)).toFixed(2)}`)
} finally {
  await registry.stop()
  for (const root of roots) rmSync(root, { recursive: true, force: true })
}
