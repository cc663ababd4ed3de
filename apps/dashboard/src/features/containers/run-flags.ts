import { type ContainerOptions, containerOptions, type Limits } from '@berth/contract/container'
import { quoteWord } from '../../ui/shell-words'
import { readDecimal, readDuration, readPair, readSize, readWhole, writeDuration, writePair, writeSize } from './flag-values'
import { type Argument, parseMount, parsePorts, parseVolume, writeMount, writeNetworks, writePort } from './run-places'

/**
 * Every option of `docker run` in one table: what reads it into the contract's options, what writes it back, and which option a complaint of the schema
 * about it names. parse-run-command.ts, run-command.ts and the create form all work by this table, so what one of them knows, all know. It is long because it is one table.
 */

/** What is gathered while flags are read one by one; networks and health are put together at the end. */
export interface Draft {
  name?: string
  pull: 'always' | 'missing' | 'never'
  options: ContainerOptions
  aliases: string[]
  ip4?: string
  ip6?: string
  linkLocal: string[]
  networks: string[]
  health: {
    cmd?: string
    none?: boolean
    intervalMs?: number
    timeoutMs?: number
    startPeriodMs?: number
    startIntervalMs?: number
    retries?: number
  }
  ignored: string[]
}

/** What is written: complete options, or (for `docker update`) some limits alone. */
export type Writable = Omit<ContainerOptions, 'limits'> & { limits: Partial<Limits> }

export interface RunFlag {
  /** Without its dashes. It is the form's field name too. */
  name: string
  short?: string
  also?: readonly string[]
  /** Takes no value. */
  flip?: boolean
  /** The option that a complaint of the schema would name. */
  path?: string
  /** @throws Error one sentence that names the flag */
  read: (draft: Draft, value: string) => void
  write: (options: Writable) => Argument[]
}

type KeysOf<O, T> = { [K in keyof O]-?: O[K] extends T ? (T extends O[K] ? K : never) : never }[keyof O]
type More = Partial<Pick<RunFlag, 'short' | 'also'>>

const text = (name: string, key: KeysOf<ContainerOptions, string> & keyof ContainerOptions, more: More = {}): RunFlag => ({
  ...more,
  name,
  path: key,
  read: ({ options }, value) => {
    options[key] = value
  },
  write: (options) => (options[key] ? [[name, options[key]]] : []),
})
const list = (name: string, key: KeysOf<ContainerOptions, string[]>, more: More = {}): RunFlag => ({
  ...more,
  name,
  path: key,
  read: ({ options }, value) => options[key].push(value),
  write: (options) => options[key].map((value): Argument => [name, value]),
})
const record = (name: string, key: KeysOf<ContainerOptions, Record<string, string>>, more: More = {}): RunFlag => ({
  ...more,
  name,
  path: key,
  read: ({ options }, value) => {
    const [word, rest] = readPair(value)
    options[key][word] = rest
  },
  write: (options) => Object.entries(options[key]).map(([word, rest]): Argument => [name, writePair(word, rest)]),
})
const flip = (name: string, key: KeysOf<ContainerOptions, boolean>, more: More = {}): RunFlag => ({
  ...more,
  name,
  flip: true,
  path: key,
  read: ({ options }) => {
    options[key] = true
  },
  write: (options) => (options[key] ? [[name]] : []),
})
const limitSize = (name: string, key: KeysOf<Limits, number>, more: More = {}): RunFlag => ({
  ...more,
  name,
  path: `limits.${key}`,
  read: ({ options }, value) => {
    options.limits[key] = readSize(name, value)
  },
  write: ({ limits }) => (limits[key] ? [[name, limits[key] < 0 ? '-1' : writeSize(limits[key])]] : []),
})
const limitWhole = (name: string, key: KeysOf<Limits, number>, more: More = {}): RunFlag => ({
  ...more,
  name,
  path: `limits.${key}`,
  read: ({ options }, value) => {
    options.limits[key] = readWhole(name, value)
  },
  write: ({ limits }) => (limits[key] ? [[name, `${limits[key]}`]] : []),
})
const limitText = (name: string, key: KeysOf<Limits, string>): RunFlag => ({
  name,
  path: `limits.${key}`,
  read: ({ options }, value) => {
    options.limits[key] = value
  },
  write: ({ limits }) => (limits[key] ? [[name, limits[key]]] : []),
})
const rate = (name: string, key: KeysOf<Limits, { path: string; rate: number }[]>): RunFlag => {
  const inBytes = name.endsWith('bps')
  return {
    name,
    path: `limits.${key}`,
    read: ({ options }, value) => {
      const [path, amount] = deviceAnd(name, value, 'RATE')
      options.limits[key].push({ path, rate: inBytes ? readSize(name, amount) : readWhole(name, amount) })
    },
    write: ({ limits }) =>
      (limits[key] ?? []).map((device): Argument => [name, `${device.path}:${inBytes ? writeSize(device.rate) : device.rate}`]),
  }
}
const healthTime = (name: string, key: 'intervalMs' | 'timeoutMs' | 'startPeriodMs' | 'startIntervalMs'): RunFlag => ({
  name,
  path: `healthcheck.${key}`,
  read: ({ health }, value) => {
    health[key] = readDuration(name, value)
  },
  write: ({ healthcheck }) => (checked(healthcheck) && healthcheck?.[key] ? [[name, writeDuration(healthcheck[key])]] : []),
})

function deviceAnd(flag: string, value: string, what: string): [string, string] {
  const at = value.lastIndexOf(':')
  if (at < 1) throw new Error(`--${flag}: "${value}" must be DEVICE:${what}`)
  return [value.slice(0, at), value.slice(at + 1)]
}
/** Whether there is a check; `--no-healthcheck` and times do not go together. */
const checked = (health: ContainerOptions['healthcheck']) => health !== null && health.test[0] !== 'NONE'
const firstEndpoint = (options: Pick<Writable, 'networkMode' | 'networks'>) => options.networks[options.networkMode || 'bridge']

/** Who it is and how it runs. */
const identity: readonly RunFlag[] = [
  {
    name: 'name',
    read: (draft, value) => {
      draft.name = value
    },
    write: () => [],
  },
  {
    name: 'pull',
    read: (draft, value) => {
      if (value !== 'always' && value !== 'missing' && value !== 'never')
        throw new Error(`--pull: "${value}" is not known; use always, missing or never`)
      draft.pull = value
    },
    write: () => [],
  },
  flip('interactive', 'openStdin', { short: 'i' }),
  flip('tty', 'terminal', { short: 't' }),
  flip('rm', 'autoRemove'),
  {
    name: 'restart',
    path: 'restart',
    read: ({ options }, value) => {
      const [name = '', retries = '0'] = value.split(':')
      if (name !== 'no' && name !== 'always' && name !== 'unless-stopped' && name !== 'on-failure')
        throw new Error(`--restart: "${value}" is not known; use no, always, unless-stopped or on-failure[:N]`)
      options.restart = { name, maximumRetryCount: readWhole('restart', retries) }
    },
    write: ({ restart }) => (restart.name === 'no' ? [] : [['restart', writeRestart(restart)]]),
  },
  {
    name: 'platform',
    path: 'platform',
    read: ({ options }, value) => {
      options.platform = value
    },
    write: ({ platform }) => (platform ? [['platform', platform]] : []),
  },
  text('hostname', 'hostname', { short: 'h' }),
  text('domainname', 'domainname'),
  text('user', 'user', { short: 'u' }),
  text('workdir', 'workingDir', { short: 'w' }),
  list('env', 'env', { short: 'e' }),
  record('label', 'labels', { short: 'l' }),
  {
    name: 'entrypoint',
    path: 'entrypoint',
    read: ({ options }, value) => {
      options.entrypoint = value === '' ? [] : [value]
    },
    write: ({ entrypoint }) => (entrypoint ? [['entrypoint', entrypoint[0] ?? '']] : []),
  },
  text('stop-signal', 'stopSignal'),
  {
    name: 'stop-timeout',
    path: 'stopTimeoutSeconds',
    read: ({ options }, value) => {
      options.stopTimeoutSeconds = readWhole('stop-timeout', value)
    },
    write: ({ stopTimeoutSeconds }) => (stopTimeoutSeconds === null ? [] : [['stop-timeout', `${stopTimeoutSeconds}`]]),
  },
  {
    name: 'init',
    flip: true,
    path: 'init',
    read: ({ options }, value) => {
      options.init = value !== 'false'
    },
    write: ({ init }) => (init === null ? [] : init ? [['init']] : [['init', 'false']]),
  },
  flip('read-only', 'readOnlyRootfs'),
  {
    name: 'log-driver',
    path: 'log.driver',
    read: ({ options }, value) => {
      if (value !== 'json-file' && value !== 'local' && value !== 'none')
        throw new Error(`--log-driver: "${value}" is not there; use json-file, local or none`)
      options.log.driver = value
    },
    write: ({ log }) => (log.driver ? [['log-driver', log.driver]] : []),
  },
  {
    name: 'log-opt',
    path: 'log.options',
    read: ({ options }, value) => {
      const [key, word] = readPair(value)
      options.log.options[key] = word
    },
    write: ({ log }) => Object.entries(log.options).map(([key, word]): Argument => ['log-opt', writePair(key, word)]),
  },
]

/** What `docker update` changes too. */
export const limitFlags: readonly RunFlag[] = [
  limitSize('memory', 'memoryBytes', { short: 'm' }),
  limitSize('memory-swap', 'memorySwapBytes'),
  limitSize('memory-reservation', 'memoryReservationBytes'),
  {
    name: 'memory-swappiness',
    path: 'limits.memorySwappiness',
    read: ({ options }, value) => {
      options.limits.memorySwappiness = readWhole('memory-swappiness', value)
    },
    write: ({ limits: { memorySwappiness: value } }) =>
      value === null || value === undefined || value < 0 ? [] : [['memory-swappiness', `${value}`]],
  },
  limitSize('kernel-memory', 'kernelMemoryBytes'),
  {
    name: 'oom-kill-disable',
    flip: true,
    path: 'limits.oomKillDisable',
    read: ({ options }) => {
      options.limits.oomKillDisable = true
    },
    write: ({ limits }) => (limits.oomKillDisable ? [['oom-kill-disable']] : []),
  },
  {
    name: 'cpus',
    path: 'limits.nanoCpus',
    read: ({ options }, value) => {
      options.limits.nanoCpus = Math.round(readDecimal('cpus', value) * 1e9)
    },
    write: ({ limits }) => (limits.nanoCpus ? [['cpus', `${limits.nanoCpus / 1e9}`]] : []),
  },
  limitWhole('cpu-shares', 'cpuShares', { short: 'c' }),
  limitWhole('cpu-period', 'cpuPeriodUs'),
  limitWhole('cpu-quota', 'cpuQuotaUs'),
  limitWhole('cpu-rt-period', 'cpuRealtimePeriodUs'),
  limitWhole('cpu-rt-runtime', 'cpuRealtimeRuntimeUs'),
  limitText('cpuset-cpus', 'cpusetCpus'),
  limitText('cpuset-mems', 'cpusetMems'),
  limitWhole('blkio-weight', 'blkioWeight'),
  {
    name: 'blkio-weight-device',
    path: 'limits.blkioWeightDevice',
    read: ({ options }, value) => {
      const [path, weight] = deviceAnd('blkio-weight-device', value, 'WEIGHT')
      options.limits.blkioWeightDevice.push({ path, weight: readWhole('blkio-weight-device', weight) })
    },
    write: ({ limits }) =>
      (limits.blkioWeightDevice ?? []).map(({ path, weight }): Argument => ['blkio-weight-device', `${path}:${weight}`]),
  },
  rate('device-read-bps', 'deviceReadBps'),
  rate('device-write-bps', 'deviceWriteBps'),
  rate('device-read-iops', 'deviceReadIops'),
  rate('device-write-iops', 'deviceWriteIops'),
  {
    name: 'pids-limit',
    path: 'limits.pidsLimit',
    read: ({ options }, value) => {
      options.limits.pidsLimit = readWhole('pids-limit', value)
    },
    write: ({ limits }) => (limits.pidsLimit ? [['pids-limit', `${limits.pidsLimit}`]] : []),
  },
]

const network: readonly RunFlag[] = [
  {
    name: 'network',
    also: ['net'],
    path: 'networks',
    read: (draft, value) => draft.networks.push(value),
    write: writeNetworks,
  },
  {
    name: 'network-alias',
    also: ['net-alias'],
    read: (draft, value) => draft.aliases.push(value),
    write: (options) => (firstEndpoint(options)?.aliases ?? []).map((alias): Argument => ['network-alias', alias]),
  },
  {
    name: 'ip',
    read: (draft, value) => {
      draft.ip4 = value
    },
    write: (options) => (firstEndpoint(options)?.ipv4 ? [['ip', firstEndpoint(options)?.ipv4]] : []),
  },
  {
    name: 'ip6',
    read: (draft, value) => {
      draft.ip6 = value
    },
    write: (options) => (firstEndpoint(options)?.ipv6 ? [['ip6', firstEndpoint(options)?.ipv6]] : []),
  },
  {
    name: 'link-local-ip',
    read: (draft, value) => draft.linkLocal.push(value),
    write: (options) => (firstEndpoint(options)?.linkLocal ?? []).map((ip): Argument => ['link-local-ip', ip]),
  },
  {
    ...text('mac-address', 'macAddress'),
    write: (options) => {
      const mac = options.macAddress || firstEndpoint(options)?.mac
      return mac ? [['mac-address', mac]] : []
    },
  },
  flip('publish-all', 'publishAll', { short: 'P' }),
  {
    name: 'publish',
    short: 'p',
    path: 'ports',
    read: ({ options }, value) => options.ports.push(...parsePorts(value)),
    write: ({ ports }) => ports.map((port): Argument => ['publish', writePort(port)]),
  },
  list('expose', 'exposedPorts'),
  list('dns', 'dns'),
  list('dns-search', 'dnsSearch'),
  list('dns-option', 'dnsOptions', { also: ['dns-opt'] }),
  list('add-host', 'extraHosts'),
  list('link', 'links'),
]

const storage: readonly RunFlag[] = [
  {
    // Both spellings of a mount are written here, so that their order is kept.
    name: 'volume',
    short: 'v',
    path: 'mounts',
    read: ({ options }, value) => options.mounts.push(parseVolume(value)),
    write: ({ mounts }) => mounts.map(writeMount),
  },
  { name: 'mount', path: 'mounts', read: ({ options }, value) => options.mounts.push(parseMount(value)), write: () => [] },
  list('volumes-from', 'volumesFrom'),
  {
    name: 'tmpfs',
    path: 'tmpfs',
    read: ({ options }, value) => {
      const at = value.indexOf(':')
      const path = at < 0 ? value : value.slice(0, at)
      if (!path.startsWith('/')) throw new Error(`--tmpfs: the path in the container must be absolute: "${path}"`)
      options.tmpfs[path] = at < 0 ? '' : value.slice(at + 1)
    },
    write: ({ tmpfs }) => Object.entries(tmpfs).map(([path, words]): Argument => ['tmpfs', words ? `${path}:${words}` : path]),
  },
  {
    name: 'shm-size',
    path: 'shmSizeBytes',
    read: ({ options }, value) => {
      options.shmSizeBytes = readSize('shm-size', value)
    },
    write: ({ shmSizeBytes }) => (shmSizeBytes ? [['shm-size', writeSize(shmSizeBytes)]] : []),
  },
  record('storage-opt', 'storageOptions'),
]

const health: readonly RunFlag[] = [
  {
    name: 'no-healthcheck',
    flip: true,
    read: (draft) => {
      draft.health.none = true
    },
    write: ({ healthcheck }) => (healthcheck?.test[0] === 'NONE' ? [['no-healthcheck']] : []),
  },
  {
    name: 'health-cmd',
    path: 'healthcheck.test',
    read: (draft, value) => {
      draft.health.cmd = value
    },
    write: ({ healthcheck }) => {
      const [kind, ...words] = healthcheck?.test ?? []
      if (!kind || kind === 'NONE') return []
      return [['health-cmd', kind === 'CMD' ? words.map(quoteWord).join(' ') : words.join(' ')]]
    },
  },
  healthTime('health-interval', 'intervalMs'),
  healthTime('health-timeout', 'timeoutMs'),
  healthTime('health-start-period', 'startPeriodMs'),
  healthTime('health-start-interval', 'startIntervalMs'),
  {
    name: 'health-retries',
    path: 'healthcheck.retries',
    read: (draft, value) => {
      draft.health.retries = readWhole('health-retries', value)
    },
    write: ({ healthcheck }) => (checked(healthcheck) && healthcheck?.retries ? [['health-retries', `${healthcheck.retries}`]] : []),
  },
]

const security: readonly RunFlag[] = [
  flip('privileged', 'privileged'),
  list('cap-add', 'capAdd'),
  list('cap-drop', 'capDrop'),
  list('security-opt', 'securityOpt'),
  {
    name: 'device',
    path: 'devices',
    read: ({ options }, value) => {
      const parts = value.split(':')
      const permissions = parts.length > 1 && /^[rwm]+$/.test(parts.at(-1) as string) ? (parts.pop() as string) : 'rwm'
      const [hostPath = '', containerPath = hostPath, ...rest] = parts
      if (!hostPath.startsWith('/') || rest.length > 0)
        throw new Error(`--device: "${value}" is not a device; write /dev/fuse or /dev/sda:/dev/xvda:r`)
      options.devices.push({ hostPath, containerPath, permissions })
    },
    write: ({ devices }) =>
      devices.map(({ hostPath, containerPath, permissions }): Argument => {
        const rights = permissions === 'rwm' ? '' : `:${permissions}`
        return ['device', `${hostPath}${containerPath === hostPath && !rights ? '' : `:${containerPath}`}${rights}`]
      }),
  },
  list('device-cgroup-rule', 'deviceCgroupRules'),
  {
    name: 'gpus',
    path: 'deviceRequests',
    read: ({ options }, value) => {
      const deviceIds = value.startsWith('device=') ? value.slice(7).split(',') : []
      const count = deviceIds.length ? 0 : value === 'all' ? -1 : readWhole('gpus', value.replace(/^count=/, ''))
      options.deviceRequests.push({ driver: '', count, deviceIds, capabilities: [['gpu']], options: {} })
    },
    write: ({ deviceRequests }) =>
      deviceRequests.map(
        ({ count, deviceIds }): Argument => ['gpus', count < 0 ? 'all' : deviceIds.length ? `device=${deviceIds.join()}` : `${count}`],
      ),
  },
  list('group-add', 'groupAdd'),
  {
    name: 'ulimit',
    path: 'ulimits',
    read: ({ options }, value) => {
      const [name, word] = readPair(value)
      const [soft = '', hard = soft] = word.split(':')
      options.ulimits.push({ name, soft: readWhole('ulimit', soft), hard: readWhole('ulimit', hard) })
    },
    write: ({ ulimits }) =>
      ulimits.map(({ name, soft, hard }): Argument => ['ulimit', `${name}=${soft}${hard === soft ? '' : `:${hard}`}`]),
  },
  record('sysctl', 'sysctls'),
  text('pid', 'pidMode'),
  text('ipc', 'ipcMode'),
  text('uts', 'utsMode'),
  text('userns', 'usernsMode'),
  text('cgroupns', 'cgroupnsMode'),
  text('cgroup-parent', 'cgroupParent'),
  {
    name: 'oom-score-adj',
    path: 'oomScoreAdj',
    read: ({ options }, value) => {
      options.oomScoreAdj = readWhole('oom-score-adj', value)
    },
    write: ({ oomScoreAdj }) => (oomScoreAdj ? [['oom-score-adj', `${oomScoreAdj}`]] : []),
  },
  record('annotation', 'annotations'),
  text('runtime', 'runtime'),
]

/** In the order in which they are written. */
export const runFlags: readonly RunFlag[] = [...identity, ...limitFlags, ...network, ...storage, ...health, ...security]

/** Flags that take a value which means nothing in a browser. */
export const idleValued = new Set(['attach', 'detach-keys', 'cidfile', 'env-file', 'label-file', 'isolation'])
/** Switches that mean nothing in a browser. */
export const idleSwitches = new Set(['detach', 'sig-proxy', 'quiet', 'disable-content-trust'])

const byName = new Map(runFlags.flatMap((flag) => [flag.name, ...(flag.also ?? [])].map((name) => [name, flag] as const)))
const byShort = new Map(runFlags.flatMap((flag) => (flag.short ? [[flag.short, flag.name] as const] : [])))
for (const [letter, name] of [
  ['a', 'attach'],
  ['d', 'detach'],
  ['q', 'quiet'],
] as const)
  byShort.set(letter, name)

export const flagNamed = (name: string): RunFlag | undefined => byName.get(name)
/** The long name of `-p`. */
export const longNameOf = (letter: string): string | undefined => byShort.get(letter)

/** The flag that a complaint of the schema at `path` is about. */
export function flagOfPath(path: readonly PropertyKey[]): RunFlag | undefined {
  const names = [path.slice(0, 2).join('.'), `${String(path[0])}`]
  return runFlags.find((flag) => flag.path === names[0]) ?? runFlags.find((flag) => flag.path === names[1])
}

/** `on-failure:3`. */
export function writeRestart({ name, maximumRetryCount }: ContainerOptions['restart']): string {
  return name === 'on-failure' && maximumRetryCount ? `${name}:${maximumRetryCount}` : name
}

/** Options with nothing asked for. */
export const blankOptions = (): ContainerOptions => containerOptions.parse({ image: 'x' })
