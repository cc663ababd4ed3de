import { join } from 'node:path'
import type { DiskUsage, SystemInfo } from '@berth/contract/system'
import { readAgentVersion } from './agent-version.ts'
import type { Builder } from './build/build.ts'
import { createBuilder } from './build/create-builder.ts'
import type { AgentConfig } from './config.ts'
import type { Containers } from './containers/containers.ts'
import { createContainers } from './containers/create-containers.ts'
import { createContentStore } from './content/content-store.ts'
import { lockDataRoot } from './disk/lock.ts'
import { readEngineId } from './engine-id.ts'
import { messageOf } from './errors.ts'
import { createEvents } from './events/create-events.ts'
import type { Events } from './events/events.ts'
import { createGc } from './gc/create-gc.ts'
import { createImages } from './images/create-images.ts'
import type { Images } from './images/images.ts'
import type { Logger } from './log.ts'
import { createNative, type Native } from './native/native.ts'
import { createNetworks } from './networks/create-networks.ts'
import type { Networks } from './networks/networks.ts'
import { createOperations } from './operations/create-operations.ts'
import type { Operations } from './operations/operations.ts'
import { createRegistries } from './registry/create-registries.ts'
import type { Registries } from './registry/registries.ts'
import { createRegistryClient } from './registry/registry-client.ts'
import { createSnapshots } from './snapshots/create-snapshots.ts'
import { requireOverlay } from './snapshots/require-overlay.ts'
import { createSystem } from './system-info.ts'
import { createLogs } from './tasks/create-logs.ts'
import { createStats } from './tasks/create-stats.ts'
import { createTasks } from './tasks/create-tasks.ts'
import type { Logs, Stats } from './tasks/tasks.ts'
import { createVolumes } from './volumes/create-volumes.ts'
import type { VolumeFiles } from './volumes/files.ts'
import { createVolumeFiles } from './volumes/volume-files.ts'
import type { Volumes } from './volumes/volumes.ts'

/** All rooms, wired. api/ and engine-api/ see this and nothing behind it. */
export interface Engine {
  config: AgentConfig
  events: Events
  operations: Operations
  images: Images
  registries: Registries
  volumes: Volumes
  volumeFiles: VolumeFiles
  networks: Networks
  containers: Containers
  logs: Logs
  stats: Stats
  builder: Builder
  system: {
    info(): Promise<SystemInfo>
    diskUsage(): Promise<DiskUsage>
  }
  /** A shell on the host itself in a new terminal; ends with the agent. Whether a caller may is the edge's question. */
  openHostTerminal: Native['openHostTerminal']
  close(): Promise<void>
}

/**
 * Builds and wires every room, lowest first: the only place that knows them all. When it resolves, containers that went on running while no agent was
 * there are watched again. What a failure leaves is closed in the opposite order.
 * @throws failed_precondition when another agent holds the data root
 */
export async function openEngine(config: AgentConfig, log: Logger): Promise<Engine> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await build(config, log, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function build(
  config: AgentConfig,
  log: Logger,
  closers: (() => Promise<unknown> | unknown)[],
  close: () => Promise<void>,
): Promise<Engine> {
  const { dataRoot, nativeDir } = config
  const lock = await lockDataRoot(dataRoot)
  closers.push(() => lock.release())
  await requireOverlay(dataRoot)
  const events = await createEvents({ dataRoot, log })
  closers.push(() => events.close())
  const operations = await createOperations({ dataRoot, events, log })
  closers.push(() => operations.close())
  const native = createNative({ nativeDir, runtimePath: config.runtimePath, runtimeRoot: join(config.runRoot, 'runtime') })
  const content = await createContentStore({ dataRoot })
  const snapshots = await createSnapshots({ dataRoot, nativeDir, content, log })
  closers.push(() => snapshots.close())
  const gc = createGc({ content, snapshots })
  const registry = createRegistryClient({ mirrors: config.registryMirrors, insecure: config.insecureRegistries })
  closers.push(() => registry.close())
  const registries = await createRegistries({ dataRoot, registry, mirrors: config.registryMirrors, log })
  const images = await createImages({
    dataRoot,
    nativeDir,
    content,
    snapshots,
    registry,
    events,
    credentials: (domain) => registries.credentials(domain),
    gc,
    log,
  })
  const volumes = await createVolumes({ dataRoot, nativeDir, events, log })
  closers.push(() => volumes.close())
  const networks = createNetworks({ instance: config.instance, dataRoot, pools: config.addressPools, events, log })
  await networks.open()
  closers.push(() => networks.close())
  const tasks = createTasks({ native, log })
  const containers = await createContainers({ config, log, native, events, images, snapshots, volumes, networks, tasks })
  await containers.open()
  closers.push(() => containers.close())
  const stats = createStats({
    source: containers,
    events,
    log,
    cgroupVersion: containers.cgroupVersion,
    dataRoot,
    instance: config.instance,
  })
  stats.open()
  closers.push(() => stats.close())
  const builder = await createBuilder({ dataRoot, nativeDir, images, containers, snapshots, content, log })
  closers.push(() => builder.close())
  // Long work is ended while the rooms that it works in are still there.
  closers.push(() => operations.close())
  const rooms = { config, containers, images, volumes, networks, builder }
  // What a crash left of pulls and removals goes now, behind everybody's back; every room has named what it needs by here.
  gc.collect().catch((error) => log.error({ reason: messageOf(error) }, 'what an earlier life left could not be removed'))
  return {
    ...rooms,
    events,
    operations,
    registries,
    volumeFiles: createVolumeFiles({ unpackPath: native.paths.unpack, mountpoint: (name) => volumes.mountpoint(name) }),
    logs: createLogs(containers),
    stats,
    system: createSystem(rooms, { engineId: readEngineId(dataRoot), agentVersion: readAgentVersion(), runtimePath: native.paths.runtime }),
    openHostTerminal: native.openHostTerminal,
    close,
  }
}
