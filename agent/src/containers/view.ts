/** Pure: what list and inspect say of a container. */
import type { AttachedNetwork, BoundPort, ContainerDetail, ContainerState, ContainerSummary, MountPoint } from '@berth/contract/container'
import type { Container } from './container.ts'
import type { Context } from './context.ts'

function stateOf(container: Container): ContainerState {
  const { state } = container.record
  return {
    status: container.status,
    pid: container.task?.pid ?? 0,
    exitCode: container.running ? 0 : state.exitCode,
    signal: container.running ? null : state.signal,
    oomKilled: state.oomKilled || container.oomSeen,
    error: state.error,
    errorStep: state.errorStep,
    startedAt: container.task?.startedAt ?? state.startedAt,
    finishedAt: state.finishedAt,
    restartCount: state.restartCount,
    health: container.health,
  }
}

function mountPoints(container: Container): MountPoint[] {
  return container.record.mounts.map(({ type, name, source, destination, mode, readOnly, propagation }) => ({
    type,
    name,
    source,
    destination,
    mode,
    readOnly,
    propagation,
  }))
}

/** Published and exposed ports while it runs. As in Docker, on internal networks alone there are none: nobody outside of them reaches any. */
function portsOf(context: Context, container: Container): BoundPort[] {
  if (!container.task && !container.lease) return []
  const joined = container.lease?.attached ?? []
  if (container.lease && joined.every(({ networkId }) => context.networks.isInternal(networkId))) return []
  const bound = container.lease?.ports ?? []
  const exposed = container.record.effective.exposedPorts.flatMap((text): BoundPort[] => {
    const match = /^(\d+)\/(tcp|udp|sctp)$/.exec(text.includes('/') ? text : `${text}/tcp`)
    if (!match) return []
    const containerPort = Number(match[1])
    const protocol = match[2] as BoundPort['protocol']
    if (bound.some((port) => port.containerPort === containerPort && port.protocol === protocol)) return []
    return [{ containerPort, protocol, hostIp: null, hostPort: null }]
  })
  return [...bound, ...exposed]
}

/** Networks as attached, or as wanted while it does not run. */
function networksOf(context: Context, container: Container): AttachedNetwork[] {
  const { record } = container
  if (container.lease) return container.lease.attached
  const mode = record.options.networkMode
  const wanted = mode === 'host' || mode === 'none' ? { [mode]: { aliases: [], links: [] } } : record.networks
  return Object.entries(wanted).map(([name, requested]) => {
    const network = findNetwork(context, name)
    return {
      networkId: network?.id ?? '',
      networkName: network?.name ?? name,
      endpointId: '',
      gateway: '',
      ipv4: '',
      ipv4PrefixLength: 0,
      ipv6Gateway: '',
      ipv6: '',
      ipv6PrefixLength: 0,
      mac: '',
      aliases: requested.aliases,
      links: requested.links,
      requested,
    }
  })
}

/** A network may be gone while a stopped container still wants it. */
function findNetwork(context: Context, name: string): { id: string; name: string } | null {
  try {
    return context.networks.identify(name)
  } catch {
    return null
  }
}

export interface Sizes {
  rw: number
  rootFs: number
}

export function summaryOf(context: Context, container: Container, sizes: Sizes | null): ContainerSummary {
  const { record } = container
  const { health, ...state } = stateOf(container)
  return {
    id: record.id,
    name: record.name,
    image: record.options.image,
    imageId: record.image.id,
    command: record.effective.command,
    createdAt: record.createdAt,
    state: {
      status: state.status,
      exitCode: state.exitCode,
      signal: state.signal,
      oomKilled: state.oomKilled,
      error: state.error,
      startedAt: state.startedAt,
      finishedAt: state.finishedAt,
      restartCount: state.restartCount,
      pid: state.pid,
      health: health.status,
    },
    labels: record.effective.labels,
    ports: portsOf(context, container),
    mounts: mountPoints(container),
    networks: networksOf(context, container).map(
      ({ networkName, networkId, ipv4, ipv6, endpointId, gateway, ipv4PrefixLength, ipv6Gateway, ipv6PrefixLength, mac }) => ({
        name: networkName,
        id: networkId,
        ipv4,
        ipv6,
        ...(endpointId ? { endpoint: { endpointId, gateway, ipv4PrefixLength, ipv6Gateway, ipv6PrefixLength, mac } } : {}),
      }),
    ),
    networkMode: record.options.networkMode || 'bridge',
    limits: record.options.limits,
    restart: record.options.restart,
    sizeRwBytes: sizes?.rw ?? null,
    sizeRootFsBytes: sizes?.rootFs ?? null,
  }
}

export function detailOf(context: Context, container: Container, sizes: Sizes | null): ContainerDetail {
  const { record, id } = container
  const active = context.snapshots.active(id)
  const ownsNetwork = !record.options.networkMode.startsWith('container:')
  return {
    id,
    name: record.name,
    createdAt: record.createdAt,
    imageId: record.image.id,
    options: record.options,
    effective: record.effective,
    state: stateOf(container),
    ports: portsOf(context, container),
    mounts: mountPoints(container),
    networks: networksOf(context, container),
    sandboxKey: container.task && ownsNetwork ? `/proc/${container.task.pid}/ns/net` : '',
    logDir: context.paths.logs(id),
    hostsPath: context.paths.file(id, 'hosts'),
    hostnamePath: context.paths.file(id, 'hostname'),
    resolvConfPath: context.paths.file(id, 'resolv.conf'),
    storage: { lower: active?.lower ?? [], upper: active?.upper ?? '', work: active?.work ?? '', merged: context.paths.rootfs(id) },
    execIds: [...container.execIds].filter((exec) => !container.endedExecIds.has(exec)),
    sizeRwBytes: sizes?.rw ?? null,
    sizeRootFsBytes: sizes?.rootFs ?? null,
  }
}
