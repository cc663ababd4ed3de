import { readFileSync } from 'node:fs'
import { Manager, type Socket } from 'socket.io-client'
import { ask, Browser, joinToken, until } from '../src/server/testing/dashboard.fixture.ts'
import { type SimulatedAgent, simulateAgent } from '../src/server/testing/simulated-agent.fixture.ts'
import { percentile, residentBytes, startDashboardProcess } from './dashboard-process.ts'

/**
 * What the dashboard's server weighs and how much of a keystroke's way is its own: the production build in a process of its own, ten simulated agents with 200
 * containers each, twenty people who each watch the merged list, every host's events and one host's numbers. Target: 250 MB.
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

/** One tab: one connection, a namespace for the dashboard and one for each host. */
async function watch(browser: Browser, hosts: readonly string[], index: number): Promise<Socket[]> {
  await browser.call('GET', '/h/all/containers')
  await browser.query('fleet.containers')
  const manager = new Manager(browser.base, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { cookie: browser.cookie, origin: browser.origin },
  })
  const enter = async (namespace: string): Promise<Socket> => {
    const socket = manager.socket(namespace)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    return socket
  }
  const dashboard = await enter('/dashboard')
  dashboard.on('fleet.changed', (host: string, nouns: string[]) => {
    if (nouns.includes('containers')) void browser.query('fleet.containers', { host })
  })
  const sockets = [dashboard]
  for (const host of hosts) {
    const socket = await enter(`/hosts/${host}`)
    sockets.push(socket)
    await ask(socket, 'events.open', { stream: 'e' })
    if (host === hosts[index % hosts.length]) await ask(socket, 'stats.open', { stream: 's', containers: 'all', host: true })
  }
  return sockets
}

/** One host's minute: a sample per second for everybody who asks, a container that comes or goes every other second. */
function live(agent: SimulatedAgent): NodeJS.Timeout {
  const point = {
    at: 0,
    cpuPercent: 12.5,
    throttledPercent: 0,
    memoryBytes: 123_456_789,
    memoryLimitBytes: null,
    pids: 12,
    rxBps: 1000,
    txBps: 2000,
    readBps: 0,
    writeBps: 4096,
  }
  let sequence = 0
  return setInterval(() => {
    sequence += 1
    agent.say('stats.items', {
      containers: Array.from({ length: containersEach }, (_, n) => ({ id: n.toString(16).padStart(64, '0'), point })),
      host: null,
    })
    if (sequence % 2 === 0)
      agent.say('events.items', [
        {
          sequence,
          epoch: 'e1',
          at: new Date().toISOString(),
          timeNano: '1',
          type: 'container',
          action: 'start',
          actorId: 'x',
          attributes: {},
        },
      ])
  }, 1_000)
}

const agents: SimulatedAgent[] = []
const sockets: Socket[] = []
const timers: NodeJS.Timeout[] = []
const server = await startDashboardProcess('127.0.0.1', nodeFlags)
const { pid } = server
try {
  console.log(`idle after start: ${megabytes(residentBytes(pid))}`)
  const admin = new Browser(server.base)
  await admin.mutate('setup.create', { token: server.setupToken, name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' })
  for (let n = 0; n < agentCount; n += 1)
    agents.push(
      await simulateAgent({
        base: admin.base,
        token: await joinToken(admin),
        name: `bench-${n}`,
        engineId: `bench-${n}`,
        script: { containers: containersEach },
      }),
    )
  const hosts = agents.map((agent) => agent.hostId)
  await until(
    async () => ((await admin.query('hosts.list')).data as { state: string }[]).every((host) => host.state === 'online'),
    'the hosts',
    30_000,
  )
  for (const agent of agents) timers.push(live(agent))
  for (let n = 0; n < viewerCount; n += 1) {
    const viewer = new Browser(admin.base)
    viewer.cookie = admin.cookie
    sockets.push(...(await watch(viewer, hosts, n)))
  }
  console.log(
    `with ${agentCount} hosts × ${containersEach} containers and ${viewerCount} viewers (${sockets.length} live views): ${megabytes(residentBytes(pid))}`,
  )

  const terminal = sockets[1] as Socket
  await ask(terminal, 'terminal.open', { stream: 't', target: { exec: 'e' } })
  const echoes: number[] = []
  let highest = 0
  const cpuBefore = cpuSeconds(pid)
  const began = Date.now()
  while (Date.now() - began < seconds * 1000) {
    const sent = performance.now()
    const echoed = new Promise<void>((resolve) => terminal.once('terminal.output', () => resolve()))
    terminal.emit('terminal.input', 't', Buffer.from('k'), () => undefined)
    await echoed
    echoes.push(performance.now() - sent)
    terminal.emit('terminal.credit', 't', 1)
    highest = Math.max(highest, residentBytes(pid))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const cpu = ((cpuSeconds(pid) - cpuBefore) / ((Date.now() - began) / 1000)) * 100
  console.log(
    `after ${seconds} s: ${megabytes(residentBytes(pid))}, highest ${megabytes(highest)} (target ${megabytes(target)}), ${cpu.toFixed(0)} % of one core`,
  )
  console.log(
    `keystroke through the dashboard and back under this load: median ${percentile(echoes, 0.5).toFixed(1)} ms, p95 ${percentile(echoes, 0.95).toFixed(1)} ms (${echoes.length} strokes)`,
  )
  if (highest > target) process.exitCode = 1
} finally {
  for (const timer of timers) clearInterval(timer)
  for (const socket of sockets) socket.disconnect()
  await server.end()
  for (const agent of agents) await agent.stop()
}
