/**
 * Everything that the browser tests stand on, real and on its own: a Debian docker-registry filled with busybox and a debootstrap Debian with nginx and redis (it stands in for Docker Hub as
 * its mirror), two agents with their own data roots, and the dashboard. Playwright starts it as its web server; by hand:
 *
 *   node --import tsx apps/dashboard/e2e/environment.ts
 *
 * It writes `artifacts/e2e/environment.json` when it is ready, runs until SIGTERM or SIGINT, and leaves nothing behind.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../../agent/src/config.ts'
import { removeEngineFiles } from '../../../agent/test/engine.ts'
import { busyboxImage, debianLayer, imageOf, layerOf, pushTestImage, tarOf } from '../../../agent/test/images.ts'
import { freePort, startRegistry } from '../../../agent/test/registry.ts'
import { browserNetwork } from './browser-network.ts'
import { dashboardPort, type E2eEnvironment, environmentFile } from './environment-file.ts'

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const artifacts = dirname(environmentFile)
const children: ChildProcess[] = []
const pids: Record<string, number> = {}
let environment: Omit<E2eEnvironment, 'pids'> | null = null
/** Tells the specs, once everything is there and whenever a process is another. */
function publish(): void {
  if (!environment) return
  writeFileSync(`${environmentFile}.new`, JSON.stringify({ ...environment, pids }, null, 2))
  renameSync(`${environmentFile}.new`, environmentFile)
}
const undo: (() => Promise<void> | void)[] = []

interface AgentPlace {
  env: NodeJS.ProcessEnv
  config: ReturnType<typeof loadConfig>
}

/** A name that no agent of this machine has, and its run directory: two suites at once must not clean up after each other. Short, because network devices are named after it. */
function freeInstance(letter: string): string {
  for (;;) {
    const instance = `e2e${letter}${randomBytes(1).toString('hex')}`
    try {
      mkdirSync(`/run/berth-${instance}`, { mode: 0o711 })
      return instance
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Directories, bridge, cgroup and ports of an agent's own. */
async function agentPlace(letter: string, subnet: number, mirror: string): Promise<AgentPlace> {
  const instance = freeInstance(letter)
  const data = mkdtempSync(`/var/lib/berth-e2e-${letter}-`)
  chmodSync(data, 0o711)
  const env = {
    BERTH_INSTANCE: instance,
    BERTH_DATA: data,
    BERTH_RUN: `/run/berth-${instance}`,
    BERTH_AGENT_PORT: String(await freePort()),
    BERTH_REGISTRY_MIRRORS: mirror,
    BERTH_ADDRESS_POOLS: `10.${subnet}.0.0/16:24`,
    BERTH_POLICY: 'host-console',
    // Not what this machine's own agent is told.
    BERTH_CONFIG: join(data, 'agent.json'),
  }
  writeFileSync(env.BERTH_CONFIG, '{}')
  const config = loadConfig({ ...env, BERTH_CONFIG: undefined })
  undo.push(() => removeEngineFiles(config))
  return { env, config }
}

/** Starts a program, in a process group of its own so that a signal to ours reaches it in our order; its output goes to artifacts/e2e/<name>.log; `line` sees each line. */
function start(
  name: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  line: (text: string) => void = () => undefined,
): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  children.push(child)
  const log = createWriteStream(join(artifacts, `${name}.log`), { flags: pids[name] ? 'a' : 'w' })
  for (const output of [child.stdout, child.stderr]) {
    let rest = ''
    output?.on('data', (bytes: Buffer) => {
      log.write(bytes)
      const lines = (rest + bytes.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) line(text)
    })
  }
  pids[name] = child.pid as number
  publish()
  child.once('exit', (code, signal) => {
    children.splice(children.indexOf(child), 1)
    if (ending) return
    // A spec killed it to see what becomes of what is open.
    if (signal === 'SIGKILL') start(name, args, env, cwd, line)
    else {
      console.error(`${name} ended (${signal ?? `exit status ${code}`}); see ${join(artifacts, `${name}.log`)}`)
      void end(1)
    }
  })
  return child
}

const agentProgram = join(root, 'agent/dist/berth-agent.js')

function startAgent(name: string, place: AgentPlace): void {
  start(name, [agentProgram, 'serve'], place.env, root)
  // Containers and networks outlive their agent: they are removed through it before it ends.
  undo.push(() => {
    if (!existsSync(`${place.env.BERTH_RUN}/docker.sock`)) return
    const docker = (...args: string[]) =>
      execFileSync('docker', ['-H', `unix://${place.env.BERTH_RUN}/docker.sock`, ...args], { encoding: 'utf8' })
    const ids = docker('ps', '-aq').split('\n').filter(Boolean)
    if (ids.length > 0) docker('rm', '-fv', ...ids)
    const networks = docker('network', 'ls', '-q', '--filter', 'type=custom').split('\n').filter(Boolean)
    if (networks.length > 0) docker('network', 'rm', ...networks)
  })
}

/** nginx that speaks of every request on stdout, as an image for containers does. */
function webConfiguration() {
  const text = `user www-data;
error_log /dev/stderr notice;
events {}
http {
  access_log /dev/stdout;
  server { listen 80; root /usr/share/nginx/html; }
}
`
  return layerOf(
    tarOf((directory) => {
      mkdirSync(join(directory, 'etc/nginx'), { recursive: true })
      writeFileSync(join(directory, 'etc/nginx/nginx.conf'), text)
    }),
  )
}

let ending = false
async function end(status: number): Promise<void> {
  if (ending) return
  ending = true
  // Newest first: containers, then (after the programs have ended) files, bridges, cgroups.
  const [files, containers] = [undo.filter((_, index) => index < placed), undo.filter((_, index) => index >= placed)]
  for (const step of containers.reverse())
    try {
      await step()
    } catch (error) {
      console.error(error)
    }
  const gone = children
    .filter((child) => child.exitCode === null && child.signalCode === null)
    .map((child) => new Promise((resolve) => child.once('exit', resolve)))
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(gone)
  for (const step of files.reverse())
    try {
      await step()
    } catch (error) {
      console.error(error)
    }
  rmSync(environmentFile, { force: true })
  process.exit(status)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))

mkdirSync(artifacts, { recursive: true })
rmSync(environmentFile, { force: true })
const registry = await startRegistry()
undo.push(() => registry.stop())
const network = await browserNetwork(dashboardPort)
undo.push(() => network.stop())
pids['browser-network'] = network.pid
await pushTestImage(registry.url, 'library/busybox', 'latest', busyboxImage())
await pushTestImage(
  registry.url,
  'library/web',
  'latest',
  imageOf([debianLayer(['nginx-light', 'redis-server']), webConfiguration()], {
    Cmd: ['nginx', '-g', 'daemon off;'],
    ExposedPorts: { '80/tcp': {} },
  }),
)
const credentials = { username: 'ada', password: 'secret-of-the-registry' }
const closed = await startRegistry({
  htpasswd: execFileSync('htpasswd', ['-nbB', credentials.username, credentials.password], { encoding: 'utf8' }),
})
undo.push(() => closed.stop())
const first = await agentPlace('a', 201, registry.url)
const second = await agentPlace('b', 202, registry.url)
const placed = undo.length
startAgent('agent-a', first)
startAgent('agent-b', second)
const setupToken = await new Promise<string>((resolve) => {
  start(
    'dashboard',
    [join(root, 'apps/dashboard/dist/server.js')],
    {
      ...first.env,
      BERTH_PORT: String(dashboardPort),
      BERTH_DASHBOARD_DATA: join(first.env.BERTH_DATA as string, 'dashboard'),
      NODE_ENV: 'production',
    },
    join(root, 'apps/dashboard'),
    (text) => {
      const found = /Setup token[^:]*: (\S+)/.exec(text)
      if (found) resolve(found[1] as string)
    },
  )
})
environment = {
  url: `http://localhost:${dashboardPort}`,
  setupToken,
  registry: registry.host,
  closedRegistry: { host: closed.host, ...credentials },
  agents: [first, second].map((place) => ({
    env: place.env as Record<string, string>,
    dockerHost: `unix://${place.env.BERTH_RUN}/docker.sock`,
    program: agentProgram,
  })),
}
publish()
console.log(`ready: ${environment.url}`)
