// Two gzip layers unpacked by berth-unpack and its peers from Debian, in turns, in one run: medians. One of about 300 MB whose bytes are in big files, one
// of 40,000 small files. berth-unpack computes both digests on the way, docker load one, tar none. `--sync` also waits for the disk; nobody else does.
// `npx tsx unpack-bench.ts [rounds]`; BERTH_BENCH_DIR is where it works (/var/tmp).
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { claimBridge, claimDirectory } from '../../../scripts/bench-leftovers.ts'
import { programs } from '../unpack-program.ts'

const rounds = Number(process.argv[2] ?? 5)
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
const root = claimDirectory(process.env.BERTH_BENCH_DIR ?? '/var/tmp', 'berth-unpack-bench-')
const layer = join(root, 'layer.tar.gz')
const plain = join(root, 'layer.tar')
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] }

interface Kind {
  name: string
  /** What `find` takes. */
  test: string
  files: number
  plainBytes: number
}

/** About 2.6 : 1 is what programs and libraries compress to. */
const kinds: Kind[] = [
  { name: 'big files', test: '-size -40M', files: Number.POSITIVE_INFINITY, plainBytes: 300_000_000 * 2.6 },
  { name: 'small files', test: '-size -64k', files: 40_000, plainBytes: Number.POSITIVE_INFINITY },
]

/** Files of this machine's /usr: real names, real sizes, real redundancy. */
function makeLayer(kind: Kind): void {
  const script = `cd / && find usr/lib usr/bin usr/share -xdev -type f ${kind.test} 2>/dev/null | LC_ALL=C sort | awk -v n=7 'NR % n != 0'`
  const names = execFileSync('bash', ['-c', script], { encoding: 'utf8', maxBuffer: 1 << 28 })
    .trim()
    .split('\n')
  const chosen: string[] = []
  let sum = 0
  for (const name of names) {
    if (sum > kind.plainBytes || chosen.length === kind.files) break
    sum += statSync(`/${name}`).size
    chosen.push(name)
  }
  writeFileSync(join(root, 'names'), chosen.join('\n'))
  execFileSync('tar', ['-C', '/', '--numeric-owner', '-cf', plain, '-T', join(root, 'names')], quiet)
  execFileSync('bash', ['-c', `pigz -c '${plain}' > '${layer}'`], quiet)
  console.log(
    `\n${kind.name}: ${chosen.length} files, ${(statSync(plain).size / 1e6).toFixed(0)} MB plain, ${(statSync(layer).size / 1e6).toFixed(0)} MB gzip`,
  )
}

/** The layer as an image archive for docker load. */
function makeArchive(): string {
  const diffId = execFileSync('sha256sum', [plain], { encoding: 'utf8' }).slice(0, 64)
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'bench' }],
  })
  const name = `${createHash('sha256').update(config).digest('hex')}.json`
  writeFileSync(join(root, name), config)
  writeFileSync(join(root, 'manifest.json'), JSON.stringify([{ Config: name, RepoTags: ['berth-bench:1'], Layers: ['layer.tar.gz'] }]))
  execFileSync('tar', ['-C', root, '-cf', join(root, 'image.tar'), 'manifest.json', name, 'layer.tar.gz'], quiet)
  return join(root, 'image.tar')
}

function timed(work: () => void): number {
  execFileSync('sync', ['--file-system', root])
  const began = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - began) / 1e6
}

function unpackTo(command: (target: string) => string): () => number {
  return () => {
    const target = join(root, 'target')
    mkdirSync(target)
    try {
      return timed(() => execFileSync('bash', ['-o', 'pipefail', '-c', command(target)], quiet))
    } finally {
      rmSync(target, { recursive: true })
    }
  }
}

/** A dockerd of its own that touches no network of the host. */
async function startDocker(): Promise<{ load: (archive: string) => number; stop: () => Promise<void> }> {
  const socket = `unix://${root}/docker.sock`
  const bridge = claimBridge('bubench', '10.255.201.1/24')
  const log = openSync(join(root, 'dockerd.log'), 'w')
  const args = ['--data-root', join(root, 'docker'), '--exec-root', join(root, 'exec'), '--pidfile', join(root, 'docker.pid'), '-H', socket]
  const daemon = spawn('dockerd', [...args, '--bridge', bridge, '--iptables=false', '--ip-masq=false', '--bip='], {
    stdio: ['ignore', log, log],
  })
  const docker = (...words: string[]) => spawnSync('docker', ['-H', socket, ...words], { encoding: 'utf8' })
  for (let i = 0; i < 200 && docker('version').status !== 0; i++) await sleep(100)
  return {
    load(archive) {
      const ms = timed(() => {
        const result = docker('load', '-i', archive)
        if (result.status !== 0)
          throw new Error(`docker load: ${result.stderr}\n${readFileSync(join(root, 'dockerd.log'), 'utf8').slice(-2000)}`)
      })
      docker('rmi', 'berth-bench:1')
      return ms
    },
    async stop() {
      const ended = new Promise((resolve) => daemon.once('exit', resolve))
      daemon.kill('SIGTERM')
      await ended
      execFileSync('ip', ['link', 'delete', bridge])
    },
  }
}

const docker = existsSync('/usr/sbin/dockerd') || existsSync('/usr/bin/dockerd') ? await startDocker() : null

function measure(kind: Kind): void {
  makeLayer(kind)
  const archive = makeArchive()
  const program = join(programs, 'berth-unpack')
  const ways: Record<string, () => number> = {
    'berth-unpack apply': unpackTo((target) => `'${program}' apply --target '${target}' < '${layer}'`),
    'berth-unpack apply --sync': unpackTo((target) => `'${program}' apply --sync --target '${target}' < '${layer}'`),
    'pigz -d | GNU tar x': unpackTo((target) => `pigz -dc '${layer}' | tar -C '${target}' -xf -`),
    'GNU tar xz': unpackTo((target) => `tar -C '${target}' -xzf '${layer}'`),
    'bsdtar x': unpackTo((target) => `bsdtar -C '${target}' -xpf '${layer}'`),
  }
  if (docker) ways['docker load'] = () => docker.load(archive)
  const figures = new Map(Object.keys(ways).map((name) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) for (const [name, way] of Object.entries(ways)) figures.get(name)?.push(way())
  const own = median(figures.get('berth-unpack apply') as number[])
  for (const [name, values] of figures) {
    const ms = median(values)
    console.log(`${name.padEnd(30)} ${ms.toFixed(0).padStart(7)} ms   berth-unpack / this = ${(own / ms).toFixed(2)}`)
  }
}

try {
  for (const kind of kinds) measure(kind)
  if (!docker) console.log('docker load: not measured, dockerd is not installed')
} finally {
  await docker?.stop()
  rmSync(root, { recursive: true, force: true })
}
