import { type ContainerOptions, type Mount, mount, type PortBinding } from '@berth/contract/container'
import { objectName } from '@berth/contract/id'
import { readFields, readPair, readSize, writeFields, writeSize } from './flag-values'

/** Ports, mounts and networks: what has a small language of its own behind `-p`, `-v`, `--mount` and `--network`. */

/** One flag as it is written: its long name and, unless it is a switch, its value. */
export type Argument = [name: string, value?: string]

/** `8080:80`, `127.0.0.1::80/udp`, `[::1]:8000-8010:80`, ranges on both sides, and `published=8080,target=80`. @throws Error */
export function parsePorts(value: string): PortBinding[] {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(?:(\d*)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(plainPort(value))
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
  const worst = Math.max(Number(insideEnd ?? inside), Number(to ?? (from || 1)))
  if (worst > 65535 || Number(inside) < 1) throw new Error(`-p: the ports of "${value}" must be between 1 and 65535`)
  if (count < 1 || hosts < 1 || (count > 1 && from && hosts !== count)) throw new Error(`-p: the ranges of "${value}" are not equally long`)
  return Array.from({ length: count }, (_, index) => ({
    containerPort: Number(inside) + index,
    protocol: protocol as PortBinding['protocol'],
    hostIp: ip.replace(/^\[|\]$/g, ''),
    hostPort: from ? Number(from) + (count > 1 ? index : 0) : 0,
    ...(count === 1 && to ? { hostPortEnd: Number(to) } : {}),
  }))
}

/** `published=8080,target=80,protocol=udp` as `8080:80/udp`; anything else as it is. */
function plainPort(value: string): string {
  if (!value.includes('=')) return value
  const fields = Object.fromEntries(readFields(value).map(readPair))
  const { published = '', target = '', protocol = 'tcp', mode: _, ...others } = fields
  const strange = Object.keys(others)[0]
  if (strange !== undefined) throw new Error(`-p: "${strange}" is not a field of a port; use published, target and protocol`)
  return `${published ? `${published}:` : ''}${target}/${protocol}`
}

export function writePort(binding: PortBinding): string {
  const host = binding.hostPort ? `${binding.hostPort}${binding.hostPortEnd ? `-${binding.hostPortEnd}` : ''}` : ''
  const ip = binding.hostIp.includes(':') ? `[${binding.hostIp}]` : binding.hostIp
  const front = ip ? `${ip}:${host}:` : host ? `${host}:` : ''
  return `${front}${binding.containerPort}${binding.protocol === 'tcp' ? '' : `/${binding.protocol}`}`
}

const propagations = /^r?(private|shared|slave)$/
/** Words after the second colon of `-v` that change nothing here: hints for Docker Desktop. */
const idleVolumeWords = new Set(['rw', 'cached', 'delegated', 'consistent'])
const isRelabel = (word: string): word is 'z' | 'Z' => word === 'z' || word === 'Z'

/** `-v`: `name:/path`, `/host:/path:ro,rslave`, `/path`. @throws Error */
export function parseVolume(value: string): Mount {
  const parts = value.split(':')
  if (parts.length > 3 || parts.some((part) => part === ''))
    throw new Error(`-v: "${value}" is not a volume; write name:/path or /host/path:/path:ro`)
  const [source, target] = parts.length === 1 ? ['', parts[0] as string] : [parts[0] as string, parts[1] as string]
  if (!target.startsWith('/')) throw new Error(`-v: the path in the container must be absolute: "${target}"`)
  const options = (parts[2] ?? '').split(',').filter(Boolean)
  const strange = options.find(
    (word) => word !== 'ro' && word !== 'nocopy' && !isRelabel(word) && !propagations.test(word) && !idleVolumeWords.has(word),
  )
  if (strange) throw new Error(`-v: "${strange}" is not known after the path; use ro, nocopy or a propagation such as rslave`)
  const bind = source.startsWith('/') || source.startsWith('.') || source.startsWith('~')
  if (!bind && source && !objectName.safeParse(source).success)
    throw new Error(`-v: "${source}" is neither a volume's name nor a path; what a shell would put there is not known here`)
  if (bind && !source.startsWith('/')) throw new Error(`-v: the host's path must be absolute here: "${source}"`)
  return mount.parse({
    type: bind ? 'bind' : 'volume',
    source,
    target,
    readOnly: options.includes('ro'),
    propagation: options.find((option) => propagations.test(option)) ?? '',
    createSource: bind,
    relabel: options.find(isRelabel),
    noCopy: options.includes('nocopy'),
    spelling: 'bind-string',
  })
}

const mountFields = new Set(
  'type source src target dst destination readonly ro bind-propagation bind-nonrecursive volume-nocopy volume-subpath volume-label volume-opt tmpfs-size tmpfs-mode consistency'.split(
    ' ',
  ),
)

/** `--mount type=…,source=…,target=…`. @throws Error */
export function parseMount(value: string): Mount {
  const fields = readFields(value).map(readPair)
  const strange = fields.find(([name]) => !mountFields.has(name))?.[0]
  if (strange !== undefined) throw new Error(`--mount: "${strange}" is not a field that is known here`)
  const get = (...names: string[]) => fields.find(([name]) => names.includes(name))?.[1]
  const flag = (...names: string[]) => fields.some(([name, word]) => names.includes(name) && word !== 'false' && word !== '0')
  const type = get('type') ?? 'volume'
  const target = get('target', 'dst', 'destination')
  if (!['bind', 'volume', 'tmpfs'].includes(type)) throw new Error(`--mount: type "${type}" is not known; use bind, volume or tmpfs`)
  if (!target) throw new Error(`--mount: "${value}" has no target`)
  const mode = get('tmpfs-mode')
  if (mode !== undefined && !/^[0-7]+$/.test(mode)) throw new Error(`--mount: tmpfs-mode "${mode}" is not octal; write 1777`)
  const many = (name: string) => Object.fromEntries(fields.filter(([key]) => key === name).map(([, word]) => readPair(word)))
  return mount.parse({
    type,
    source: get('source', 'src') ?? '',
    target,
    readOnly: flag('readonly', 'ro'),
    propagation: get('bind-propagation') ?? '',
    nonRecursive: flag('bind-nonrecursive'),
    noCopy: flag('volume-nocopy'),
    subpath: get('volume-subpath') ?? '',
    volumeLabels: many('volume-label'),
    volumeOptions: many('volume-opt'),
    tmpfsSizeBytes: get('tmpfs-size') ? readSize('mount tmpfs-size', get('tmpfs-size') as string) : 0,
    ...(mode === undefined ? {} : { tmpfsMode: Number.parseInt(mode, 8) }),
  })
}

/** `-v` where it says everything, otherwise `--mount`. */
export function writeMount(it: Mount): Argument {
  if (it.type === 'tmpfs' && it.tmpfsOptions) {
    const words = [it.readOnly ? 'ro' : '', it.tmpfsSizeBytes ? `size=${writeSize(it.tmpfsSizeBytes)}` : '', it.tmpfsOptions]
    return ['tmpfs', `${it.target}:${words.filter(Boolean).join()}`]
  }
  if (fitsVolume(it)) {
    const options = [it.readOnly ? 'ro' : '', it.propagation, it.noCopy ? 'nocopy' : '', it.relabel].filter(Boolean).join()
    return ['volume', [it.source, it.target, options].filter(Boolean).join(':')]
  }
  const fields = [
    `type=${it.type}`,
    it.source ? `source=${it.source}` : '',
    `target=${it.target}`,
    it.readOnly ? 'readonly' : '',
    it.propagation ? `bind-propagation=${it.propagation}` : '',
    it.nonRecursive ? 'bind-nonrecursive' : '',
    it.noCopy ? 'volume-nocopy' : '',
    it.subpath ? `volume-subpath=${it.subpath}` : '',
    ...Object.entries(it.volumeLabels).map(([key, value]) => `volume-label=${key}=${value}`),
    ...Object.entries(it.volumeOptions).map(([key, value]) => `volume-opt=${key}=${value}`),
    it.tmpfsSizeBytes ? `tmpfs-size=${writeSize(it.tmpfsSizeBytes)}` : '',
    it.tmpfsMode === undefined ? '' : `tmpfs-mode=${it.tmpfsMode.toString(8)}`,
  ]
  return ['mount', writeFields(fields.filter(Boolean))]
}

/** A `-v` string has no room for colons in paths, for options of a volume without a name, nor for what only `--mount` knows. */
function fitsVolume(it: Mount): boolean {
  if (it.type === 'tmpfs' || it.nonRecursive || it.subpath) return false
  if (Object.keys(it.volumeOptions).length > 0 || Object.keys(it.volumeLabels).length > 0) return false
  if (it.type === 'bind' && (!it.createSource || !it.source.startsWith('/'))) return false
  if (it.type === 'volume' && (it.source.startsWith('/') || it.source.startsWith('.') || it.source.startsWith('~'))) return false
  if (!it.source && (it.readOnly || it.noCopy || it.propagation || it.relabel)) return false
  return it.target.startsWith('/') && !it.source.includes(':') && !it.target.includes(':')
}

const networkFields = new Set(['name', 'alias', 'ip', 'ip6', 'mac-address', 'link-local-ip', 'gw-priority', 'driver-opt'])

/** What `--network` says, plain or as `name=…,alias=…`, put into the options. `first`: it is the mode. @throws Error */
export function applyNetwork(options: ContainerOptions, word: string, first: boolean): void {
  const fields = word.includes('=') ? readFields(word).map(readPair) : [['name', word] as [string, string]]
  const strange = fields.find(([key]) => !networkFields.has(key))?.[0]
  if (strange !== undefined) throw new Error(`--network: "${strange}" is not a field that is known here`)
  const get = (key: string) => fields.find(([field]) => field === key)?.[1]
  const name = get('name')
  if (!name) throw new Error(`--network: "${word}" has no name`)
  if (first) options.networkMode = name
  const all = (wanted: string) => fields.filter(([key]) => key === wanted).map(([, value]) => value)
  const [aliases, linkLocal, mac] = [all('alias'), all('link-local-ip'), get('mac-address')]
  const driverOptions = Object.fromEntries(all('driver-opt').map(readPair))
  const priority = get('gw-priority')
  if (priority !== undefined && !/^-?\d{1,9}$/.test(priority)) throw new Error(`--network: gw-priority "${priority}" is not a whole number`)
  if (first && fields.length === 1) return
  options.networks[name] = {
    aliases,
    links: [],
    ipv4: get('ip'),
    ipv6: get('ip6'),
    ...(mac ? { mac } : {}),
    ...(linkLocal.length > 0 ? { linkLocal } : {}),
    ...(Number(priority ?? 0) ? { gatewayPriority: Number(priority) } : {}),
    ...(Object.keys(driverOptions).length > 0 ? { driverOptions } : {}),
  }
}

function onlyFields({ gatewayPriority, driverOptions }: ContainerOptions['networks'][string]): string[] {
  return [
    ...(gatewayPriority ? [`gw-priority=${gatewayPriority}`] : []),
    ...Object.entries(driverOptions ?? {}).map(([key, value]) => `driver-opt=${key}=${value}`),
  ]
}

/** The mode and every further network, each as one `--network`. */
export function writeNetworks(options: Pick<ContainerOptions, 'networkMode' | 'networks'>): Argument[] {
  const mode = options.networkMode || 'bridge'
  const own = options.networks[mode]
  // What only a field of --network can say; the others have flags of their own.
  const words = own ? [...onlyFields(own)] : []
  const out: Argument[] = []
  if (options.networkMode || words.length > 0) out.push(['network', words.length > 0 ? writeFields([`name=${mode}`, ...words]) : mode])
  for (const [name, endpoint] of Object.entries(options.networks)) {
    if (name === mode) continue
    const words = [
      ...endpoint.aliases.map((alias) => `alias=${alias}`),
      endpoint.ipv4 ? `ip=${endpoint.ipv4}` : '',
      endpoint.ipv6 ? `ip6=${endpoint.ipv6}` : '',
      endpoint.mac ? `mac-address=${endpoint.mac}` : '',
      ...(endpoint.linkLocal ?? []).map((ip) => `link-local-ip=${ip}`),
      ...onlyFields(endpoint),
    ].filter(Boolean)
    out.push(['network', words.length ? writeFields([`name=${name}`, ...words]) : name])
  }
  return out
}
