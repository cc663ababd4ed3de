import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Engine } from '../engine.ts'

/** A metric family of the Prometheus text format, version 0.0.4. */
interface Family {
  name: string
  type: 'gauge' | 'counter'
  help: string
  samples: { labels?: Record<string, string>; value: number }[]
}

const delay = monitorEventLoopDelay({ resolution: 20 })

/** Everything about this host as Prometheus text. Written by hand: the format is ten lines, a client library is 13 MB of resident memory. */
export async function metricsText(engine: Engine): Promise<string> {
  const containers = await engine.containers.list({ all: true, filters: {}, limit: 0, size: false })
  const families = [...agentFamilies(engine), ...hostFamilies(engine), ...containerFamilies(engine, containers)]
  return `${families.map(textOf).join('\n')}\n`
}

function agentFamilies(engine: Engine): Family[] {
  // Measured from the first scrape on, so that an agent without monitoring pays nothing.
  delay.enable()
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  const operations = engine.operations.list()
  const one = (name: string, type: Family['type'], help: string, value: number): Family => ({ name, type, help, samples: [{ value }] })
  return [
    one('berth_agent_resident_memory_bytes', 'gauge', 'Resident memory of the agent.', memory.rss),
    one('berth_agent_heap_used_bytes', 'gauge', 'JavaScript heap in use.', memory.heapUsed),
    one('berth_agent_cpu_seconds_total', 'counter', 'CPU time of the agent.', (cpu.user + cpu.system) / 1e6),
    one('berth_agent_uptime_seconds', 'gauge', 'Time since the agent started.', process.uptime()),
    one(
      'berth_agent_event_loop_delay_seconds',
      'gauge',
      '99th percentile of the event loop delay.',
      Number.isNaN(delay.mean) ? 0 : delay.percentile(99) / 1e9,
    ),
    one('berth_events_total', 'counter', 'Events of this agent.', engine.events.cursor().sequence),
    one(
      'berth_operations_running',
      'gauge',
      'Long work under way.',
      operations.filter((operation) => operation.state === 'running').length,
    ),
  ]
}

function hostFamilies(engine: Engine): Family[] {
  const point = engine.stats.hostHistory().at(-1)
  if (!point) return []
  const one = (name: string, help: string, value: number): Family => ({ name, type: 'gauge', help, samples: [{ value }] })
  return [
    one('berth_host_cpu_percent', 'CPU use of the host, 100 per core.', point.cpuPercent),
    one('berth_host_load1', 'One-minute load average.', point.load1),
    one('berth_host_memory_used_bytes', 'Memory in use.', point.memoryUsedBytes),
    one('berth_host_memory_total_bytes', 'Memory of the host.', point.memoryTotalBytes),
    one('berth_host_data_used_bytes', 'Bytes used on the file system of the data root.', point.diskUsedBytes),
    one('berth_host_data_total_bytes', 'Size of the file system of the data root.', point.diskTotalBytes),
  ]
}

function containerFamilies(engine: Engine, containers: Awaited<ReturnType<Engine['containers']['list']>>): Family[] {
  const states = new Map<string, number>()
  for (const container of containers) states.set(container.state.status, (states.get(container.state.status) ?? 0) + 1)
  const points = containers.flatMap((container) => {
    const point = container.state.status === 'running' ? engine.stats.history(container.id).at(-1) : undefined
    return point ? [{ labels: { id: container.id.slice(0, 12), name: container.name, image: container.image }, point }] : []
  })
  const each = (name: string, help: string, value: (point: (typeof points)[number]['point']) => number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: points.map(({ labels, point }) => ({ labels, value: value(point) })),
  })
  return [
    {
      name: 'berth_containers',
      type: 'gauge',
      help: 'Containers by state.',
      samples: [...states].map(([state, value]) => ({ labels: { state }, value })),
    },
    {
      name: 'berth_container_restarts_total',
      type: 'counter',
      help: 'Restarts by the restart policy.',
      samples: containers.map((container) => ({
        labels: { id: container.id.slice(0, 12), name: container.name },
        value: container.state.restartCount,
      })),
    },
    each('berth_container_cpu_percent', '100 per core.', (point) => point.cpuPercent),
    each('berth_container_memory_bytes', 'Memory without the cache that can go.', (point) => point.memoryBytes),
    each('berth_container_pids', 'Processes and threads.', (point) => point.pids),
    each('berth_container_network_receive_bytes_per_second', 'Received per second.', (point) => point.rxBps),
    each('berth_container_network_transmit_bytes_per_second', 'Sent per second.', (point) => point.txBps),
    each('berth_container_block_read_bytes_per_second', 'Read per second.', (point) => point.readBps),
    each('berth_container_block_write_bytes_per_second', 'Written per second.', (point) => point.writeBps),
  ]
}

function textOf({ name, type, help, samples }: Family): string {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
  ].join('\n')
}

function labelText(labels: Record<string, string> | undefined): string {
  if (!labels) return ''
  const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`
}
