// The monitor beside its peers from Debian: memory of one idle container, log throughput, time to start and to see the end. One run, medians.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { frame, isAlive, MonitorHarness, runtimePath, type Started, sleep, until } from '../monitor-harness.ts'

const harness = new MonitorHarness()
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
const lineBytes = 100
const lineCount = 640_000
const megabytes = (lineBytes * lineCount) / 1e6

/** Proportional and resident memory of a process, kB. */
function memory(pid: number) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1])
  return { pss: read('Pss'), rss: read('Rss') }
}

/** A bundle for peers that mount nothing themselves: the layer is the root. */
function peerBundle(name: string, args: string[], cgroup: string) {
  const dir = path.join(harness.root, name)
  mkdirSync(path.join(dir, 'exits'), { recursive: true })
  const namespaces = ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type }))
  const process = { terminal: false, user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/' }
  const mounts = [{ destination: '/proc', type: 'proc', source: 'proc' }]
  const linux = { namespaces, cgroupsPath: `${harness.cgroup}/${cgroup}` }
  writeFileSync(
    path.join(dir, 'config.json'),
    JSON.stringify({ ociVersion: '1.0.2', process, root: { path: harness.layer }, mounts, linux }),
  )
  return dir
}

interface Conmon {
  pid: number
  dir: string
  id: string
}

async function startConmon(id: string, args: string[]): Promise<Conmon> {
  const dir = peerBundle(id, args, id)
  const options = ['-c', id, '-u', id, '-n', id, '-r', runtimePath(), '-b', dir, '-p', `${dir}/pid`, '-P', `${dir}/conmon.pid`]
  const more = [
    '--exit-dir',
    `${dir}/exits`,
    '--persist-dir',
    dir,
    '-l',
    `k8s-file:${dir}/log`,
    '--socket-dir-path',
    dir,
    '--full-attach',
    '--runtime-arg',
    `--root=${harness.runtimeRoot}`,
  ]
  const result = spawnSync('conmon', [...options, ...more], { encoding: 'utf8', timeout: 20_000 })
  if (result.status !== 0) throw new Error(`conmon: ${result.stderr}`)
  await until('the container of conmon', () => existsSync(`${dir}/pid`) && readFileSync(`${dir}/pid`, 'utf8'))
  execFileSync(runtimePath(), [`--root=${harness.runtimeRoot}`, 'start', id])
  return { pid: Number(readFileSync(`${dir}/conmon.pid`, 'utf8')), dir, id }
}

async function stopConmon(conmon: Conmon) {
  execFileSync(runtimePath(), [`--root=${harness.runtimeRoot}`, 'delete', '--force', conmon.id])
  await until('the end of conmon', () => !isAlive(conmon.pid))
}

async function stop(started: Started) {
  if (isAlive(started.answer.pid)) harness.signal(started, 'SIGKILL')
  await harness.gone(started)
}

/** containerd of its own, with one container; returns the shim's process. */
async function withShim(use: (shim: number) => Promise<void>) {
  const dir = path.join(harness.root, 'containerd')
  const socket = path.join(dir, 'containerd.sock')
  mkdirSync(dir, { recursive: true })
  const config = path.join(dir, 'config.toml')
  writeFileSync(
    config,
    `version = 2\nroot = "${dir}/root"\nstate = "${dir}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
  )
  const daemon = spawn('containerd', ['-c', config, '--log-level', 'error'], { stdio: 'ignore' })
  const ctr = (...args: string[]) =>
    execFileSync('ctr', ['--address', socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await until('containerd', () => existsSync(socket) && spawnSync('ctr', ['--address', socket, 'version']).status === 0)
    const cgroup = `${harness.cgroup}/shim`
    ctr('run', '-d', '--runc-binary', '/usr/sbin/runc', '--cgroup', cgroup, '--rootfs', harness.layer, 'bench', '/bin/sleep', '1000')
    const shim = readdirSync('/proc').find(
      (pid) => /^\d+$/.test(pid) && cmdline(pid).includes(`-address\0${socket}`) && cmdline(pid).startsWith('/usr/bin/containerd-shim'),
    )
    if (!shim) throw new Error('no shim process')
    await sleep(2500)
    await use(Number(shim))
    ctr('task', 'kill', '-s', 'KILL', 'bench')
    await until('the end of the task', () => ctr('task', 'ls').includes('STOPPED'))
    ctr('task', 'rm', 'bench')
    ctr('container', 'rm', 'bench')
    await until('the end of the shim', () => !isAlive(Number(shim)))
  } finally {
    daemon.kill('SIGTERM')
    await new Promise((resolve) => daemon.once('exit', resolve))
  }
}

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function benchMemory() {
  const one = await harness.start({ args: ['sleep', '1000'] })
  await sleep(2500)
  const idle = memory(one.answer.monitorPid)
  const client = (await harness.attach(one)).hello({ stdin: false })
  await client.waitFor(frame.welcome)
  await sleep(2500)
  const attached = memory(one.answer.monitorPid)
  const conmon = await startConmon('bench-conmon', ['sleep', '1000'])
  await sleep(1000)
  const peer = memory(conmon.pid)
  await stopConmon(conmon)
  client.close()
  await stop(one)
  const row = (name: string, m: { pss: number; rss: number }) =>
    console.log(
      `${name.padEnd(34)} ${String(m.pss).padStart(6)} kB proportional ${String(m.rss).padStart(6)} kB resident  ${(m.pss / peer.pss).toFixed(2)} × conmon`,
    )
  row('berth-monitor, idle', idle)
  row('berth-monitor, idle, one client', attached)
  row('conmon', peer)
  await withShim(async (shim) => row('containerd-shim-runc-v2', memory(shim)))
}

async function benchThroughput() {
  const line = `${'x'.repeat(lineBytes - 1)}\n`
  writeFileSync(path.join(harness.layer, 'lines'), line.repeat(lineCount))
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = await harness.start({ args: ['cat', '/lines'], log: { maxSizeBytes: 10_000_000, maxFiles: 3 } })
    const exit = await harness.exitOf(started)
    ours.push(megabytes / ((Date.parse(exit.exitedAt) - Date.parse(exit.startedAt)) / 1000))
    await stop(started)
    const begin = performance.now()
    const conmon = await startConmon(`bench-log-${round}`, ['cat', '/lines'])
    await until('the end', () => existsSync(path.join(conmon.dir, 'exits', conmon.id)), 120_000)
    theirs.push(megabytes / ((performance.now() - begin) / 1000))
    if (statSync(`${conmon.dir}/log`).size < lineBytes * lineCount) throw new Error('conmon has not written everything')
    await stopConmon(conmon)
    rmSync(`${conmon.dir}/log`)
  }
  console.log(
    `log of ${lineBytes}-byte lines: berth-monitor ${median(ours).toFixed(0)} MB/s, with rotation; conmon ${median(theirs).toFixed(0)} MB/s (its start included)`,
  )
  rmSync(path.join(harness.layer, 'lines'))
}

async function benchStart() {
  const answers: number[] = []
  const ends: number[] = []
  for (let round = 0; round < 25; round++) {
    const begin = performance.now()
    const started = await harness.start({ args: ['true'], attachFds: 1 })
    answers.push(performance.now() - begin)
    const client = started.clients[0]?.hello()
    await until('EXIT', () => client?.of(frame.exit)[0])
    ends.push(performance.now() - begin)
    client?.close()
    await stop(started)
    harness.started.splice(0)
  }
  console.log(
    `container of \`true\`, no bridge: answered ${median(answers).toFixed(1)} ms, exit told ${median(ends).toFixed(1)} ms after the spawn (runtime: ${path.basename(runtimePath())})`,
  )
}

try {
  await benchMemory()
  await benchThroughput()
  await benchStart()
} finally {
  await harness.close()
}
