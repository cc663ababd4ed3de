import type { ContainerDetail } from '@berth/contract/container'
import type { StatsSample } from '@berth/contract/stats'
import { type Call, flag, type Route, sendJson, writeOut } from './call.ts'
import { zeroTime } from './words.ts'

function cpuBody(sample: StatsSample | null): Record<string, unknown> {
  if (!sample)
    return {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    }
  const { cpu } = sample
  return {
    cpu_usage: {
      total_usage: cpu.totalNs,
      ...(cpu.perCpuNs.length > 0 ? { percpu_usage: cpu.perCpuNs } : {}),
      usage_in_kernelmode: cpu.systemNs,
      usage_in_usermode: cpu.userNs,
    },
    system_cpu_usage: cpu.hostNs,
    online_cpus: cpu.onlineCpus,
    throttling_data: { periods: cpu.periods, throttled_periods: cpu.throttledPeriods, throttled_time: cpu.throttledNs },
  }
}

function memoryBody(sample: StatsSample | null, hostMemory: number): Record<string, unknown> {
  if (!sample) return {}
  const { memory } = sample
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes === null ? {} : { max_usage: memory.maxUsageBytes }),
    stats: memory.parts,
    ...(memory.failures > 0 ? { failcnt: memory.failures } : {}),
    limit: memory.limitBytes ?? hostMemory,
  }
}

function blockBody(sample: StatsSample | null): Record<string, unknown> {
  const entries = (pick: (device: StatsSample['blockIo']['devices'][number]) => [number, number]) =>
    (sample?.blockIo.devices ?? []).flatMap((device) => {
      const [read, write] = pick(device)
      return [
        { major: device.major, minor: device.minor, op: 'Read', value: read },
        { major: device.major, minor: device.minor, op: 'Write', value: write },
      ]
    })
  const list = (values: unknown[]) => (sample ? values : null)
  return {
    io_service_bytes_recursive: list(entries((device) => [device.readBytes, device.writeBytes])),
    io_serviced_recursive: list(entries((device) => [device.readOps, device.writeOps])),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  }
}

function statsBody(
  detail: ContainerDetail,
  previous: StatsSample | null,
  sample: StatsSample | null,
  hostMemory: number,
): Record<string, unknown> {
  const networks = Object.entries(sample?.network ?? {}).map(([name, counters]) => [
    name,
    {
      rx_bytes: counters.rxBytes,
      rx_packets: counters.rxPackets,
      rx_errors: counters.rxErrors,
      rx_dropped: counters.rxDropped,
      tx_bytes: counters.txBytes,
      tx_packets: counters.txPackets,
      tx_errors: counters.txErrors,
      tx_dropped: counters.txDropped,
    },
  ])
  return {
    name: `/${detail.name}`,
    id: detail.id,
    read: sample?.at ?? zeroTime,
    preread: previous?.at ?? zeroTime,
    pids_stats: sample ? { current: sample.pids.current, ...(sample.pids.limit === null ? {} : { limit: sample.pids.limit }) } : {},
    blkio_stats: blockBody(sample),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuBody(sample),
    precpu_stats: cpuBody(previous),
    memory_stats: memoryBody(sample, hostMemory),
    ...(networks.length > 0 ? { networks: Object.fromEntries(networks) } : {}),
  }
}

async function stats(call: Call): Promise<void> {
  const detail = await call.engine.containers.inspect(call.params[0] as string)
  const { memoryBytes } = await call.engine.system.info()
  const running = detail.state.pid > 0
  if (!flag(call.query, 'stream', true)) {
    if (!running) return sendJson(call, 200, statsBody(detail, null, null, memoryBytes))
    const { previous, sample } = await call.engine.stats.sample(detail.id)
    return sendJson(call, 200, statsBody(detail, flag(call.query, 'one-shot') ? null : previous, sample, memoryBytes))
  }
  call.response.writeHead(200, { 'Content-Type': 'application/json' })
  call.response.flushHeaders()
  let busy = false
  const send = (previous: StatsSample | null, sample: StatsSample | null) => {
    // A reader that does not keep up misses samples, never delays them: each carries its own predecessor.
    if (busy) return
    busy = true
    void writeOut(call.response, `${JSON.stringify(statsBody(detail, previous, sample, memoryBytes))}\n`).then(() => {
      busy = false
    })
  }
  let previous: StatsSample | null = null
  if (running) {
    const first = await call.engine.stats.sample(detail.id)
    previous = first.sample
    send(first.previous, first.sample)
  } else send(null, null)
  await new Promise<void>((resolve) => {
    const leave = call.engine.stats.subscribe({ containers: [detail.id], host: false }, ({ containers }) => {
      const sample = containers[0]?.sample ?? null
      send(previous, sample)
      previous = sample
    })
    const unsubscribe = call.engine.events.subscribe((event) => {
      if (event.type === 'container' && event.action === 'destroy' && event.actorId === detail.id) stop()
    })
    const stop = () => {
      leave()
      unsubscribe()
      resolve()
    }
    if (call.signal.aborted) stop()
    else call.signal.addEventListener('abort', stop, { once: true })
  })
  call.response.end()
}

export const statsRoutes: readonly Route[] = [['GET', /^\/containers\/([^/]+)\/stats$/, stats]]
