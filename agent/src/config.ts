import { existsSync, readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostPolicy } from '@berth/contract/system'
import * as z from 'zod'
import { EngineError } from './errors.ts'

/**
 * What the agent is told by environment and by the file `$BERTH_CONFIG` (default `/etc/berth/agent.json`; the environment wins). The table in
 * the README lists the same settings; loadConfig is the only reader of process.env in the agent.
 */
export interface AgentConfig {
  /** Prefix for everything global on the host: bridge `<instance>0`, nftables table, cgroup `/<instance>`. BERTH_INSTANCE, default `berth`. */
  instance: string
  /** Durable state. BERTH_DATA, default /var/lib/berth. */
  dataRoot: string
  /** Sockets and volatile state. BERTH_RUN, default /run/berth. */
  runRoot: string
  /** mTLS port for dashboards. BERTH_AGENT_PORT, default 7443. */
  port: number
  /** Address to listen on. BERTH_AGENT_HOST, default 0.0.0.0 (and nothing is listened on before the host is enrolled). */
  host: string
  /** Engine API socket, `$BERTH_RUN/docker.sock`. */
  dockerSocket: string
  /** Group that may use it (`docker` if it exists), mode 0660. BERTH_SOCKET_GROUP. */
  dockerSocketGroup: string
  /** BERTH_REGISTRY_MIRRORS, comma separated URLs, tried before Docker Hub. */
  registryMirrors: string[]
  /** BERTH_INSECURE_REGISTRIES, comma separated host[:port] or CIDR; loopback is always in. */
  insecureRegistries: string[]
  /** Directory of the native programs. BERTH_NATIVE, default native/build/bin beside the agent. */
  nativeDir: string
  /** Another OCI runtime instead of berth-runtime. BERTH_RUNTIME. */
  runtimePath: string
  /** BERTH_LOG_LEVEL, default info. */
  logLevel: string
  /** Address pools for bridges; those that the host uses already are passed over. BERTH_ADDRESS_POOLS, `172.17.0.0/16:16,192.168.0.0/16:20` */
  addressPools: { base: string; size: number }[]
  /** What dashboards may never do on this host, whatever their user's role. File only, key `policy`, or BERTH_POLICY=read-only,no-exec,host-console,no-privileged. */
  policy: { readOnly: boolean; noExec: boolean; noHostConsole: boolean; noPrivileged: boolean; bindSources: string[] | null }
  /** Default log options for containers. BERTH_LOG_MAX_SIZE (bytes, 0 = no rotation), BERTH_LOG_MAX_FILES. */
  logMaxSizeBytes: number
  logMaxFiles: number
  /** BERTH_METRICS_PORT: also serve /metrics and /healthz on this loopback port without a certificate; 0 = only under mTLS and on the unix socket. */
  metricsPort: number
}

/** Docker's own default pools. */
const defaultPools =
  '172.17.0.0/16:16,172.18.0.0/16:16,172.19.0.0/16:16,172.20.0.0/14:16,172.24.0.0/14:16,172.28.0.0/14:16,192.168.0.0/16:20'

/** What the kernel takes as a unix socket's path (unix(7): 108 bytes with the final NUL). */
const longestSocketPath = 107
/** The longest that is put below the run root: `/tasks/`, 32 characters of an id, `/attach.sock`. */
const longestRunRoot = longestSocketPath - 51

const poolPattern = /^(\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}):(\d{1,2})$/
const file = z.strictObject({
  instance: z.string().optional(),
  dataRoot: z.string().optional(),
  runRoot: z.string().optional(),
  port: z.number().optional(),
  host: z.string().optional(),
  dockerSocket: z.string().optional(),
  dockerSocketGroup: z.string().optional(),
  registryMirrors: z.array(z.string()).optional(),
  insecureRegistries: z.array(z.string()).optional(),
  nativeDir: z.string().optional(),
  runtimePath: z.string().optional(),
  logLevel: z.string().optional(),
  addressPools: z.array(z.object({ base: z.string(), size: z.number().int() })).optional(),
  // Strict: a misspelt word would be a wall that is not there.
  policy: z.strictObject(hostPolicy.partial().shape).optional(),
  logMaxSizeBytes: z.number().int().min(0).optional(),
  logMaxFiles: z.number().int().min(1).optional(),
  metricsPort: z.number().optional(),
})

/**
 * Reads the configuration. @throws EngineError `invalid_argument` naming the setting and what it must be
 * @param env the process's environment
 */
export function loadConfig(env: NodeJS.ProcessEnv): AgentConfig {
  const given = readConfigFile(env.BERTH_CONFIG)
  const runRoot = absolute('BERTH_RUN', env.BERTH_RUN ?? given.runRoot ?? '/run/berth')
  if (Buffer.byteLength(runRoot) > longestRunRoot)
    throw bad('BERTH_RUN', runRoot, `at most ${longestRunRoot} bytes long, because the paths of sockets below it are limited`)
  const instance = env.BERTH_INSTANCE ?? given.instance ?? 'berth'
  if (!/^[a-z][a-z0-9]{0,9}$/.test(instance))
    throw bad('BERTH_INSTANCE', instance, 'at most ten lower-case letters and digits, beginning with a letter (it names a bridge device)')
  return {
    instance,
    dataRoot: absolute('BERTH_DATA', env.BERTH_DATA ?? given.dataRoot ?? '/var/lib/berth'),
    runRoot,
    port: port('BERTH_AGENT_PORT', env.BERTH_AGENT_PORT ?? given.port ?? 7443),
    host: env.BERTH_AGENT_HOST ?? given.host ?? '0.0.0.0',
    dockerSocket: socketPath('BERTH_DOCKER_SOCKET', env.BERTH_DOCKER_SOCKET ?? given.dockerSocket ?? join(runRoot, 'docker.sock')),
    dockerSocketGroup: env.BERTH_SOCKET_GROUP ?? given.dockerSocketGroup ?? 'docker',
    registryMirrors: listOf(env.BERTH_REGISTRY_MIRRORS) ?? given.registryMirrors ?? [],
    insecureRegistries: listOf(env.BERTH_INSECURE_REGISTRIES) ?? given.insecureRegistries ?? [],
    nativeDir: absolute('BERTH_NATIVE', env.BERTH_NATIVE ?? given.nativeDir ?? nativeBesideAgent()),
    runtimePath: env.BERTH_RUNTIME ?? given.runtimePath ?? '',
    logLevel: logLevel(env.BERTH_LOG_LEVEL ?? given.logLevel ?? 'info'),
    addressPools: pools(
      env.BERTH_ADDRESS_POOLS ?? given.addressPools?.map(({ base, size }) => `${base}:${size}`).join(',') ?? defaultPools,
    ),
    policy: policy(env.BERTH_POLICY, given.policy),
    logMaxSizeBytes: whole('BERTH_LOG_MAX_SIZE', env.BERTH_LOG_MAX_SIZE ?? given.logMaxSizeBytes ?? 64 * 1024 * 1024, 0),
    logMaxFiles: whole('BERTH_LOG_MAX_FILES', env.BERTH_LOG_MAX_FILES ?? given.logMaxFiles ?? 4, 1),
    metricsPort: port('BERTH_METRICS_PORT', env.BERTH_METRICS_PORT ?? given.metricsPort ?? 0, 0),
  }
}

function readConfigFile(named: string | undefined): z.infer<typeof file> {
  const path = named ?? '/etc/berth/agent.json'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && named === undefined) return {}
    throw new EngineError('invalid_argument', `cannot read the configuration file ${path}: ${(error as Error).message}`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new EngineError('invalid_argument', `${path} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  const parsed = file.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new EngineError('invalid_argument', `${path}: ${issue?.path.map(String).join('.') || 'the document'}: ${issue?.message}`)
}

/** The native programs of this checkout or package: the nearest `native/build/bin` above this file (which may be a source, the bundle, or a chunk of it). */
function nativeBesideAgent(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  for (; directory !== '/'; directory = dirname(directory)) {
    const candidate = join(directory, 'native/build/bin')
    if (existsSync(candidate)) return candidate
  }
  return '/usr/lib/berth'
}

function bad(name: string, value: unknown, rule: string): EngineError {
  return new EngineError('invalid_argument', `${name} is "${value}" but must be ${rule}`)
}

function absolute(name: string, value: string): string {
  if (!value.startsWith('/')) throw bad(name, value, 'an absolute path')
  return resolve(value)
}

function socketPath(name: string, value: string): string {
  const path = absolute(name, value)
  if (Buffer.byteLength(path) > longestSocketPath) throw bad(name, value, `at most ${longestSocketPath} bytes long, as every socket's path`)
  return path
}

function whole(name: string, value: string | number, least: number): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < least) throw bad(name, value, `a whole number of at least ${least}`)
  return number
}

function port(name: string, value: string | number, least = 1): number {
  const number = whole(name, value, least)
  if (number > 65535) throw bad(name, value, 'a TCP port')
  return number
}

function listOf(value: string | undefined): string[] | undefined {
  return value
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function logLevel(value: string): string {
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
  if (!levels.includes(value)) throw bad('BERTH_LOG_LEVEL', value, `one of ${levels.join(' ')}`)
  return value
}

function pools(value: string): { base: string; size: number }[] {
  const parts = listOf(value) ?? []
  if (parts.length === 0) throw bad('BERTH_ADDRESS_POOLS', value, 'one pool or more, like 172.20.0.0/14:16')
  return parts.map((part) => {
    const match = poolPattern.exec(part)
    const [base, size] = [match?.[1] ?? '', Number(match?.[2])]
    const [address = '', prefix] = base.split('/')
    if (!match || !isIPv4(address) || Number(prefix) > size || size > 30)
      throw bad('BERTH_ADDRESS_POOLS', part, 'like 172.20.0.0/14:16 (base, then the size of each network cut from it, at most 30)')
    return { base, size }
  })
}

function policy(words: string | undefined, given: Partial<AgentConfig['policy']> | undefined): AgentConfig['policy'] {
  const result = hostPolicy.parse(given ?? {})
  for (const source of result.bindSources ?? []) absolute('policy.bindSources', source)
  for (const word of listOf(words) ?? []) {
    if (word === 'read-only') result.readOnly = true
    else if (word === 'no-exec') result.noExec = true
    else if (word === 'no-host-console') result.noHostConsole = true
    else if (word === 'host-console') result.noHostConsole = false
    else if (word === 'no-privileged') result.noPrivileged = true
    else throw bad('BERTH_POLICY', word, 'a list of read-only, no-exec, no-host-console, host-console, no-privileged')
  }
  return result
}
