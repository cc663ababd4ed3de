/** Pure: whether what was asked for makes sense together, in Docker's words. Nothing on the machine is looked at but the facts given. */
import type { ContainerOptions, LogConfig, RestartPolicy } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import { capabilityName } from './capabilities.ts'
import type { HostFacts } from './host-facts.ts'
import { checkLimits } from './limits.ts'
import { parseSecurityOptions } from './security-options.ts'
import { signalNumber } from './signals.ts'
import { checkDevicePermissions, parseDeviceCgroupRule } from './spec-devices.ts'

function refuse(message: string): EngineError {
  return new EngineError('invalid_argument', message)
}

/** @returns warnings. @throws EngineError invalid_argument */
export function checkOptions(options: ContainerOptions, host: HostFacts): string[] {
  checkText(options)
  checkModes(options)
  checkNetwork(options)
  checkUserNamespace(options)
  checkMounts(options)
  checkSysctls(options)
  checkDevices(options)
  checkRestart(options.restart, options.autoRemove)
  parseLogOptions(options.log)
  parseSecurityOptions(options.securityOpt, host.apparmor)
  for (const name of options.capAdd) named('invalid CapAdd', () => capabilityName(name))
  for (const name of options.capDrop) named('invalid CapDrop', () => capabilityName(name))
  if (options.stopSignal) signalNumber(options.stopSignal)
  for (const { name, soft, hard } of options.ulimits) checkUlimit(name, soft, hard)
  for (const name of Object.keys(options.storageOptions))
    throw refuse(
      name === 'size'
        ? "--storage-opt is supported only for overlay over xfs with 'pquota' mount option; leave size out"
        : `Unknown option ${name}`,
    )
  if (!['', 'berth', 'berth-runtime', 'runc', 'io.containerd.runc.v2'].includes(options.runtime))
    throw refuse(`Unknown runtime specified ${options.runtime}`)
  return checkLimits(options.limits, host)
}

function named(prefix: string, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    throw error instanceof EngineError ? new EngineError(error.code, `${prefix}: ${error.message}`) : error
  }
}

function checkText(options: ContainerOptions): void {
  for (const entry of options.env) if (entry === '' || entry.startsWith('=')) throw refuse(`invalid environment variable: ${entry}`)
  const texts = [...options.env, ...(options.cmd ?? []), ...(options.entrypoint ?? []), options.workingDir, options.user, options.hostname]
  if (texts.some((text) => text.includes('\0')))
    throw refuse('a NUL byte cannot be part of a command, variable, directory, user or host name')
  if (options.workingDir && !options.workingDir.startsWith('/'))
    throw refuse(`the working directory '${options.workingDir}' is invalid, it needs to be an absolute path`)
  if (options.hostname.length > 64 || /[\s/]/.test(options.hostname)) throw refuse(`invalid hostname format: ${options.hostname}`)
  for (const entry of options.extraHosts) {
    const match = /^([^:=]+)[:=](.+)$/.exec(entry)
    if (!match) throw refuse(`bad format for add-host: "${entry}"`)
    const address = (match[2] as string).replace(/^\[(.*)\]$/, '$1')
    if (address !== 'host-gateway' && !/^[0-9a-fA-F.:%]+$/.test(address)) throw refuse(`invalid IP address in add-host: "${address}"`)
  }
}

function checkModes(options: ContainerOptions): void {
  const { pidMode, ipcMode, utsMode, usernsMode, cgroupnsMode } = options
  if (!/^(|host|container:.+)$/.test(pidMode)) throw refuse(`invalid PID mode: ${pidMode}`)
  if (!/^(|private|shareable|host|none|container:.+)$/.test(ipcMode)) throw refuse(`Invalid IPC mode: ${ipcMode}`)
  if (!/^(|host)$/.test(utsMode)) throw refuse(`invalid UTS mode: ${utsMode}`)
  if (!/^(|host|auto)$/.test(usernsMode)) throw refuse(`invalid userns mode: ${usernsMode}`)
  if (!/^(|host|private)$/.test(cgroupnsMode)) throw refuse(`invalid cgroup namespace mode: ${cgroupnsMode}`)
  if (utsMode === 'host' && options.hostname) throw refuse('conflicting options: hostname and the UTS mode')
  if (options.domainname && utsMode === 'host') throw refuse('conflicting options: domainname and the UTS mode')
}

/** As Docker: only networks of the user's have a name service. */
export function unsupportedAlias(): EngineError {
  return new EngineError('invalid_argument', 'network-scoped alias is supported only for containers in user defined networks')
}

function checkNetwork(options: ContainerOptions): void {
  const mode = options.networkMode
  if (mode === 'container:' || mode === 'container') throw refuse('Invalid network mode: invalid container format container:<name|id>')
  const joins = mode.startsWith('container:')
  if (joins) {
    if (options.hostname) throw refuse('conflicting options: hostname and the network mode')
    if (options.links.length)
      throw refuse("conflicting options: container type network can't be used with links. This would result in undefined behavior")
    if (options.dns.length) throw refuse('conflicting options: dns and the network mode')
    if (options.extraHosts.length) throw refuse('conflicting options: custom host-to-IP mapping and the network mode')
    if (options.ports.length || options.publishAll) throw refuse('conflicting options: port publishing and the container type network mode')
    if (options.exposedPorts.length) throw refuse('conflicting options: port exposing and the container type network mode')
    if (options.macAddress) throw refuse('conflicting options: mac-address and the network mode')
  }
  if (mode === 'host' && options.links.length)
    throw refuse("conflicting options: host type networking can't be used with links. This would result in undefined behavior")
  if (mode === 'host' && options.macAddress) throw refuse('conflicting options: mac-address and the network mode')
  for (const [name, { aliases }] of Object.entries(options.networks))
    if (aliases.length > 0 && ['bridge', 'host', 'none', 'default'].includes(name)) throw unsupportedAlias()
  const addressed = Object.values(options.networks).some(({ ipv4, ipv6 }) => ipv4 || ipv6)
  if ((mode === 'host' || mode === 'none' || joins) && addressed)
    throw refuse('user specified IP address is supported on user defined networks only')
  if ((mode === 'host' || mode === 'none' || joins) && Object.keys(options.networks).some((name) => name !== mode && name !== 'default'))
    throw refuse(`container cannot be connected to network endpoints: its network mode is ${mode}`)
}

function checkUserNamespace(options: ContainerOptions): void {
  if (options.usernsMode !== 'auto') return
  if (options.privileged)
    throw refuse(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    )
  if (options.networkMode === 'host') throw refuse("cannot share the host's network namespace when user namespaces are enabled")
  if (options.pidMode === 'host') throw refuse('cannot share the host PID namespace when user namespaces are enabled')
  if (options.ipcMode === 'host') throw refuse('cannot share the host IPC namespace when user namespaces are enabled')
  for (const [option, mode] of [
    ['--network', options.networkMode],
    ['--pid', options.pidMode],
    ['--ipc', options.ipcMode],
  ] as const)
    if (mode.startsWith('container:'))
      throw refuse(`--userns=auto gives the container a user namespace of its own, which cannot join ${mode} (${option})`)
}

/** Cleaned absolute path of a place inside a container. @throws EngineError invalid_argument */
export function cleanTarget(target: string): string {
  if (!target.startsWith('/')) throw refuse(`invalid mount path: '${target}' mount path must be absolute`)
  const parts: string[] = []
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  if (target.includes('\0')) throw refuse('a NUL byte cannot be part of a mount path')
  if (parts.length === 0) throw refuse(`invalid specification: destination can't be '/'`)
  return `/${parts.join('/')}`
}

function checkMounts(options: ContainerOptions): void {
  const seen = new Set<string>()
  for (const mount of options.mounts) {
    const target = cleanTarget(mount.target)
    if (seen.has(target)) throw refuse(`Duplicate mount point: ${target}`)
    seen.add(target)
    if (mount.type === 'bind' && !mount.source.startsWith('/'))
      throw refuse(`invalid mount config for type "bind": invalid mount path: '${mount.source}' mount path must be absolute`)
    if (
      mount.subpath !== '' &&
      (mount.type !== 'volume' || mount.subpath.startsWith('/') || mount.subpath.split('/').includes('..') || mount.subpath.includes('\0'))
    )
      throw refuse(`the subpath "${mount.subpath}" must be a relative path within a volume`)
    if (mount.type === 'volume' && mount.source && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(mount.source))
      throw refuse(
        `"${mount.source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      )
    if (mount.type === 'tmpfs' && mount.source) throw refuse('invalid mount config for type "tmpfs": field Source must not be specified')
    if (!['', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'].includes(mount.propagation))
      throw refuse(`invalid propagation mode: ${mount.propagation}`)
    if (mount.propagation && mount.type !== 'bind')
      throw refuse(`invalid mount config for type "${mount.type}": propagation is for bind mounts`)
  }
  for (const [path, text] of Object.entries(options.tmpfs)) {
    const target = cleanTarget(path)
    checkTmpfs(text)
    if (seen.has(target)) throw refuse(`Duplicate mount point: ${target}`)
    seen.add(target)
  }
}

/** Flags and settings that mount(8) and tmpfs(5) know; the words are Docker's. */
const tmpfsWords = new Set(
  `defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime nodiratime relatime norelatime strictatime
   nostrictatime bind rbind unbindable runbindable private rprivate shared rshared slave rslave size mode uid gid nr_inodes nr_blocks mpol`.split(
    /\s+/,
  ),
)

function checkTmpfs(text: string): void {
  for (const option of text.split(',').filter(Boolean)) {
    const [word = '', ...value] = option.split('=')
    if (!tmpfsWords.has(word)) throw refuse(`invalid tmpfs option [${[word, ...value].map((part) => JSON.stringify(part)).join(' ')}]`)
  }
}

const ipcSysctls = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

function checkSysctls(options: ContainerOptions): void {
  for (const name of Object.keys(options.sysctls)) {
    const dotted = name.replaceAll('/', '.')
    if (dotted.includes('..') || /[^A-Za-z0-9._:-]/.test(dotted)) throw refuse(`invalid sysctl name: ${name}`)
    if (ipcSysctls.has(dotted) || dotted.startsWith('fs.mqueue.')) {
      if (options.ipcMode === 'host') throw refuse(`sysctl '${name}' is not allowed in the host IPC namespace`)
    } else if (dotted.startsWith('net.')) {
      if (options.networkMode === 'host') throw refuse(`sysctl '${name}' not allowed in host network namespace`)
    } else if (dotted === 'kernel.domainname') {
      if (options.utsMode === 'host') throw refuse(`sysctl '${name}' is not allowed in the host UTS namespace`)
    } else throw refuse(`sysctl '${name}' is not whitelisted: it is not in a kernel namespace of the container's own`)
  }
}

function checkDevices(options: ContainerOptions): void {
  for (const device of options.devices) {
    checkDevicePermissions(device.permissions)
    if (!device.hostPath.startsWith('/') || !(device.containerPath || device.hostPath).startsWith('/'))
      throw refuse(`bad format for path: ${device.hostPath}`)
  }
  for (const rule of options.deviceCgroupRules) parseDeviceCgroupRule(rule)
  const request = options.deviceRequests[0]
  if (request)
    throw refuse(
      `could not select device driver ${JSON.stringify(request.driver)} with capabilities: [${request.capabilities.map((all) => `[${all.join(' ')}]`).join(' ')}]`,
    )
}

/** @throws EngineError invalid_argument */
export function checkRestart(restart: RestartPolicy, autoRemove: boolean): void {
  if (restart.maximumRetryCount > 0 && restart.name !== 'on-failure')
    throw refuse(`invalid restart policy: maximum retry count cannot be used with restart policy '${restart.name}'`)
  if (autoRemove && restart.name !== 'no') throw refuse("can't create 'AutoRemove' container with restart policy")
}

const ulimitNames = new Set('core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as'.split(' '))

function checkUlimit(name: string, soft: number, hard: number): void {
  if (!ulimitNames.has(name)) throw refuse(`invalid ulimit type: ${name}`)
  if (hard >= 0 && (soft > hard || soft < 0))
    throw refuse(`ulimit soft limit must be less than or equal to hard limit: ${soft < 0 ? 'unlimited' : soft} > ${hard}`)
}

export interface LogSettings {
  /** false: driver `none`. */
  enabled: boolean
  maxSizeBytes: number
  maxFiles: number
}

const logOptionNames: Record<string, string[]> = {
  '': ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', 'mode', 'max-buffer-size'],
  'json-file': ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', 'mode', 'max-buffer-size'],
  local: ['max-size', 'max-file', 'compress', 'mode', 'max-buffer-size'],
  none: ['mode', 'max-buffer-size'],
}

/** Size and number of log files; null where the engine's default holds. @throws EngineError invalid_argument */
export function parseLogOptions({ driver, options }: LogConfig): {
  enabled: boolean
  maxSizeBytes: number | null
  maxFiles: number | null
} {
  const known = logOptionNames[driver] as string[]
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw refuse(`unknown log opt '${name}' for ${driver || 'json-file'} log driver`)
  const size = options['max-size']
  const files = options['max-file']
  const maxSizeBytes = size === undefined || size === '-1' ? (size === undefined ? null : 0) : parseSize(size)
  if (files !== undefined && !/^[1-9]\d{0,4}$/.test(files))
    throw refuse('failed to initialize logging driver: max-file cannot be less than 1')
  if (files !== undefined && Number(files) > 1 && maxSizeBytes === 0)
    throw refuse('max-file needs a max-size: without one nothing is ever rotated')
  const unknown = (options.tag ?? '')
    .replace(/\{\{\s*\.(ID|FullID|Name|ImageID|ImageFullID|ImageName|DaemonName)\s*\}\}/g, '')
    .match(/\{\{.*/)
  if (unknown)
    throw refuse(
      `failed to initialize logging driver: template: log-tag: cannot evaluate ${unknown[0]}; the fields are .ID .FullID .Name .ImageID .ImageFullID .ImageName .DaemonName`,
    )
  return { enabled: driver !== 'none', maxSizeBytes, maxFiles: files === undefined ? null : Number(files) }
}

/** `10m`, `512k`, `1g` (powers of 1024). @throws EngineError invalid_argument */
function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text)
  if (!match) throw refuse(`failed to initialize logging driver: invalid size: '${text}'`)
  return Math.floor(Number(match[1]) * 1024 ** 'bkmgt'.indexOf((match[2] || 'b').toLowerCase()))
}
