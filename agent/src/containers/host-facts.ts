import { readFile } from 'node:fs/promises'
import { arch, cpus, release } from 'node:os'
import type { ContainerOptions } from '@berth/contract/container'
import { isMissing } from '../disk/files.ts'
import { capabilitiesOfMask } from './capabilities.ts'
import type { LimitFacts } from './limits.ts'
import { defaultMaskedPaths } from './masked-paths.ts'

/** Facts about this machine that do not change while the agent runs. */
export interface HostFacts extends LimitFacts {
  /** Go's name. */
  architecture: string
  kernel: string
  /** Bounding set of the agent: nothing more can be given. */
  capabilities: ReadonlySet<string>
  apparmor: boolean
  /** Hard limits of the agent, by RLIMIT_ name: without CAP_SYS_RESOURCE none can be raised. */
  hardLimits: Record<string, number>
  canRaiseLimits: boolean
  /** What containers do not see unless they say otherwise. */
  maskedPaths: readonly string[]
  /** Changes with every boot of the machine. */
  bootId: string
}

const goArchitectures: Record<string, string> = { x64: 'amd64', ia32: '386', loong64: 'loong64' }

/** Reads /proc and /sys once. */
export async function readHostFacts(): Promise<HostFacts> {
  const [status, limits, bootId, controllers, v2Controllers] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    readFile('/proc/self/limits', 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    textOr('/proc/cgroups', ''),
    textOr('/sys/fs/cgroup/cgroup.controllers', null),
  ])
  const cgroupVersion = v2Controllers === null ? '1' : '2'
  const cpuset =
    cgroupVersion === '2'
      ? ['/sys/fs/cgroup/cpuset.cpus.effective', '/sys/fs/cgroup/cpuset.mems.effective']
      : ['/sys/fs/cgroup/cpuset/cpuset.cpus', '/sys/fs/cgroup/cpuset/cpuset.mems']
  const capabilities = capabilitiesOfMask(/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '')
  const blkio = cgroupVersion === '2' ? '/sys/fs/cgroup/io.bfq.weight' : '/sys/fs/cgroup/blkio/blkio.weight'
  const [cpusetCpus, cpusetMems, weight, bfqWeight, swap, apparmor] = await Promise.all([
    textOr(cpuset[0] as string, `0-${cpus().length - 1}`),
    textOr(cpuset[1] as string, '0'),
    textOr(blkio, null),
    textOr('/sys/fs/cgroup/blkio/blkio.bfq.weight', null),
    textOr('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes', null),
    textOr('/sys/module/apparmor/parameters/enabled', 'N'),
  ])
  return {
    architecture: goArchitectures[arch()] ?? arch(),
    kernel: release(),
    cpus: cpus().length,
    cpusetCpus: (cpusetCpus ?? '').trim(),
    cpusetMems: (cpusetMems ?? '').trim(),
    hasBlkioWeight:
      cgroupVersion === '2'
        ? (v2Controllers ?? '').includes('io')
        : (weight !== null || bfqWeight !== null) && /^blkio\s/m.test(controllers ?? ''),
    hasSwapLimit: cgroupVersion === '2' || swap !== null,
    cgroupVersion,
    capabilities,
    apparmor: (apparmor ?? '').trim() === 'Y',
    hardLimits: parseLimits(limits),
    canRaiseLimits: capabilities.has('CAP_SYS_RESOURCE'),
    maskedPaths: defaultMaskedPaths(),
    bootId: bootId.trim(),
  }
}

async function textOr<T>(path: string, otherwise: T): Promise<string | T> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return otherwise
    throw error
  }
}

const limitNames: Record<string, string> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
}

/** Hard limits of /proc/PID/limits (proc(5)). */
export function parseLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z -]+?)\s{2,}(\S+)\s+(\S+)/i.exec(line)
    const name = limitNames[match?.[1] ?? '']
    if (match && name) limits[name] = match[3] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[3])
  }
  return limits
}

/** Docker's default: private on v2, host on v1; a privileged container on v2 gets the host's. */
export function privateCgroupNamespace(options: ContainerOptions, host: Pick<HostFacts, 'cgroupVersion'>): boolean {
  if (options.cgroupnsMode) return options.cgroupnsMode === 'private'
  return host.cgroupVersion === '2' && !options.privileged
}
