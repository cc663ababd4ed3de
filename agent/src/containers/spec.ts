/**
 * Pure: the OCI config.json of one start. Everything that needs a look at the machine (files of the image, device numbers, other containers' processes,
 * volumes) was looked up by the caller and comes in as facts; the same facts give the same document, byte for byte.
 */
import type { ContainerOptions } from '@berth/contract/container'
import type { IdMap, LinuxSpec, RuntimeSpec, SpecMount } from '../oci/runtime-spec.ts'
import { resolveCapabilities } from './capabilities.ts'
import { type Effective, erasedNames, processEnvironment } from './effective.ts'
import { type HostFacts, privateCgroupNamespace } from './host-facts.ts'
import { type ResolvedRates, toResources } from './limits.ts'
import { defaultReadonlyPaths } from './masked-paths.ts'
import type { ResolvedUser } from './passwd.ts'
import { resolveSeccomp } from './seccomp.ts'
import { defaultSeccompProfile } from './seccomp-profile.ts'
import type { SecurityOptions } from './security-options.ts'
import { type DeviceFacts, defaultDeviceRules, deviceRules } from './spec-devices.ts'
import { defaultMounts, type MountFacts, userMounts } from './spec-mounts.ts'

export interface NamespacePaths {
  network?: string
  pid?: string
  ipc?: string
}

export interface SpecFacts {
  id: string
  options: ContainerOptions
  effective: Effective
  security: SecurityOptions
  host: HostFacts
  user: ResolvedUser
  /** Of the terminal, if it has one. */
  size: { cols: number; rows: number }
  /** Variables of --link. */
  linkedEnv: string[]
  /** Directory that the monitor mounts the root file system at. */
  rootfs: string
  mounts: MountFacts
  devices: DeviceFacts
  rates: ResolvedRates
  /** Namespaces of other containers that are joined. */
  join: NamespacePaths
  cgroupsPath: string
  idmap: { uid: IdMap[]; gid: IdMap[] } | null
}

export const ociVersion = '1.2.0'

export function buildSpec(facts: SpecFacts): RuntimeSpec {
  const { options, effective, host, user } = facts
  const capabilities = resolveCapabilities(options.capAdd, options.capDrop, options.privileged, host.capabilities)
  // A user other than root has none of them in effect, as execve(2) would take them away anyway; the bounding set stays for setuid programs.
  const inEffect = user.uid === 0 ? capabilities : []
  const uts = options.utsMode !== 'host'
  return {
    ociVersion,
    process: {
      terminal: options.terminal,
      ...(options.terminal ? { consoleSize: { height: facts.size.rows, width: facts.size.cols } } : {}),
      user: { uid: user.uid, gid: user.gid, additionalGids: additionalGroups(user) },
      args: options.init === true ? ['/sbin/berth-init', '--', ...effective.command] : effective.command,
      env: processEnvironment(effective, options.terminal, user.home, facts.linkedEnv, erasedNames(options)),
      cwd: effective.workingDir || '/',
      capabilities: { bounding: capabilities, effective: inEffect, permitted: inEffect, inheritable: [], ambient: [] },
      rlimits: resourceLimits(options, host),
      noNewPrivileges: facts.security.noNewPrivileges,
      ...(facts.security.apparmorProfile ? { apparmorProfile: facts.security.apparmorProfile } : {}),
      ...(options.oomScoreAdj ? { oomScoreAdj: options.oomScoreAdj } : {}),
    },
    root: { path: facts.rootfs, readonly: options.readOnlyRootfs },
    ...(uts ? { hostname: effective.hostname, ...(options.domainname ? { domainname: options.domainname } : {}) } : {}),
    mounts: allMounts(facts),
    ...(Object.keys(options.annotations).length ? { annotations: options.annotations } : {}),
    linux: linuxSection(facts, capabilities),
  }
}

/** Docker gives root's own group too, so that group 0 files stay readable after a setgid. */
function additionalGroups(user: ResolvedUser): number[] {
  return [...new Set([user.gid, ...user.additionalGids])]
}

function linuxSection(facts: SpecFacts, capabilities: string[]): LinuxSpec {
  const { options, host, security } = facts
  const resources = toResources(options.limits, facts.rates, host)
  resources.devices = options.privileged
    ? [{ allow: true, access: 'rwm' }]
    : [...defaultDeviceRules, ...deviceRules(facts.devices, options.deviceCgroupRules)]
  const masked = options.privileged || security.systemPathsUnconfined ? [] : (options.maskedPaths ?? [...host.maskedPaths])
  const readonly = options.privileged || security.systemPathsUnconfined ? [] : (options.readonlyPaths ?? [...defaultReadonlyPaths])
  const profile =
    options.privileged && !security.seccomp ? null : security.seccompUnconfined ? null : (security.seccomp ?? defaultSeccompProfile)
  return {
    namespaces: namespaces(facts),
    ...(facts.idmap ? { uidMappings: facts.idmap.uid, gidMappings: facts.idmap.gid } : {}),
    ...(facts.devices.nodes.length ? { devices: facts.devices.nodes } : {}),
    cgroupsPath: facts.cgroupsPath,
    resources,
    ...(facts.mounts.rootPropagation ? { rootfsPropagation: facts.mounts.rootPropagation } : {}),
    ...(profile ? { seccomp: resolveSeccomp(profile, { capabilities, architecture: host.architecture, kernel: host.kernel }) } : {}),
    ...(Object.keys(sysctls(options)).length ? { sysctl: sysctls(options) } : {}),
    maskedPaths: masked,
    readonlyPaths: readonly,
  }
}

/** With network and user namespaces of its own a container may bind low ports and ping without a capability (Docker's defaults). */
function sysctls(options: ContainerOptions): Record<string, string> {
  const ownNetwork = options.networkMode !== 'host' && !options.networkMode.startsWith('container:')
  const defaults: Record<string, string> = ownNetwork && !options.privileged ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}
  // A range of groups that a user namespace does not map is refused by the kernel.
  if (ownNetwork && !options.privileged && options.usernsMode !== 'auto') defaults['net.ipv4.ping_group_range'] = '0 2147483647'
  return { ...defaults, ...options.sysctls }
}

function namespaces({ options, join, host, idmap }: SpecFacts): LinuxSpec['namespaces'] {
  const list: LinuxSpec['namespaces'] = [{ type: 'mount' }]
  if (idmap) list.push({ type: 'user' })
  if (options.networkMode !== 'host') list.push(join.network ? { type: 'network', path: join.network } : { type: 'network' })
  if (options.utsMode !== 'host') list.push({ type: 'uts' })
  if (options.pidMode !== 'host') list.push(join.pid ? { type: 'pid', path: join.pid } : { type: 'pid' })
  if (options.ipcMode !== 'host') list.push(join.ipc ? { type: 'ipc', path: join.ipc } : { type: 'ipc' })
  if (privateCgroupNamespace(options, host)) list.push({ type: 'cgroup' })
  return list
}

/** `--ulimit`, each cut to what the agent may give: without CAP_SYS_RESOURCE a higher hard limit would fail with EPERM. Infinity is no limit (runtimeJson). */
export function resourceLimits(options: ContainerOptions, host: HostFacts): { type: string; soft: number; hard: number }[] {
  return options.ulimits.map(({ name, soft, hard }) => {
    const type = `RLIMIT_${name.toUpperCase()}`
    const unlimited = (value: number) => (value < 0 ? Number.POSITIVE_INFINITY : value)
    const ceiling = host.canRaiseLimits ? Number.POSITIVE_INFINITY : (host.hardLimits[type] ?? Number.POSITIVE_INFINITY)
    const cappedHard = Math.min(unlimited(hard), ceiling)
    return { type, soft: Math.min(unlimited(soft), cappedHard), hard: cappedHard }
  })
}

function allMounts(facts: SpecFacts): SpecMount[] {
  const { options, mounts } = facts
  const own = userMounts(mounts, options)
  const taken = new Set(own.map((mount) => mount.destination))
  const base = defaultMounts(options, mounts).filter((mount) => !taken.has(mount.destination))
  // Parents before children, so that none is hidden by a later one.
  return [...base, ...own.sort((a, b) => depth(a.destination) - depth(b.destination))]
}

function depth(path: string): number {
  return path.split('/').filter(Boolean).length
}
