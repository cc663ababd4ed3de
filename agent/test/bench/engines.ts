/** The engines that are measured, each a real daemon with directories, a bridge and a cgroup of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { claimBridge, claimDirectory, deserted, endAll } from '../../../scripts/bench-leftovers.ts'
import type { AgentConfig } from '../../src/config.ts'
import { removeEngineFiles, testConfig } from '../engine.ts'
import { nativeDir } from '../image-rooms.ts'
import { busyboxLayer } from '../images.ts'
import { type DockerApi, dockerApi } from './docker-api.ts'
import { NoAnswer, withinLimit } from './rounds.ts'

export interface MeasuredEngine {
  name: string
  api: DockerApi
  socket: string
  pid: number
  /** Processes that serve it, itself among them: containerd, shims, monitors. */
  family(): number[]
  stop(): Promise<void>
}

/** As `npm start` and the systemd unit run it; BERTH_BENCH_NODE_FLAGS tries others. */
const nodeFlags = process.env.BERTH_BENCH_NODE_FLAGS?.split(' ').filter(Boolean) ?? ['--max-semi-space-size=1', '--enable-source-maps']

/** An agent that can die as by a crash and come back. */
export interface MeasuredAgent extends MeasuredEngine {
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** Starts it again on its own data after kill(), under the same object; resolves when it answers. */
  revive(): Promise<void>
}

/** The agent as it is shipped: bundled, in a process of its own. What the agents of killed runs left goes first. */
export async function startBerth(): Promise<MeasuredAgent> {
  execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('../../build.ts', import.meta.url))], { stdio: 'inherit' })
  await takeOverAgents()
  const config = testConfig()
  mkdirSync(claims, { recursive: true })
  const claim = `${claims}/run-${process.pid}`
  writeFileSync(claim, JSON.stringify(config))
  let engine = await runAgent(config)
  return {
    name: engine.name,
    socket: engine.socket,
    get api() {
      return engine.api
    },
    get pid() {
      return engine.pid
    },
    family: () => engine.family(),
    async kill() {
      engine.api.close()
      await engine.kill()
    },
    async revive() {
      engine = await runAgent(config)
    },
    async stop() {
      await engine.stop()
      rmSync(claim, { force: true })
    },
  }
}

/** Which agents runs of benchmarks have started: their settings, in files named after the run's process. */
const claims = '/run/berth-bench-agents'

/** Agents of killed runs: each is ended, started again on its own data, so that it finds its containers, and cleaned up with the means of the product. */
async function takeOverAgents(): Promise<void> {
  for (const name of deserted(existsSync(claims) ? readdirSync(claims) : [], 'run-')) {
    const config = JSON.parse(readFileSync(`${claims}/${name}`, 'utf8')) as AgentConfig
    endAll(pids().filter((pid) => textOr(`/proc/${pid}/environ`).includes(`\0BERTH_RUN=${config.runRoot}\0`)))
    if (existsSync(config.dataRoot)) {
      mkdirSync(config.runRoot, { recursive: true, mode: 0o711 })
      const engine = await runAgent(config)
      for (const { Id } of await engine.api.call<{ Id: string }[]>('GET', '/containers/json?all=1'))
        await engine.api.call('DELETE', `/containers/${Id}?force=1`)
      await engine.stop()
    }
    rmSync(`${claims}/${name}`)
  }
}

async function runAgent(config: AgentConfig) {
  const child = spawn(process.execPath, [...nodeFlags, fileURLToPath(new URL('../../dist/berth-agent.js', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '1',
      BERTH_INSTANCE: config.instance,
      BERTH_DATA: config.dataRoot,
      BERTH_RUN: config.runRoot,
      BERTH_NATIVE: nativeDir,
      BERTH_ADDRESS_POOLS: config.addressPools.map(({ base, size }) => `${base}:${size}`).join(','),
      BERTH_AGENT_PORT: String(20000 + Math.floor(Math.random() * 10000)),
      BERTH_LOG_LEVEL: 'warn',
      BERTH_LOG_MAX_SIZE: '0',
    },
  })
  const engine = await ready('berth', child, config.dockerSocket).catch((error) => {
    removeEngineFiles(config)
    throw error
  })
  return {
    ...engine,
    family: () => [child.pid as number, ...processesNamed('berth-monitor', config.runRoot, config.dataRoot)],
    kill: () => end('berth', child, 'SIGKILL'),
    async stop() {
      engine.api.close()
      await end('berth', child)
      removeEngineFiles(config)
    },
  }
}

/** dockerd with a bridge of its own and the packet filter left alone: its rules would be the machine's. */
export async function startDockerd(): Promise<MeasuredEngine> {
  const root = claimDirectory('/var/lib', 'berth-bench-dockerd-')
  const bridge = claimBridge('btdockd', '10.250.0.1/16')
  const socket = `${root}/docker.sock`
  const child = spawn(
    'dockerd',
    [
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
      '--userland-proxy=false',
    ],
    { stdio: 'ignore' },
  )
  const engine = await ready('dockerd', child, socket)
  return {
    ...engine,
    family: () => [child.pid as number, ...descendants(child.pid as number), ...processesNamed('containerd-shim', `${root}/exec`, root)],
    async stop() {
      engine.api.close()
      await end('dockerd', child)
      execFileSync('ip', ['link', 'delete', bridge])
      for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n').reverse()) {
        const target = line.split(' ')[1]
        if (target?.startsWith(`${root}/`)) execFileSync('umount', ['-l', target])
      }
      rmSync(root, { recursive: true, force: true })
    },
  }
}

async function ready(name: string, child: ChildProcess, socket: string) {
  const api = dockerApi(name, socket)
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}`)
    if (existsSync(socket) && (await api.call('GET', '/version').catch(() => null))) return { name, api, socket, pid: child.pid as number }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error(`${name} does not answer on ${socket}`)
}

/** Ends a daemon; one that does not end within the limit of rounds.ts is killed, and that is said. */
async function end(name: string, child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  try {
    await withinLimit({ name }, signal, ended, () => child.kill('SIGKILL'))
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    console.error(error.message)
    await ended
  }
}

/** Removes what a bench made, eight at a time, before the engine is stopped. What cannot be removed is said, and the others are removed all the same. */
export async function removeEveryContainer(engine: MeasuredEngine): Promise<void> {
  const say = (error: unknown) => console.error(error instanceof Error ? error.message : error)
  const ids = (await engine.api.call<{ Id: string }[]>('GET', '/containers/json?all=1').catch((error) => void say(error))) ?? []
  while (ids.length > 0)
    await Promise.all(ids.splice(0, 8).map(({ Id }) => engine.api.call('DELETE', `/containers/${Id}?force=1`).catch(say)))
}

/** busybox:1 by `docker load`. */
export function loadBusybox(engine: MeasuredEngine): void {
  const directory = `/tmp/berth-bench-image-${process.pid}`
  mkdirSync(directory, { recursive: true })
  try {
    writeFileSync(`${directory}/layer.tar.gz`, busyboxLayer().blob)
    execFileSync('gzip', ['-df', `${directory}/layer.tar.gz`])
    execFileSync('docker', ['-H', `unix://${engine.socket}`, 'import', '--change', 'CMD ["sh"]', `${directory}/layer.tar`, 'busybox:1'], {
      stdio: 'ignore',
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function textOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const pids = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const one of pids()) {
    const stat = textOr(`/proc/${one}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), one])
  }
  const found: number[] = []
  const visit = (one: number) => {
    for (const child of children.get(one) ?? []) {
      // A container's own processes are not the engine.
      if (!/containerd|docker/.test(textOr(`/proc/${child}/comm`))) continue
      found.push(child)
      visit(child)
    }
  }
  visit(pid)
  return found
}

function processesNamed(name: string, ...mentions: string[]): number[] {
  return pids().filter((pid) => {
    if (!textOr(`/proc/${pid}/comm`).startsWith(name)) return false
    const line = textOr(`/proc/${pid}/cmdline`) + textOr(`/proc/${pid}/mountinfo`)
    return mentions.some((mention) => line.includes(mention))
  })
}

/** Proportional memory in kB. */
export function proportionalKb(ids: readonly number[]): number {
  return [...new Set(ids)].reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(textOr(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0)
}

/** Processor time so far, in milliseconds. */
export function processorMs(ids: readonly number[]): number {
  return ids.reduce((sum, pid) => {
    const stat = textOr(`/proc/${pid}/stat`)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
  }, 0)
}
