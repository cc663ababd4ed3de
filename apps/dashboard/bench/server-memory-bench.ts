import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'socket.io-client'
import { ask, Browser, joinToken, until } from '../src/server/testing/dashboard.fixture.ts'
import { percentile, residentBytes, startDashboardProcess } from './dashboard-process.ts'
import type { LoadReady, LoadTask } from './load-process.ts'

/**
 * What the dashboard's server weighs and how much of a keystroke's way is its own: the production build in a process of its own, ten simulated agents with 200
 * containers each, twenty people who each watch the merged list, every host's events and one host's numbers. Agents and viewers are processes
 * of their own, this one types and waits. Target: 250 MB.
 */
const agentCount = 10
const containersEach = 200
const viewerCount = 20
const seconds = Number(process.env.BERTH_BENCH_SECONDS ?? 45)
const target = 250 * 1024 * 1024
const nodeFlags = process.env.BERTH_BENCH_NODE_FLAGS?.split(' ')

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`

/** Starts a part of the load in a process of its own. @returns what it says when it is ready */
function startLoad(task: LoadTask): Promise<{ child: ChildProcess; ready: LoadReady }> {
  const child = fork(join(import.meta.dirname, 'load-process.ts'), [JSON.stringify(task)], { execArgv: ['--import', 'tsx'] })
  process.once('exit', () => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the load process for ${task.kind} ended with ${signal ?? code}`)))
    child.once('message', (ready) => {
      child.removeAllListeners('exit')
      resolve({ child, ready: ready as LoadReady })
    })
  })
}

/** The processor time that everything but the dashboard takes of the machine's: when the machine is full, a keystroke waits for them and not for the dashboard. */
function busyShare(): () => number {
  const now = () => {
    const times = cpus().map(({ times }) => times)
    const idle = times.reduce((sum, one) => sum + one.idle, 0)
    return { idle, all: times.reduce((sum, one) => sum + one.idle + one.user + one.sys + one.nice + one.irq, 0) }
  }
  const before = now()
  return () => {
    const after = now()
    return 1 - (after.idle - before.idle) / (after.all - before.all)
  }
}

const children: ChildProcess[] = []
const server = await startDashboardProcess('127.0.0.1', nodeFlags)
const { pid } = server
let terminal: Socket | null = null
try {
  console.log(`idle after start: ${megabytes(residentBytes(pid))}`)
  const admin = new Browser(server.base)
  await admin.mutate('setup.create', { token: server.setupToken, name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' })
  const tokens: string[] = []
  for (let n = 0; n < agentCount; n += 1) tokens.push(await joinToken(admin))
  const hosts: string[] = []
  // The host of the terminal has a process of its own: an echo must not wait for what nine other hosts make up.
  for (const part of [tokens.slice(0, 1), tokens.slice(1)]) {
    const { child, ready } = await startLoad({ kind: 'agents', base: server.base, tokens: part, containersEach })
    children.push(child)
    hosts.push(...ready.hosts)
  }
  await until(
    async () => ((await admin.query('hosts.list')).data as { state: string }[]).every((host) => host.state === 'online'),
    'the hosts',
    30_000,
  )
  const { child } = await startLoad({ kind: 'viewers', base: server.base, cookie: admin.cookie, hosts, count: viewerCount })
  children.push(child)
  console.log(
    `with ${agentCount} hosts × ${containersEach} containers and ${viewerCount} viewers (${viewerCount * (agentCount + 1)} live views): ${megabytes(residentBytes(pid))}`,
  )

  terminal = await admin.socket(`/hosts/${hosts[0]}`)
  await ask(terminal, 'terminal.open', { stream: 't', target: { exec: 'e' } })
  const echoes: number[] = []
  let highest = 0
  const cpuBefore = cpuSeconds(pid)
  const busy = busyShare()
  const began = Date.now()
  while (Date.now() - began < seconds * 1000) {
    const sent = performance.now()
    const echoed = new Promise<void>((resolve) => terminal?.once('terminal.output', () => resolve()))
    terminal.emit('terminal.input', 't', Buffer.from('k'), () => undefined)
    await echoed
    echoes.push(performance.now() - sent)
    terminal.emit('terminal.credit', 't', 1)
    highest = Math.max(highest, residentBytes(pid))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const cpu = ((cpuSeconds(pid) - cpuBefore) / ((Date.now() - began) / 1000)) * 100
  console.log(
    `after ${seconds} s: ${megabytes(residentBytes(pid))}, highest ${megabytes(highest)} (target ${megabytes(target)}), ${cpu.toFixed(0)} % of one core; the machine was ${(busy() * 100).toFixed(0)} % busy`,
  )
  console.log(
    `keystroke through the dashboard and back under this load: median ${percentile(echoes, 0.5).toFixed(1)} ms, p95 ${percentile(echoes, 0.95).toFixed(1)} ms (${echoes.length} strokes)`,
  )
  if (highest > target) process.exitCode = 1
} finally {
  terminal?.disconnect()
  for (const child of children) child.kill('SIGTERM')
  await server.end()
}
