import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What environment.ts tells the specs. */
export interface E2eEnvironment {
  url: string
  setupToken: string
  /** `127.0.0.1:port` of the registry, which is also the agents' mirror of Docker Hub: `busybox` and `web` are in it. */
  registry: string
  /** One that asks who is there, empty at first. */
  closedRegistry: { host: string; username: string; password: string }
  /** The first is enrolled by itself; the second by the spec that adds a host. */
  agents: { env: Record<string, string>; dockerHost: string; program: string }[]
  /**
   * Process ids by name: `agent-a`, `agent-b`, `dashboard`. One that is killed is started again, as systemd would, and stands here with its new id. `browser-network` holds
   * the browser's network namespace.
   */
  pids: Record<string, number>
}

const artifacts = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'artifacts/e2e')
export const environmentFile = join(artifacts, 'environment.json')
/** Cookies of the first account, kept by the first spec for all others. */
export const sessionFile = join(artifacts, 'session.json')
export const screenshotDirectory = join(artifacts, 'screenshots')
export const dashboardPort = Number(process.env.BERTH_E2E_PORT ?? 3790)

export const readEnvironment = (): E2eEnvironment => JSON.parse(readFileSync(environmentFile, 'utf8')) as E2eEnvironment

/** The first account. */
export const person = { name: 'Ada Lovelace', email: 'ada@example.org', password: 'correct horse battery staple' }
