/**
 * A part of server-memory-bench's load, in a process of its own: simulated agents, or people at their tabs. Its argument says what to be; it says by one message
 * that it is ready, and works until it is ended.
 */
import { Manager, type Socket } from 'socket.io-client'
import { ask, Browser } from '../src/server/testing/dashboard.fixture.ts'
import { type SimulatedAgent, simulateAgent } from '../src/server/testing/simulated-agent.fixture.ts'

export type LoadTask =
  | { kind: 'agents'; base: string; tokens: string[]; containersEach: number }
  | { kind: 'viewers'; base: string; cookie: string; hosts: string[]; count: number }
export interface LoadReady {
  /** Of the agents that it is. */
  hosts: string[]
}

/** As a tab asks, without what a tab does with the answer: that is the work of twenty other machines. */
async function read(browser: Browser, procedure: string, input?: object): Promise<void> {
  const query = input ? `?input=${encodeURIComponent(JSON.stringify(input))}` : ''
  const ask = () =>
    fetch(`${browser.base}/api/trpc/${procedure}${query}`, {
      headers: { cookie: browser.cookie, origin: browser.origin, 'accept-encoding': 'gzip, deflate, br' },
    })
  // As browsers do when a connection that was kept for later turns out to have been closed meanwhile.
  const response = await ask().catch((error: Error & { cause?: { code?: string } }) => {
    if (error.cause?.code !== 'UND_ERR_SOCKET') throw error
    return ask()
  })
  if (!response.ok) throw new Error(`${procedure} answered ${response.status}`)
  await response.arrayBuffer()
}

/** One tab: one connection, a namespace for the dashboard and one for each host. */
async function watch(browser: Browser, hosts: readonly string[], index: number): Promise<Socket[]> {
  await browser.call('GET', '/h/all/containers')
  await read(browser, 'fleet.containers')
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
    if (nouns.includes('containers')) void read(browser, 'fleet.containers', { host })
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
function live(agent: SimulatedAgent, containersEach: number): NodeJS.Timeout {
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

async function beAgents({ base, tokens, containersEach }: LoadTask & { kind: 'agents' }): Promise<LoadReady> {
  const hosts: string[] = []
  for (const token of tokens) {
    const name = `bench-${token.slice(-6)}`
    const agent = await simulateAgent({ base, token, name, engineId: name, script: { containers: containersEach } })
    live(agent, containersEach)
    hosts.push(agent.hostId)
  }
  return { hosts }
}

async function beViewers({ base, cookie, hosts, count }: LoadTask & { kind: 'viewers' }): Promise<LoadReady> {
  for (let n = 0; n < count; n += 1) {
    const viewer = new Browser(base)
    viewer.cookie = cookie
    await watch(viewer, hosts, n)
  }
  return { hosts: [] }
}

const task = JSON.parse(process.argv[2] ?? '') as LoadTask
const ready = task.kind === 'agents' ? beAgents(task) : beViewers(task)
ready.then(
  (answer) => process.send?.(answer),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
// Whoever started it is gone: so is the reason for it.
process.once('disconnect', () => process.exit())
