import { isIP } from 'node:net'
import { join } from 'node:path'
import { ServerError } from './errors.ts'

/** What the dashboard is told by its environment. loadSettings is the only reader of process.env in the dashboard's server. */
export interface Settings {
  /** Durable state of the dashboard: database, keys. BERTH_DASHBOARD_DATA, default `$BERTH_DATA/dashboard`. */
  dataRoot: string
  /** Where the agent of this machine looks for its invitation. BERTH_RUN, default /run/berth. */
  runRoot: string
  /** BERTH_PORT, default 3000. Speaks HTTP and, when the first byte is a TLS handshake, HTTPS. */
  port: number
  /** Address to listen on. BERTH_HOST, default `::` (every address): plain HTTP is answered to loopback only, everybody else is sent to HTTPS. */
  host: string
  /** BERTH_PLAIN_HTTP=1: answer plain HTTP to everybody (behind a proxy on another machine, or for a trial on a trusted network). */
  plainHttp: boolean
  /** BERTH_PUBLIC_URL: the address people and hosts use, e.g. behind a proxy. Null: taken from the request. */
  publicUrl: URL | null
  /** BERTH_TRUSTED_PROXIES: comma separated addresses whose X-Forwarded-For and -Proto are believed. Loopback is not in it by itself. */
  trustedProxies: readonly string[]
  /** BERTH_AGENT_PORT of this machine's own agent, default 7443. */
  agentPort: number
  /** BERTH_LOCAL_AGENT=0: do not invite this machine's agent by itself. */
  inviteLocalAgent: boolean
  /** BERTH_LOG_LEVEL, default info. */
  logLevel: string
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** @throws ServerError `invalid_argument` naming the setting and what it must be */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const data = absolute('BERTH_DATA', env.BERTH_DATA ?? '/var/lib/berth')
  return {
    dataRoot: absolute('BERTH_DASHBOARD_DATA', env.BERTH_DASHBOARD_DATA ?? join(data, 'dashboard')),
    runRoot: absolute('BERTH_RUN', env.BERTH_RUN ?? '/run/berth'),
    port: port('BERTH_PORT', env.BERTH_PORT, 3000),
    host: env.BERTH_HOST ?? '::',
    plainHttp: flag('BERTH_PLAIN_HTTP', env.BERTH_PLAIN_HTTP, false),
    publicUrl: publicUrl(env.BERTH_PUBLIC_URL),
    trustedProxies: addresses('BERTH_TRUSTED_PROXIES', env.BERTH_TRUSTED_PROXIES),
    agentPort: port('BERTH_AGENT_PORT', env.BERTH_AGENT_PORT, 7443),
    inviteLocalAgent: flag('BERTH_LOCAL_AGENT', env.BERTH_LOCAL_AGENT, true),
    logLevel: oneOf('BERTH_LOG_LEVEL', env.BERTH_LOG_LEVEL || 'info', logLevels),
  }
}

function invalid(name: string, value: string, must: string): ServerError {
  return new ServerError('invalid_argument', `${name} is "${value}" but must be ${must}`)
}

function absolute(name: string, value: string): string {
  if (!value.startsWith('/')) throw invalid(name, value, 'an absolute path')
  return value
}

function port(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined || value === '') return fallback
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw invalid(name, value, 'a TCP port, 1 to 65535')
  return number
}

function flag(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined || value === '') return fallback
  if (value === '1' || value === 'true') return true
  if (value === '0' || value === 'false') return false
  throw invalid(name, value, '1 or 0')
}

function addresses(name: string, value: string | undefined): string[] {
  const all = (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
  const wrong = all.find((one) => isIP(one) === 0)
  if (wrong !== undefined) throw invalid(name, wrong, 'IP addresses, separated by commas')
  return all
}

function oneOf(name: string, value: string, known: readonly string[]): string {
  if (!known.includes(value)) throw invalid(name, value, `one of ${known.join(', ')}`)
  return value
}

function publicUrl(value: string | undefined): URL | null {
  if (!value) return null
  if (!URL.canParse(value)) throw invalid('BERTH_PUBLIC_URL', value, 'a URL such as https://berth.example.com')
  const url = new URL(value)
  if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search)
    throw invalid('BERTH_PUBLIC_URL', value, 'http(s)://name[:port] without a path')
  return url
}
