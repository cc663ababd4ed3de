import { type ContainerOptions, containerOptions, type Mount, mount, type PortBinding } from '@berth/contract/container'
import { splitWords } from './shell-words'

/** What a pasted line says. `ignored` names what has no meaning here (`-d`, `--sig-proxy`); nothing is left out in silence. */
export interface ParsedRun {
  name: string | undefined
  options: ContainerOptions
  pull: 'always' | 'missing' | 'never'
  ignored: string[]
}

interface Draft {
  name?: string
  pull: 'always' | 'missing' | 'never'
  options: ContainerOptions
  aliases: string[]
  ip4?: string
  ip6?: string
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
type Take = (draft: Draft, value: string) => void
type Set_ = (draft: Draft) => void

const sizeFlags = {
  memoryBytes: '--memory',
  memorySwapBytes: '--memory-swap',
  memoryReservationBytes: '--memory-reservation',
  kernelMemoryBytes: '--kernel-memory',
} as const
const units: Record<string, number> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

function bytes(flag: string, value: string): number {
  if (value === '-1') return -1
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(value)
  if (!match) throw new Error(`${flag}: "${value}" is not a size; write 512m or 2g`)
  return Math.round(Number(match[1]) * (units[(match[2] || 'b').toLowerCase()] as number))
}
function integer(flag: string, value: string): number {
  if (!/^-?\d+$/.test(value)) throw new Error(`${flag}: "${value}" is not a whole number`)
  return Number(value)
}
function decimal(flag: string, value: string): number {
  const number = Number(value)
  if (value === '' || Number.isNaN(number)) throw new Error(`${flag}: "${value}" is not a number`)
  return number
}
/** `1m30s`, `500ms`, `2h`. */
function milliseconds(flag: string, value: string): number {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== value)
    throw new Error(`${flag}: "${value}" is not a duration; write 30s or 1m30s`)
  const unit: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, ns: 0.000_001 }
  return Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * (unit[part[2] as string] as number), 0))
}
function pair(value: string): [string, string] {
  const at = value.indexOf('=')
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)]
}

/** `8080:80`, `127.0.0.1::80/udp`, `[::1]:8000-8010:80`, ranges on both sides. */
export function parsePorts(value: string): PortBinding[] {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(?:(\d*)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(value)
  if (!match) throw new Error(`-p: "${value}" is not a port; write 8080:80 or 127.0.0.1:8080:80/udp`)
  let [, ip = '', from = '', to, inside = '', insideEnd, protocol = 'tcp'] = match
  // `8080:80`: the first group took the host's port for an address.
  if (match[1] !== undefined && match[2] === undefined && /^\d*(-\d+)?$/.test(match[1])) {
    ip = ''
    const range = /^(\d*)(?:-(\d+))?$/.exec(match[1])
    from = range?.[1] ?? ''
    to = range?.[2]
  }
  const count = insideEnd ? Number(insideEnd) - Number(inside) + 1 : 1
  const hosts = to ? Number(to) - Number(from) + 1 : 1
  if (count < 1 || (count > 1 && from && hosts !== count)) throw new Error(`-p: the ranges of "${value}" are not equally long`)
  return Array.from({ length: count }, (_, index) => ({
    containerPort: Number(inside) + index,
    protocol: protocol as PortBinding['protocol'],
    hostIp: ip.replace(/^\[|\]$/g, ''),
    hostPort: from ? Number(from) + (count > 1 ? index : 0) : 0,
    ...(count === 1 && to ? { hostPortEnd: Number(to) } : {}),
  }))
}

/** `-v`: `name:/path`, `/host:/path:ro,rslave`, `/path`. */
export function parseVolume(value: string): Mount {
  const parts = value.split(':')
  if (parts.length > 3 || parts.some((part) => part === ''))
    throw new Error(`-v: "${value}" is not a volume; write name:/path or /host/path:/path:ro`)
  const [source, target] = parts.length === 1 ? ['', parts[0] as string] : [parts[0] as string, parts[1] as string]
  if (!target.startsWith('/')) throw new Error(`-v: the path in the container must be absolute: "${target}"`)
  const options = (parts[2] ?? '').split(',').filter(Boolean)
  const bind = source.startsWith('/') || source.startsWith('.') || source.startsWith('~')
  if (bind && !source.startsWith('/')) throw new Error(`-v: the host's path must be absolute here: "${source}"`)
  return mount.parse({
    type: bind ? 'bind' : 'volume',
    source,
    target,
    readOnly: options.includes('ro'),
    propagation: options.find((option) => /^r?(private|shared|slave)$/.test(option)) ?? '',
    createSource: bind,
    noCopy: options.includes('nocopy'),
    spelling: 'bind-string',
  })
}

/** `--mount type=…,source=…,target=…`. */
export function parseMount(value: string): Mount {
  const fields = value.split(',').map(pair)
  const get = (...names: string[]) => fields.find(([name]) => names.includes(name))?.[1]
  const flag = (...names: string[]) => fields.some(([name, word]) => names.includes(name) && word !== 'false' && word !== '0')
  const type = get('type') ?? 'volume'
  const target = get('target', 'dst', 'destination')
  if (!['bind', 'volume', 'tmpfs'].includes(type)) throw new Error(`--mount: type "${type}" is not known; use bind, volume or tmpfs`)
  if (!target) throw new Error(`--mount: "${value}" has no target`)
  const mode = get('tmpfs-mode')
  const many = (name: string) => Object.fromEntries(fields.filter(([key]) => key === name).map(([, word]) => pair(word)))
  return mount.parse({
    type,
    source: get('source', 'src') ?? '',
    target,
    readOnly: flag('readonly', 'ro'),
    propagation: get('bind-propagation') ?? '',
    nonRecursive: flag('bind-nonrecursive'),
    noCopy: flag('volume-nocopy'),
    volumeLabels: many('volume-label'),
    volumeOptions: many('volume-opt'),
    tmpfsSizeBytes: get('tmpfs-size') ? bytes('--mount tmpfs-size', get('tmpfs-size') as string) : 0,
    ...(mode ? { tmpfsMode: Number.parseInt(mode, 8) } : {}),
  })
}

const text =
  (
    key:
      | 'hostname'
      | 'domainname'
      | 'user'
      | 'workingDir'
      | 'stopSignal'
      | 'macAddress'
      | 'pidMode'
      | 'ipcMode'
      | 'utsMode'
      | 'usernsMode'
      | 'cgroupnsMode'
      | 'cgroupParent'
      | 'runtime',
  ): Take =>
  (draft, value) => {
    draft.options[key] = value
  }
const list =
  (
    key:
      | 'env'
      | 'exposedPorts'
      | 'volumesFrom'
      | 'dns'
      | 'dnsSearch'
      | 'dnsOptions'
      | 'extraHosts'
      | 'links'
      | 'capAdd'
      | 'capDrop'
      | 'securityOpt'
      | 'deviceCgroupRules'
      | 'groupAdd',
  ): Take =>
  (draft, value) => {
    draft.options[key].push(value)
  }
const record =
  (key: 'labels' | 'sysctls' | 'storageOptions' | 'annotations'): Take =>
  (draft, value) => {
    const [name, word] = pair(value)
    draft.options[key][name] = word
  }
const limit =
  (key: 'memoryBytes' | 'memorySwapBytes' | 'memoryReservationBytes' | 'kernelMemoryBytes'): Take =>
  (draft, value) => {
    draft.options.limits[key] = bytes(sizeFlags[key], value)
  }
const count =
  (
    flag: string,
    key:
      | 'cpuShares'
      | 'cpuPeriodUs'
      | 'cpuQuotaUs'
      | 'cpuRealtimePeriodUs'
      | 'cpuRealtimeRuntimeUs'
      | 'blkioWeight'
      | 'pidsLimit'
      | 'memorySwappiness',
  ): Take =>
  (draft, value) => {
    draft.options.limits[key] = integer(flag, value)
  }
const rate =
  (flag: string, key: 'deviceReadBps' | 'deviceWriteBps' | 'deviceReadIops' | 'deviceWriteIops'): Take =>
  (draft, value) => {
    const at = value.lastIndexOf(':')
    if (at < 0) throw new Error(`${flag}: "${value}" must be DEVICE:RATE`)
    draft.options.limits[key].push({
      path: value.slice(0, at),
      rate: flag.endsWith('bps') ? bytes(flag, value.slice(at + 1)) : integer(flag, value.slice(at + 1)),
    })
  }
const health =
  (flag: string, key: 'intervalMs' | 'timeoutMs' | 'startPeriodMs' | 'startIntervalMs'): Take =>
  (draft, value) => {
    draft.health[key] = milliseconds(flag, value)
  }

/** Long flags that take a value. */
const valued: Record<string, Take> = {
  name: (draft, value) => {
    draft.name = value
  },
  pull: (draft, value) => {
    if (value !== 'always' && value !== 'missing' && value !== 'never')
      throw new Error(`--pull: "${value}" is not known; use always, missing or never`)
    draft.pull = value
  },
  platform: (draft, value) => {
    draft.options.platform = value
  },
  hostname: text('hostname'),
  domainname: text('domainname'),
  user: text('user'),
  workdir: text('workingDir'),
  'stop-signal': text('stopSignal'),
  'mac-address': text('macAddress'),
  pid: text('pidMode'),
  ipc: text('ipcMode'),
  uts: text('utsMode'),
  userns: text('usernsMode'),
  cgroupns: text('cgroupnsMode'),
  'cgroup-parent': text('cgroupParent'),
  runtime: text('runtime'),
  env: list('env'),
  expose: list('exposedPorts'),
  'volumes-from': list('volumesFrom'),
  dns: list('dns'),
  'dns-search': list('dnsSearch'),
  'dns-option': list('dnsOptions'),
  'dns-opt': list('dnsOptions'),
  'add-host': list('extraHosts'),
  link: list('links'),
  'cap-add': list('capAdd'),
  'cap-drop': list('capDrop'),
  'security-opt': list('securityOpt'),
  'device-cgroup-rule': list('deviceCgroupRules'),
  'group-add': list('groupAdd'),
  label: record('labels'),
  sysctl: record('sysctls'),
  'storage-opt': record('storageOptions'),
  annotation: record('annotations'),
  memory: limit('memoryBytes'),
  'memory-swap': limit('memorySwapBytes'),
  'memory-reservation': limit('memoryReservationBytes'),
  'kernel-memory': limit('kernelMemoryBytes'),
  'memory-swappiness': count('--memory-swappiness', 'memorySwappiness'),
  cpus: (draft, value) => {
    draft.options.limits.nanoCpus = Math.round(decimal('--cpus', value) * 1e9)
  },
  'cpu-shares': count('--cpu-shares', 'cpuShares'),
  'cpu-period': count('--cpu-period', 'cpuPeriodUs'),
  'cpu-quota': count('--cpu-quota', 'cpuQuotaUs'),
  'cpu-rt-period': count('--cpu-rt-period', 'cpuRealtimePeriodUs'),
  'cpu-rt-runtime': count('--cpu-rt-runtime', 'cpuRealtimeRuntimeUs'),
  'cpuset-cpus': (draft, value) => {
    draft.options.limits.cpusetCpus = value
  },
  'cpuset-mems': (draft, value) => {
    draft.options.limits.cpusetMems = value
  },
  'blkio-weight': count('--blkio-weight', 'blkioWeight'),
  'blkio-weight-device': (draft, value) => {
    const at = value.lastIndexOf(':')
    if (at < 0) throw new Error(`--blkio-weight-device: "${value}" must be DEVICE:WEIGHT`)
    draft.options.limits.blkioWeightDevice.push({ path: value.slice(0, at), weight: integer('--blkio-weight-device', value.slice(at + 1)) })
  },
  'device-read-bps': rate('--device-read-bps', 'deviceReadBps'),
  'device-write-bps': rate('--device-write-bps', 'deviceWriteBps'),
  'device-read-iops': rate('--device-read-iops', 'deviceReadIops'),
  'device-write-iops': rate('--device-write-iops', 'deviceWriteIops'),
  'pids-limit': count('--pids-limit', 'pidsLimit'),
  publish: (draft, value) => draft.options.ports.push(...parsePorts(value)),
  volume: (draft, value) => draft.options.mounts.push(parseVolume(value)),
  mount: (draft, value) => draft.options.mounts.push(parseMount(value)),
  tmpfs: (draft, value) => {
    const at = value.indexOf(':')
    draft.options.tmpfs[at < 0 ? value : value.slice(0, at)] = at < 0 ? '' : value.slice(at + 1)
  },
  network: (draft, value) => draft.networks.push(value),
  net: (draft, value) => draft.networks.push(value),
  'network-alias': (draft, value) => draft.aliases.push(value),
  'net-alias': (draft, value) => draft.aliases.push(value),
  ip: (draft, value) => {
    draft.ip4 = value
  },
  ip6: (draft, value) => {
    draft.ip6 = value
  },
  entrypoint: (draft, value) => {
    draft.options.entrypoint = value === '' ? [] : [value]
  },
  'stop-timeout': (draft, value) => {
    draft.options.stopTimeoutSeconds = integer('--stop-timeout', value)
  },
  restart: (draft, value) => {
    const [name, retries = '0'] = value.split(':')
    if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(name as string))
      throw new Error(`--restart: "${value}" is not known; use no, always, unless-stopped or on-failure[:N]`)
    draft.options.restart = { name: name as 'no', maximumRetryCount: integer('--restart', retries) }
  },
  'log-driver': (draft, value) => {
    if (!['json-file', 'local', 'none'].includes(value))
      throw new Error(`--log-driver: "${value}" is not there; use json-file, local or none`)
    draft.options.log.driver = value as 'local'
  },
  'log-opt': (draft, value) => {
    const [key, word] = pair(value)
    draft.options.log.options[key] = word
  },
  'shm-size': (draft, value) => {
    draft.options.shmSizeBytes = bytes('--shm-size', value)
  },
  'oom-score-adj': (draft, value) => {
    draft.options.oomScoreAdj = integer('--oom-score-adj', value)
  },
  device: (draft, value) => {
    const parts = value.split(':')
    const permissions = parts.length > 1 && /^[rwm]+$/.test(parts.at(-1) as string) ? (parts.pop() as string) : 'rwm'
    draft.options.devices.push({ hostPath: parts[0] as string, containerPath: parts[1] ?? (parts[0] as string), permissions })
  },
  ulimit: (draft, value) => {
    const [name, word] = pair(value)
    const [soft = '', hard = soft] = word.split(':')
    draft.options.ulimits.push({ name, soft: integer('--ulimit', soft), hard: integer('--ulimit', hard) })
  },
  gpus: (draft, value) => {
    const ids = value.startsWith('device=') ? value.slice(7).split(',') : []
    draft.options.deviceRequests.push({
      driver: '',
      count: ids.length ? 0 : value === 'all' ? -1 : integer('--gpus', value),
      deviceIds: ids,
      capabilities: [['gpu']],
      options: {},
    })
  },
  'health-cmd': (draft, value) => {
    draft.health.cmd = value
  },
  'health-interval': health('--health-interval', 'intervalMs'),
  'health-timeout': health('--health-timeout', 'timeoutMs'),
  'health-start-period': health('--health-start-period', 'startPeriodMs'),
  'health-start-interval': health('--health-start-interval', 'startIntervalMs'),
  'health-retries': (draft, value) => {
    draft.health.retries = integer('--health-retries', value)
  },
}

/** Flags that take a value which means nothing in a browser. */
const ignoredValued = new Set(['attach', 'detach-keys', 'cidfile', 'env-file', 'label-file', 'isolation'])

const switches: Record<string, Set_> = {
  interactive: (draft) => {
    draft.options.openStdin = true
  },
  tty: (draft) => {
    draft.options.terminal = true
  },
  rm: (draft) => {
    draft.options.autoRemove = true
  },
  'publish-all': (draft) => {
    draft.options.publishAll = true
  },
  privileged: (draft) => {
    draft.options.privileged = true
  },
  'read-only': (draft) => {
    draft.options.readOnlyRootfs = true
  },
  init: (draft) => {
    draft.options.init = true
  },
  'oom-kill-disable': (draft) => {
    draft.options.limits.oomKillDisable = true
  },
  'no-healthcheck': (draft) => {
    draft.health.none = true
  },
}
const ignoredSwitches = new Set(['detach', 'sig-proxy', 'quiet', 'disable-content-trust'])
const short: Record<string, string> = {
  a: 'attach',
  c: 'cpu-shares',
  d: 'detach',
  e: 'env',
  h: 'hostname',
  i: 'interactive',
  l: 'label',
  m: 'memory',
  P: 'publish-all',
  p: 'publish',
  q: 'quiet',
  t: 'tty',
  u: 'user',
  v: 'volume',
  w: 'workdir',
}

/**
 * Reads a `docker run` or `docker create` line (also `podman`, `nerdctl`, with `sudo` before it). Options that mean nothing in a browser are named in `ignored`.
 * @throws Error one sentence that names the flag and what is wrong with it
 */
export function parseRunCommand(line: string): ParsedRun {
  const words = splitWords(line.trim().replace(/^\$\s+/, ''))
  if (words[0] === 'sudo') words.shift()
  if (!/^(docker|podman|nerdctl)$/.test(words[0]?.split('/').pop() ?? '')) throw new Error('the line must begin with "docker run"')
  words.shift()
  if (words[0] === 'container') words.shift()
  if (words[0] !== 'run' && words[0] !== 'create') throw new Error('the line must begin with "docker run" or "docker create"')
  words.shift()
  const draft = emptyDraft()
  const isFlag = (word: string | undefined): word is string => word !== undefined && word.length > 1 && word.startsWith('-')
  while (isFlag(words.at(0))) {
    const word = words.shift() as string
    if (word === '--') break
    takeFlag(draft, word, words)
  }
  const image = words.shift()
  if (!image) throw new Error('the line names no image')
  draft.options.image = image
  if (draft.options.entrypoint) draft.options.cmd = words
  else draft.options.cmd = words.length > 0 ? words : null
  finish(draft)
  return { name: draft.name, options: draft.options, pull: draft.pull, ignored: draft.ignored }
}

/** Begins an empty set of options that flags are applied to one by one: what the create form does. */
export function beginRun(): RunDraft {
  const draft = emptyDraft()
  return {
    apply: (flag, value) => takeLong(draft, flag, value, []),
    end: (image, entrypointRest, command) => {
      draft.options.image = image
      draft.options.cmd = draft.options.entrypoint ? [...entrypointRest, ...command] : command.length > 0 ? command : null
      finish(draft)
      return { name: draft.name, options: draft.options, pull: draft.pull, ignored: draft.ignored }
    },
  }
}

export interface RunDraft {
  /** `flag` without its dashes; switches take no value. @throws Error one sentence that names the flag */
  apply: (flag: string, value?: string) => void
  end: (image: string, entrypointRest: string[], command: string[]) => ParsedRun
}

function emptyDraft(): Draft {
  return { pull: 'missing', options: containerOptions.parse({ image: 'x' }), aliases: [], networks: [], health: {}, ignored: [] }
}

function takeFlag(draft: Draft, word: string, rest: string[]): void {
  if (!word.startsWith('--')) {
    takeShort(draft, word, rest)
    return
  }
  const at = word.indexOf('=')
  const flag = at < 0 ? word.slice(2) : word.slice(2, at)
  takeLong(draft, flag, at < 0 ? undefined : word.slice(at + 1), rest)
}

/** `-it`, `-p 80:80`, `-p80:80`, `-eA=b`. */
function takeShort(draft: Draft, word: string, rest: string[]): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] as string
    const flag = short[letter]
    if (!flag) throw new Error(`-${letter} is not an option of docker run`)
    if (flag in switches || ignoredSwitches.has(flag)) {
      takeLong(draft, flag, undefined, rest)
      continue
    }
    const glued = word.slice(at + 1).replace(/^=/, '')
    takeLong(draft, flag, glued || undefined, rest)
    return
  }
}

function takeLong(draft: Draft, flag: string, given: string | undefined, rest: string[]): void {
  const flip = switches[flag]
  if (flip || ignoredSwitches.has(flag)) {
    if (flag === 'init' && given === 'false') draft.options.init = false
    else if (given === 'false') return
    else if (flip) flip(draft)
    else if (flag !== 'detach') draft.ignored.push(`--${flag}`)
    return
  }
  const take = valued[flag]
  if (!take && !ignoredValued.has(flag)) throw new Error(`--${flag} is not an option of docker run that is known here`)
  const value = given ?? rest.shift()
  if (value === undefined) throw new Error(`--${flag} needs a value`)
  if (take) take(draft, value)
  else draft.ignored.push(`--${flag} ${value}`)
}

/** What several flags say together: networks with their addresses, health. */
function finish(draft: Draft): void {
  const { options } = draft
  for (const [index, word] of draft.networks.entries()) {
    const fields = word.includes('=') ? word.split(',').map(pair) : [['name', word] as [string, string]]
    const name = fields.find(([key]) => key === 'name')?.[1]
    if (!name) throw new Error(`--network: "${word}" has no name`)
    if (index === 0) options.networkMode = name
    const aliases = fields.filter(([key]) => key === 'alias').map(([, value]) => value)
    const get = (key: string) => fields.find(([field]) => field === key)?.[1]
    if (index > 0 || aliases.length || get('ip') || get('ip6'))
      options.networks[name] = { aliases, links: [], ipv4: get('ip'), ipv6: get('ip6') }
  }
  if (draft.aliases.length || draft.ip4 || draft.ip6) {
    const name = options.networkMode || 'bridge'
    const before = options.networks[name]
    options.networks[name] = {
      aliases: [...(before?.aliases ?? []), ...draft.aliases],
      links: [],
      ipv4: draft.ip4 ?? before?.ipv4,
      ipv6: draft.ip6 ?? before?.ipv6,
    }
  }
  const { cmd, none, ...times } = draft.health
  if (none) options.healthcheck = { test: ['NONE'] }
  else if (cmd !== undefined || Object.keys(times).length > 0)
    options.healthcheck = { test: cmd === undefined ? [] : ['CMD-SHELL', cmd], ...times }
}
