import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readAgentVersion } from './agent-version.ts'
import { loadConfig } from './config.ts'
import { EngineError, messageOf } from './errors.ts'

/** The commands of `berth-agent`. What each needs is loaded when it is called, so that `--help` costs nothing and an idle agent holds no enrolment code. */
const help = `Usage: berth-agent [COMMAND]

Berth's agent: the container engine of one Linux host. Must be root.

Commands:
  serve     run in the foreground until SIGTERM or Ctrl-C (default); containers keep running afterwards
  join URL --token TOKEN --fingerprint FINGERPRINT [--address HOST]
            make this host known to the dashboard at URL; copy the command from "Add a host" there.
            --address: where the dashboard shall dial, if not the address this request comes from
  check     say what this machine lacks for running containers, and end

Options:
  --help     show this
  --version  show the version

Settings come from the environment or from /etc/berth/agent.json (BERTH_CONFIG names another file):
  BERTH_DATA           durable state                                /var/lib/berth
  BERTH_RUN            sockets and volatile state                   /run/berth
  BERTH_INSTANCE       prefix of bridge, nftables table, cgroup     berth
  BERTH_AGENT_PORT     port for the dashboard (mutual TLS)          7443
  BERTH_AGENT_HOST     address it listens on                        0.0.0.0
  BERTH_DOCKER_SOCKET  Docker Engine API                            $BERTH_RUN/docker.sock
  BERTH_SOCKET_GROUP   group that may use it                        docker
  BERTH_LOG_LEVEL      fatal error warn info debug trace            info
  BERTH_POLICY         read-only,no-exec,no-privileged,host-console
  BERTH_METRICS_PORT   /metrics and /healthz on loopback            off
  BERTH_REGISTRY_MIRRORS, BERTH_INSECURE_REGISTRIES, BERTH_ADDRESS_POOLS, BERTH_RUNTIME, BERTH_NATIVE, BERTH_LOG_MAX_SIZE, BERTH_LOG_MAX_FILES

Docker clients: export DOCKER_HOST=unix:///run/berth/docker.sock
`

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
      token: { type: 'string' },
      fingerprint: { type: 'string' },
      address: { type: 'string' },
    },
  })
  if (values.help) return void process.stdout.write(help)
  if (values.version) return void process.stdout.write(`berth-agent ${readAgentVersion()}\n`)
  const [command = 'serve', ...rest] = positionals
  if (command === 'serve' && rest.length === 0) return serve()
  if (command === 'check' && rest.length === 0) return check()
  if (command === 'join' && rest.length === 1) return joinDashboard(rest[0] as string, values)
  if (command === 'join')
    throw new EngineError(
      'invalid_argument',
      'join needs one URL, --token and --fingerprint; copy the whole command from "Add a host" in the dashboard',
    )
  if (command === 'serve' || command === 'check')
    throw new EngineError(
      'invalid_argument',
      `${command} takes no "${rest.join(' ')}"; its settings are in the environment, berth-agent --help lists them`,
    )
  throw new EngineError('invalid_argument', `unknown command "${command}"; berth-agent --help lists them`)
}

async function serve(): Promise<void> {
  const config = loadConfig(process.env)
  const missing = missingFeatures(config)
  if (missing.length) throw new EngineError('failed_precondition', `this machine cannot run containers yet:\n  - ${missing.join('\n  - ')}`)
  const { createLogger } = await import('./log.ts')
  const log = createLogger(config.logLevel)
  const { openAgent } = await import('./serve.ts')
  const agent = await openAgent(config, log)
  let ending = false
  const end = (signal: string) => {
    if (ending) return
    ending = true
    log.info({ signal }, 'shutting down; containers keep running')
    // Nothing that hangs may keep the agent: whatever is not written by then is found again at the next start.
    setTimeout(() => process.exit(1), 10_000).unref()
    agent.close().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, 'shutting down failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  // The terminal or supervisor that reads our log may go; that is no reason to end.
  process.on('SIGHUP', () => {})
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise was rejected and nobody listened'))
}

function check(): void {
  const missing = missingFeatures(loadConfig(process.env))
  if (missing.length) throw new EngineError('failed_precondition', `this machine cannot run containers yet:\n  - ${missing.join('\n  - ')}`)
  process.stdout.write('This machine has everything that containers need.\n')
}

async function joinDashboard(
  url: string,
  { token, fingerprint, address }: { token?: string; fingerprint?: string; address?: string },
): Promise<void> {
  if (!token || !fingerprint)
    throw new EngineError('invalid_argument', 'join needs --token and --fingerprint; copy the command from the dashboard')
  if (!URL.canParse(url)) throw new EngineError('invalid_argument', `"${url}" is no URL; it looks like https://dashboard.example:3000`)
  requireRoot()
  const config = loadConfig(process.env)
  const { join } = await import('./api/join.ts')
  const { readEngineId } = await import('./engine-id.ts')
  const engineId = readEngineId(config.dataRoot)
  const { hostId, authority } = await join(config, { url, token, fingerprint, address, engineId, agentVersion: readAgentVersion() })
  const { fingerprintOf } = await import('./api/identity.ts')
  process.stdout.write(`This host is now "${hostId}" at ${url} (authority ${fingerprintOf(authority)}).\n`)
  const { askReload } = await import('./api/reload.ts')
  const running = await askReload(config.runRoot)
  process.stdout.write(
    running ? `The running agent listens on port ${config.port} now.\n` : 'Start the agent to serve it: berth-agent serve\n',
  )
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new EngineError(
      'permission_denied',
      'berth-agent must be root: namespaces, mounts and cgroups need it. Run it with sudo, or as a system service',
    )
}

/** What this machine lacks, each with what to do about it. */
function missingFeatures(config: { nativeDir: string; runtimePath: string }): string[] {
  requireRoot()
  const missing: string[] = []
  for (const name of ['ipc', 'mnt', 'net', 'pid', 'user', 'uts', 'cgroup'])
    if (!existsSync(`/proc/self/ns/${name}`))
      missing.push(`the kernel has no ${name} namespaces; use a kernel built with CONFIG_NAMESPACES`)
  if (!/\boverlay\b/.test(readFileSync('/proc/filesystems', 'utf8')))
    missing.push('the kernel has no overlay file system loaded; run: modprobe overlay')
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers') && !existsSync('/sys/fs/cgroup/memory'))
    missing.push('cgroups are not mounted; run: mount -t cgroup2 none /sys/fs/cgroup')
  for (const program of ['berth-monitor', 'berth-unpack', 'berth-init', ...(config.runtimePath ? [] : ['berth-runtime'])])
    if (!executable(`${config.nativeDir}/${program}`))
      missing.push(`the native program ${config.nativeDir}/${program} is not there; run: make -C native`)
  if (config.runtimePath && !executable(config.runtimePath)) missing.push(`BERTH_RUNTIME ${config.runtimePath} cannot be run`)
  for (const [program, packageName] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ] as const)
    if (!['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((directory) => executable(`${directory}/${program}`)))
      missing.push(`the program ${program} is not installed; install the package ${packageName}`)
  return missing
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const usage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  // Node goes on with advice for the authors of programs.
  const words = usage ? messageOf(error).split('. ')[0] : messageOf(error)
  process.stderr.write(`berth-agent: ${words}${usage ? '; berth-agent --help lists the options' : ''}\n`)
  // Where the kernel's own word is the reason, the place in the program is of no use to anybody.
  if (!(error instanceof EngineError) && !usage && !(error as NodeJS.ErrnoException)?.syscall)
    process.stderr.write(`${(error as Error)?.stack ?? ''}\n`)
  process.exit(usage ? 2 : 1)
})
