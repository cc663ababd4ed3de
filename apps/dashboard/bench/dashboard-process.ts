import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimDirectory } from '../../../scripts/bench-leftovers.ts'
import { until } from '../src/server/testing/dashboard.fixture.ts'

/** The production build in a process of its own, on data of its own. */
export interface DashboardProcess {
  pid: number
  port: number
  base: string
  setupToken: string
  end(): Promise<void>
}

const root = join(import.meta.dirname, '..')
/** As `npm start` runs it. */
const flags = ['--max-semi-space-size=2', '--optimize-for-size']

/** @param host the address to listen on; hosts in network namespaces need more than loopback */
export async function startDashboardProcess(host = '127.0.0.1', nodeFlags: readonly string[] = flags): Promise<DashboardProcess> {
  const folder = claimDirectory(tmpdir(), 'berth-bench-dashboard-')
  const port = await freePort()
  const child: ChildProcess = spawn(process.execPath, [...nodeFlags, 'dist/server.js'], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BERTH_DATA: folder,
      BERTH_RUN: join(folder, 'run'),
      BERTH_PORT: String(port),
      BERTH_HOST: host,
      BERTH_LOCAL_AGENT: '0',
      BERTH_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Whatever ends this process ends the server too.
  process.once('exit', () => child.kill('SIGKILL'))
  let text = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  const setupToken = await until(() => /setup_[\w-]+/.exec(text)?.[0], 'the server', 60_000)
  return {
    pid: child.pid as number,
    port,
    base: `http://127.0.0.1:${port}`,
    setupToken,
    end: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}

export function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
}

/** `name: 12.3 ms (target 30 ms)`, and the exit status of the bench when the target is missed. */
export function report(name: string, value: number, target: number, unit: string, more = ''): void {
  const met = value <= target
  console.log(`  ${met ? '✓' : '✗'} ${name}: ${value.toFixed(1)} ${unit} (target ${target} ${unit})${more ? `, ${more}` : ''}`)
  if (!met) process.exitCode = 1
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise<void>((resolve) => probe.close(() => resolve()))
  return port
}
