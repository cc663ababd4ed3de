/** Reads one container's cgroup, v1 or v2, and its network devices. Keeps its files open; close() when the container ends. */
import type { StatsSample } from '@berth/contract/stats'
import { KernelFileSet, readOnce } from './kernel-file.ts'
import { blockIoV1, blockIoV2, fieldOf, networkOf, numberOf, pairsOf, pressureOf } from './kernel-text.ts'

/** Cumulative counters and levels of one moment; rates are made of two of them. */
export interface Reading {
  atMs: number
  /** The same moment by the monotonic clock: rates are made of it, for the other can be set. */
  steadyMs: number
  cpuNs: number
  periods: number
  throttledPeriods: number
  throttledNs: number
  memoryBytes: number
  workingBytes: number
  limitBytes: number | null
  pids: number
  rxBytes: number
  txBytes: number
  readBytes: number
  writeBytes: number
  /** memory.stat as it was read, for complete(). */
  detail: string | null
  /** What a full sample has; complete() adds the rest. */
  full: Omit<StatsSample, 'at' | 'cpu'> & { cpu: Pick<StatsSample['cpu'], 'userNs' | 'systemNs' | 'perCpuNs'> }
}

const root = '/sys/fs/cgroup'
const userHzNs = 10_000_000
/** Numbers of the files in a sampler's set, given as they are first asked for; no file name occurs in two hierarchies. */
const numbers = { '1': new Map<string, number>(), '2': new Map<string, number>() }

export class CgroupSampler {
  readonly #version: '1' | '2'
  readonly #cgroup: string
  readonly #pid: number
  readonly #withNetwork: boolean
  readonly #files = new KernelFileSet()

  constructor(version: '1' | '2', about: { cgroup: string; pid: number; ownNetwork: boolean }) {
    this.#version = version
    this.#cgroup = about.cgroup
    this.#pid = about.pid
    this.#withNetwork = about.ownNetwork
  }

  /** @param controller v1 hierarchy; the same file name of v2 is in the one */
  #text(controller: string, name: string): string | null {
    const known = numbers[this.#version]
    let number = known.get(name)
    if (number === undefined) {
      number = known.size
      known.set(name, number)
    }
    return this.#files.read(number, () =>
      this.#version === '2' ? `${root}${this.#cgroup}/${name}` : `${root}/${controller}${this.#cgroup}/${name}`,
    )
  }

  close(): void {
    this.#files.close()
  }

  read(atMs: number): Reading {
    const network = this.#withNetwork ? networkOf(readOnce(`/proc/${this.#pid}/net/dev`)) : {}
    let rxBytes = 0
    let txBytes = 0
    for (const name in network) {
      rxBytes += network[name]?.rxBytes ?? 0
      txBytes += network[name]?.txBytes ?? 0
    }
    const rest = this.#version === '2' ? this.#readV2() : this.#readV1()
    return { ...rest, atMs, steadyMs: performance.now(), rxBytes, txBytes, full: { ...rest.full, network } }
  }

  #readV1() {
    const throttle = this.#text('cpu', 'cpu.stat')
    const memoryStat = this.#text('memory', 'memory.stat')
    const usage = numberOf(this.#text('memory', 'memory.usage_in_bytes')) ?? 0
    const inactive = fieldOf(memoryStat, 'total_inactive_file')
    const limit = numberOf(this.#text('memory', 'memory.limit_in_bytes'))
    const pids = numberOf(this.#text('pids', 'pids.current')) ?? 0
    const blockIo = blockIoV1(this.#text('blkio', 'blkio.throttle.io_service_bytes'), this.#text('blkio', 'blkio.throttle.io_serviced'))
    const times = this.#text('cpuacct', 'cpuacct.stat')
    return {
      cpuNs: numberOf(this.#text('cpuacct', 'cpuacct.usage')) ?? 0,
      periods: fieldOf(throttle, 'nr_periods'),
      throttledPeriods: fieldOf(throttle, 'nr_throttled'),
      throttledNs: fieldOf(throttle, 'throttled_time'),
      memoryBytes: usage,
      workingBytes: Math.max(0, usage - inactive),
      limitBytes: limit,
      pids,
      readBytes: blockIo.readBytes,
      writeBytes: blockIo.writeBytes,
      full: {
        cpu: {
          userNs: fieldOf(times, 'user') * userHzNs,
          systemNs: fieldOf(times, 'system') * userHzNs,
          perCpuNs: [] as number[],
        },
        memory: {
          usageBytes: usage,
          workingBytes: Math.max(0, usage - inactive),
          limitBytes: limit,
          maxUsageBytes: null as number | null,
          swapBytes: fieldOf(memoryStat, 'total_swap'),
          failures: 0,
          parts: {} as Record<string, number>,
        },
        pids: { current: pids, limit: null as number | null },
        blockIo,
        pressure: null as StatsSample['pressure'],
      },
      detail: memoryStat,
    }
  }

  #readV2() {
    const cpu = this.#text('cpu', 'cpu.stat')
    const memoryStat = this.#text('memory', 'memory.stat')
    const usage = numberOf(this.#text('memory', 'memory.current')) ?? 0
    const inactive = fieldOf(memoryStat, 'inactive_file')
    const limit = numberOf(this.#text('memory', 'memory.max'))
    const pids = numberOf(this.#text('pids', 'pids.current')) ?? 0
    const blockIo = blockIoV2(this.#text('io', 'io.stat'))
    return {
      cpuNs: fieldOf(cpu, 'usage_usec') * 1000,
      periods: fieldOf(cpu, 'nr_periods'),
      throttledPeriods: fieldOf(cpu, 'nr_throttled'),
      throttledNs: fieldOf(cpu, 'throttled_usec') * 1000,
      memoryBytes: usage,
      workingBytes: Math.max(0, usage - inactive),
      limitBytes: limit,
      pids,
      readBytes: blockIo.readBytes,
      writeBytes: blockIo.writeBytes,
      full: {
        cpu: { userNs: fieldOf(cpu, 'user_usec') * 1000, systemNs: fieldOf(cpu, 'system_usec') * 1000, perCpuNs: [] as number[] },
        memory: {
          usageBytes: usage,
          workingBytes: Math.max(0, usage - inactive),
          limitBytes: limit,
          maxUsageBytes: null as number | null,
          swapBytes: 0,
          failures: 0,
          parts: {} as Record<string, number>,
        },
        pids: { current: pids, limit: null as number | null },
        blockIo,
        pressure: null as StatsSample['pressure'],
      },
      detail: memoryStat,
    }
  }

  /** The parts that only a full sample shows: read when somebody looks, not for the history. */
  complete(reading: Reading): Reading {
    const { memory, pids } = reading.full
    memory.parts = pairsOf(reading.detail)
    if (this.#version === '1') {
      reading.full.cpu = {
        ...reading.full.cpu,
        perCpuNs: (this.#text('cpuacct', 'cpuacct.usage_percpu') ?? '').trim().split(/\s+/).filter(Boolean).map(Number),
      }
      memory.maxUsageBytes = numberOf(this.#text('memory', 'memory.max_usage_in_bytes'))
      memory.failures = numberOf(this.#text('memory', 'memory.failcnt')) ?? 0
      pids.limit = numberOf(this.#text('pids', 'pids.max'))
      return reading
    }
    memory.maxUsageBytes = numberOf(this.#text('memory', 'memory.peak'))
    memory.swapBytes = numberOf(this.#text('memory', 'memory.swap.current')) ?? 0
    memory.failures = fieldOf(this.#text('memory', 'memory.events'), 'max')
    pids.limit = numberOf(this.#text('pids', 'pids.max'))
    const cpu = this.#text('cpu', 'cpu.pressure')
    if (cpu !== null)
      reading.full.pressure = {
        cpu: pressureOf(cpu),
        memory: pressureOf(this.#text('memory', 'memory.pressure')),
        io: pressureOf(this.#text('io', 'io.pressure')),
      }
    return reading
  }
}
