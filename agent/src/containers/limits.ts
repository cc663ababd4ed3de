/** Pure: limits as people state them → checked in Docker's words → the OCI resources that the runtime writes into the cgroup. */
import type { Limits } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import type { LinuxResources, ThrottleDevice } from '../oci/runtime-spec.ts'

export interface LimitFacts {
  /** Number of processors. */
  cpus: number
  /** `0-1`, as the root cpuset has it. */
  cpusetCpus: string
  cpusetMems: string
  /** False: the kernel cannot weigh block I/O here; asking for it is a warning, as in Docker. */
  hasBlkioWeight: boolean
  hasSwapLimit: boolean
  cgroupVersion: '1' | '2'
}

/** Below this not even a shell starts (Docker's bound). */
const minimumMemoryBytes = 6 * 1024 * 1024

function refuse(message: string): EngineError {
  return new EngineError('invalid_argument', message)
}

/** @returns warnings for what this kernel cannot do. @throws EngineError invalid_argument with Docker's sentence */
export function checkLimits(limits: Limits, facts: LimitFacts): string[] {
  const warnings: string[] = []
  checkMemory(limits, facts, warnings)
  checkCpu(limits, facts)
  checkCpuset(limits, facts)
  if (limits.blkioWeight && (limits.blkioWeight < 10 || limits.blkioWeight > 1000)) throw refuse('Range of blkio weight is from 10 to 1000')
  for (const { weight } of limits.blkioWeightDevice)
    if (weight < 10 || weight > 1000) throw refuse('Range of blkio weight is from 10 to 1000')
  if ((limits.blkioWeight || limits.blkioWeightDevice.length) && !facts.hasBlkioWeight)
    warnings.push('Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.')
  return warnings
}

/** Limits without what a warning of checkLimits says is discarded: it is not told of the container later either. */
export function withoutDiscarded(limits: Limits, facts: Pick<LimitFacts, 'hasBlkioWeight'>): Limits {
  return facts.hasBlkioWeight ? limits : { ...limits, blkioWeight: 0, blkioWeightDevice: [] }
}

function checkMemory(limits: Limits, facts: LimitFacts, warnings: string[]): void {
  const { memoryBytes: memory, memorySwapBytes: swap, memoryReservationBytes: reservation } = limits
  if (memory > 0 && memory < minimumMemoryBytes) throw refuse('Minimum memory limit allowed is 6MB')
  if (memory === 0 && swap > 0) throw refuse('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (memory > 0 && swap > 0 && swap < memory) throw refuse('Minimum memoryswap limit should be larger than memory limit, see usage')
  if (reservation > 0 && reservation < minimumMemoryBytes) throw refuse('Minimum memory reservation allowed is 6MB')
  if (memory > 0 && reservation > memory) throw refuse('Minimum memory limit can not be less than memory reservation limit, see usage')
  if (limits.memorySwappiness !== null && limits.memorySwappiness !== -1 && facts.cgroupVersion === '2')
    warnings.push('Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.')
  if (limits.oomKillDisable && facts.cgroupVersion === '2')
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.')
  else if (limits.oomKillDisable && memory === 0)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  if (memory > 0 && swap !== -1 && !facts.hasSwapLimit)
    warnings.push('Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.')
  if (limits.kernelMemoryBytes > 0) warnings.push('Specifying a kernel memory limit is deprecated and has no effect on this kernel.')
}

function checkCpu(limits: Limits, facts: LimitFacts): void {
  const { nanoCpus, cpuPeriodUs: period, cpuQuotaUs: quota } = limits
  if (nanoCpus > 0 && period > 0) throw refuse('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  if (nanoCpus > 0 && quota > 0) throw refuse('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  if (nanoCpus !== 0 && (nanoCpus < 10_000_000 || nanoCpus > facts.cpus * 1e9))
    throw refuse(`Range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`)
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  if (quota > 0 && quota < 1000) throw refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if (limits.cpuRealtimePeriodUs && limits.cpuRealtimeRuntimeUs > limits.cpuRealtimePeriodUs)
    throw refuse('cpu real-time runtime cannot be higher than cpu real-time period')
  if (limits.cpuShares < 0) throw refuse(`shares: invalid argument: ${limits.cpuShares} is negative`)
  if (limits.cpuShares === 1) throw refuse('the minimum allowed cpu-shares is 2')
  if (limits.cpuShares > 262_144) throw refuse('the maximum allowed cpu-shares is 262144')
}

function checkCpuset(limits: Limits, facts: LimitFacts): void {
  const check = (text: string, available: string, what: string, words: string) => {
    if (!text) return
    const wanted = parseList(text)
    if (!wanted) throw refuse(`Invalid value ${text} for ${what}: invalid format: ${text}`)
    const there = parseList(available) ?? new Set()
    if ([...wanted].some((number) => !there.has(number)))
      throw refuse(`Requested ${words} are not available - requested ${text}, available: ${available}`)
  }
  check(limits.cpusetCpus, facts.cpusetCpus, 'cpuset cpus', 'CPUs')
  check(limits.cpusetMems, facts.cpusetMems, 'cpuset mems', 'memory nodes')
}

/** `0-2,5` as a set of numbers (cpuset(7) list format); null when it is not one. */
export function parseList(text: string): Set<number> | null {
  const numbers = new Set<number>()
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim())
    if (!match) return null
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    if (last < first) return null
    for (let number = first; number <= last; number++) numbers.add(number)
  }
  return numbers
}

/**
 * The limits after a change. Absent keys keep their value.
 * @throws EngineError invalid_argument, with Docker's words where one limit stands in another's way
 */
export function mergeLimits(current: Limits, change: Partial<Limits>): Limits {
  const merged = { ...current, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) }
  if (change.nanoCpus && current.cpuPeriodUs && change.cpuPeriodUs === undefined)
    throw refuse('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set')
  if (change.nanoCpus && current.cpuQuotaUs && change.cpuQuotaUs === undefined)
    throw refuse('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set')
  if ((change.cpuPeriodUs || change.cpuQuotaUs) && current.nanoCpus && change.nanoCpus === undefined)
    throw refuse(`Conflicting options: CPU ${change.cpuPeriodUs ? 'Period' : 'Quota'} cannot be updated as NanoCPUs has already been set`)
  // Memory alone changes memory alone: the swap limit that `-m` implied stays what it was.
  const swap = current.memorySwapBytes || current.memoryBytes * 2
  if (change.memoryBytes && change.memorySwapBytes === undefined && swap > 0) {
    if (change.memoryBytes > swap)
      throw refuse('Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time')
    merged.memorySwapBytes = swap
  }
  return merged
}

/** Rates with their device's numbers, made by the caller's stat(2). */
export interface ResolvedRates {
  weightDevice: { major: number; minor: number; weight: number }[]
  readBps: ThrottleDevice[]
  writeBps: ThrottleDevice[]
  readIops: ThrottleDevice[]
  writeIops: ThrottleDevice[]
}

export const noRates: ResolvedRates = { weightDevice: [], readBps: [], writeBps: [], readIops: [], writeIops: [] }

/**
 * OCI resources of limits. Swap is memory plus swap, as in the specification and on cgroup v1; shares stay shares: what v2 makes of either is the runtime's
 * business.
 * @param previous when a running container is updated: limits that were lifted are written out as unlimited, for the runtime leaves alone what is absent
 */
export function toResources(limits: Limits, rates: ResolvedRates, facts: LimitFacts, previous?: Limits): LinuxResources {
  const resources: LinuxResources = {}
  const memory = memoryResources(limits, facts, previous)
  const cpu = cpuResources(limits, previous)
  if (Object.keys(memory).length) resources.memory = memory
  if (Object.keys(cpu).length) resources.cpu = cpu
  const pids = limits.pidsLimit ?? 0
  if (pids > 0) resources.pids = { limit: pids }
  else if (previous?.pidsLimit && previous.pidsLimit > 0) resources.pids = { limit: -1 }
  const blockIO: NonNullable<LinuxResources['blockIO']> = {}
  if (facts.hasBlkioWeight && limits.blkioWeight) blockIO.weight = limits.blkioWeight
  if (facts.hasBlkioWeight && rates.weightDevice.length) blockIO.weightDevice = rates.weightDevice
  if (rates.readBps.length) blockIO.throttleReadBpsDevice = rates.readBps
  if (rates.writeBps.length) blockIO.throttleWriteBpsDevice = rates.writeBps
  if (rates.readIops.length) blockIO.throttleReadIOPSDevice = rates.readIops
  if (rates.writeIops.length) blockIO.throttleWriteIOPSDevice = rates.writeIops
  if (Object.keys(blockIO).length) resources.blockIO = blockIO
  return resources
}

function memoryResources(limits: Limits, facts: LimitFacts, previous?: Limits): NonNullable<LinuxResources['memory']> {
  const memory: NonNullable<LinuxResources['memory']> = {}
  if (limits.memoryBytes > 0) {
    memory.limit = limits.memoryBytes
    if (facts.hasSwapLimit) memory.swap = limits.memorySwapBytes === 0 ? limits.memoryBytes * 2 : limits.memorySwapBytes
  } else if (previous && previous.memoryBytes > 0) {
    memory.limit = -1
    if (facts.hasSwapLimit) memory.swap = -1
  }
  if (limits.memoryReservationBytes > 0) memory.reservation = limits.memoryReservationBytes
  else if (previous && previous.memoryReservationBytes > 0) memory.reservation = facts.cgroupVersion === '1' ? -1 : 0
  if (facts.cgroupVersion === '1' && limits.memorySwappiness !== null && limits.memorySwappiness !== -1)
    memory.swappiness = limits.memorySwappiness
  if (facts.cgroupVersion === '1' && limits.oomKillDisable) memory.disableOOMKiller = true
  return memory
}

function cpuResources(limits: Limits, previous?: Limits): NonNullable<LinuxResources['cpu']> {
  const cpu: NonNullable<LinuxResources['cpu']> = {}
  if (limits.cpuShares > 0) cpu.shares = Math.min(262_144, Math.max(2, limits.cpuShares))
  else if (previous && previous.cpuShares > 0) cpu.shares = 1024
  if (limits.nanoCpus > 0) {
    cpu.period = 100_000
    cpu.quota = Math.round(limits.nanoCpus / 10_000)
  } else {
    if (limits.cpuPeriodUs > 0) cpu.period = limits.cpuPeriodUs
    if (limits.cpuQuotaUs !== 0) cpu.quota = limits.cpuQuotaUs
    else if (previous && (previous.cpuQuotaUs > 0 || previous.nanoCpus > 0)) cpu.quota = -1
  }
  if (limits.cpuRealtimePeriodUs) cpu.realtimePeriod = limits.cpuRealtimePeriodUs
  if (limits.cpuRealtimeRuntimeUs) cpu.realtimeRuntime = limits.cpuRealtimeRuntimeUs
  if (limits.cpusetCpus) cpu.cpus = limits.cpusetCpus
  if (limits.cpusetMems) cpu.mems = limits.cpusetMems
  return cpu
}
