/** The machine itself, once a second: processor, load, memory, disk of the data root, network. */
import { statfsSync } from 'node:fs'
import type { HostPoint } from '@berth/contract/stats'
import { KernelFile } from './kernel-file.ts'
import { networkOf } from './kernel-text.ts'

/** Devices that show traffic a second time, or traffic within the machine. */
const inner = /^(lo|veth|vb|docker|br-|virbr|tap|tun|dummy|ifb|cni|flannel)/

export class HostSampler {
  readonly #stat = new KernelFile('/proc/stat')
  readonly #load = new KernelFile('/proc/loadavg')
  readonly #memory = new KernelFile('/proc/meminfo')
  readonly #network = new KernelFile('/proc/net/dev')
  readonly #dataRoot: string
  readonly #bridgePrefix: string
  #last: { steadyMs: number; busy: number; total: number; rx: number; tx: number } | null = null

  constructor(dataRoot: string, instance: string) {
    this.#dataRoot = dataRoot
    this.#bridgePrefix = instance
  }

  /** Cumulative processor time of the machine, all states, in nanoseconds: Docker's system_cpu_usage. */
  processorNs(): number {
    return this.#times().total * 10_000_000
  }

  #times(): { busy: number; total: number } {
    const text = this.#stat.read() ?? ''
    const values = text.slice(0, text.indexOf('\n')).trim().split(/\s+/).slice(1, 9).map(Number)
    const total = values.reduce((sum, value) => sum + value, 0)
    return { busy: total - (values[3] ?? 0) - (values[4] ?? 0), total }
  }

  read(atMs: number): HostPoint {
    const { busy, total } = this.#times()
    const memory = this.#memory.read() ?? ''
    const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0) * 1024
    let rx = 0
    let tx = 0
    const network = networkOf(this.#network.read())
    for (const [name, device] of Object.entries(network)) {
      if (inner.test(name) || name.startsWith(this.#bridgePrefix)) continue
      rx += device.rxBytes
      tx += device.txBytes
    }
    const last = this.#last
    // Rates by the monotonic clock: the wall clock can be set.
    const steadyMs = performance.now()
    this.#last = { steadyMs, busy, total, rx, tx }
    const seconds = last ? Math.max(0.001, (steadyMs - last.steadyMs) / 1000) : 1
    const disk = statfsSync(this.#dataRoot)
    return {
      at: atMs,
      cpuPercent: last && total > last.total ? (100 * (busy - last.busy)) / (total - last.total) : 0,
      load1: Number((this.#load.read() ?? '0').split(' ')[0]),
      memoryUsedBytes: kb('MemTotal') - kb('MemAvailable'),
      memoryTotalBytes: kb('MemTotal'),
      swapUsedBytes: kb('SwapTotal') - kb('SwapFree'),
      diskUsedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      diskTotalBytes: disk.blocks * disk.bsize,
      rxBps: last ? Math.max(0, rx - last.rx) / seconds : 0,
      txBps: last ? Math.max(0, tx - last.tx) / seconds : 0,
    }
  }

  close(): void {
    for (const file of [this.#stat, this.#load, this.#memory, this.#network]) file.close()
  }
}
