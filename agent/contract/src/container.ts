import * as z from 'zod'
import { labels, nameOrId, objectName } from './id.ts'
import { healthcheck, pullPolicy } from './image.ts'
import { endpointConfig } from './network.ts'

/** A published port. `hostPort` 0 asks for a free one. */
export const portBinding = z.object({
  containerPort: z.number().int().min(1).max(65535),
  protocol: z.enum(['tcp', 'udp', 'sctp']).default('tcp'),
  hostIp: z.string().default(''),
  hostPort: z.number().int().min(0).max(65535).default(0),
  /** Last port of a range on the host from which one free port is chosen (`-p 8000-8010:80`). */
  hostPortEnd: z.number().int().min(0).max(65535).optional(),
})
export type PortBinding = z.infer<typeof portBinding>

export const mount = z.object({
  type: z.enum(['bind', 'volume', 'tmpfs']),
  /** Host path for bind, volume name for volume (empty: anonymous), empty for tmpfs. */
  source: z.string().default(''),
  target: z.string().min(1),
  readOnly: z.boolean().default(false),
  /** bind: private rprivate shared rshared slave rslave. */
  propagation: z.string().default(''),
  /** bind: create a missing host directory (`-v`), or refuse (`--mount`). */
  createSource: z.boolean().default(false),
  nonRecursive: z.boolean().default(false),
  /** volume: do not copy what the image has at the target. */
  noCopy: z.boolean().default(false),
  /** Relative path in the volume to mount instead of all of it; volumes only. */
  subpath: z.string().default(''),
  volumeLabels: labels.default({}),
  volumeOptions: z.record(z.string(), z.string()).default({}),
  tmpfsSizeBytes: z.number().int().min(0).default(0),
  tmpfsMode: z.number().int().min(0).optional(),
  tmpfsOptions: z.string().default(''),
  /** How the caller spelled it, so that inspect can answer in kind: a `-v` bind string or a `--mount`. */
  /** `z` or `Z` of `-v`: kept to be told, without effect. */
  relabel: z.enum(['', 'z', 'Z']).optional(),
  spelling: z.enum(['bind-string', 'mount', 'image', 'volumes-from']).default('mount'),
})
export type Mount = z.infer<typeof mount>

export const ulimit = z.object({ name: z.string(), soft: z.number().int(), hard: z.number().int() })
export const deviceMapping = z.object({ hostPath: z.string(), containerPath: z.string(), permissions: z.string().default('rwm') })
export const blockRate = z.object({ path: z.string(), rate: z.number().int().min(0) })
export const blockWeight = z.object({ path: z.string(), weight: z.number().int() })
export const deviceRequest = z.object({
  driver: z.string(),
  count: z.number().int(),
  deviceIds: z.array(z.string()),
  capabilities: z.array(z.array(z.string())),
  options: z.record(z.string(), z.string()),
})

/** Everything that can be changed on a living container. 0 (or "") = no limit / default, as in Docker; -1 = unlimited where Docker has it. */
export const limits = z.object({
  memoryBytes: z.number().int().min(0).default(0),
  /** Memory **plus** swap; 0 = twice memory, -1 = unlimited. */
  memorySwapBytes: z.number().int().min(-1).default(0),
  memoryReservationBytes: z.number().int().min(0).default(0),
  /** null = the kernel's. */
  memorySwappiness: z.number().int().min(-1).max(100).nullable().default(null),
  kernelMemoryBytes: z.number().int().default(0),
  oomKillDisable: z.boolean().default(false),
  /** 1e9 = one core (`--cpus`); excludes quota/period. */
  nanoCpus: z.number().int().default(0),
  cpuShares: z.number().int().default(0),
  cpuPeriodUs: z.number().int().default(0),
  cpuQuotaUs: z.number().int().default(0),
  cpuRealtimePeriodUs: z.number().int().default(0),
  cpuRealtimeRuntimeUs: z.number().int().default(0),
  cpusetCpus: z.string().default(''),
  cpusetMems: z.string().default(''),
  blkioWeight: z.number().int().min(0).max(1000).default(0),
  blkioWeightDevice: z.array(blockWeight).default([]),
  deviceReadBps: z.array(blockRate).default([]),
  deviceWriteBps: z.array(blockRate).default([]),
  deviceReadIops: z.array(blockRate).default([]),
  deviceWriteIops: z.array(blockRate).default([]),
  /** 0 or -1 = unlimited. */
  pidsLimit: z.number().int().nullable().default(null),
})
export type Limits = z.infer<typeof limits>

export const restartPolicy = z.object({
  name: z.enum(['no', 'always', 'unless-stopped', 'on-failure']).default('no'),
  maximumRetryCount: z.number().int().min(0).default(0),
})
export type RestartPolicy = z.infer<typeof restartPolicy>

export const logConfig = z.object({
  driver: z.enum(['', 'json-file', 'local', 'none']).default(''),
  options: z.record(z.string(), z.string()).default({}),
})

export type LogConfig = z.infer<typeof logConfig>

/** Every option of `docker run`/`create`. Null or absent = the image's or the engine's default. */
export const containerOptions = z.object({
  image: z.string().min(1),
  platform: z.string().optional(),
  hostname: z.string().default(''),
  domainname: z.string().default(''),
  user: z.string().default(''),
  env: z.array(z.string()).default([]),
  /** null = the image's; [] = none. */
  cmd: z.array(z.string()).nullable().default(null),
  entrypoint: z.array(z.string()).nullable().default(null),
  workingDir: z.string().default(''),
  labels: labels.default({}),
  terminal: z.boolean().default(false),
  openStdin: z.boolean().default(false),
  stdinOnce: z.boolean().default(false),
  attachStdin: z.boolean().default(false),
  attachStdout: z.boolean().default(false),
  attachStderr: z.boolean().default(false),
  stopSignal: z.string().default(''),
  /** Seconds; null = 10. */
  stopTimeoutSeconds: z.number().int().nullable().default(null),
  healthcheck: healthcheck.nullable().default(null),
  exposedPorts: z.array(z.string()).default([]),
  ports: z.array(portBinding).default([]),
  publishAll: z.boolean().default(false),
  mounts: z.array(mount).default([]),
  /** Config.Volumes as an API client sent it, to be told again; what comes of it is in mounts. */
  declaredVolumes: z.array(z.string()).optional(),
  volumesFrom: z.array(z.string()).default([]),
  /** bridge | host | none | container:NAME | a network's name. '' = bridge. */
  networkMode: z.string().default(''),
  /** First the one of networkMode, then further networks; key = network name or id. */
  networks: z.record(z.string(), endpointConfig).default({}),
  networkDisabled: z.boolean().default(false),
  macAddress: z.string().default(''),
  dns: z.array(z.string()).default([]),
  dnsSearch: z.array(z.string()).default([]),
  dnsOptions: z.array(z.string()).default([]),
  extraHosts: z.array(z.string()).default([]),
  links: z.array(z.string()).default([]),
  limits: limits.default(() => limits.parse({})),
  restart: restartPolicy.default(() => restartPolicy.parse({})),
  autoRemove: z.boolean().default(false),
  log: logConfig.default(() => logConfig.parse({})),
  init: z.boolean().nullable().default(null),
  readOnlyRootfs: z.boolean().default(false),
  /** path → mount options, as `--tmpfs`. */
  tmpfs: z.record(z.string(), z.string()).default({}),
  capAdd: z.array(z.string()).default([]),
  capDrop: z.array(z.string()).default([]),
  securityOpt: z.array(z.string()).default([]),
  privileged: z.boolean().default(false),
  devices: z.array(deviceMapping).default([]),
  deviceCgroupRules: z.array(z.string()).default([]),
  deviceRequests: z.array(deviceRequest).default([]),
  groupAdd: z.array(z.string()).default([]),
  ulimits: z.array(ulimit).default([]),
  sysctls: z.record(z.string(), z.string()).default({}),
  /** '' | host | container:NAME */
  pidMode: z.string().default(''),
  /** '' | private | shareable | host | none | container:NAME */
  ipcMode: z.string().default(''),
  /** '' | host */
  utsMode: z.string().default(''),
  /** '' | host | auto */
  usernsMode: z.string().default(''),
  /** '' | private | host */
  cgroupnsMode: z.string().default(''),
  cgroupParent: z.string().default(''),
  shmSizeBytes: z.number().int().min(0).default(0),
  oomScoreAdj: z.number().int().min(-1000).max(1000).default(0),
  maskedPaths: z.array(z.string()).nullable().default(null),
  readonlyPaths: z.array(z.string()).nullable().default(null),
  storageOptions: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  runtime: z.string().default(''),
  /** '' | default: the only one there is on Linux, told again as it was sent. */
  isolation: z.string().optional(),
  /** Who makes the container's new volumes; anything but '' and `local` fails once one has to be made. */
  volumeDriver: z.string().optional(),
  /** Parts of Docker's HostConfig that do nothing on Linux or are the client's own (CpuCount, ConsoleSize, ContainerIDFile), told again as they were sent. */
  echoed: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.number())])).optional(),
  /** Parts of Docker's HostConfig that its client left out, where inspect tells null instead of an empty list. */
  unsaid: z.array(z.string()).optional(),
})
export type ContainerOptions = z.infer<typeof containerOptions>

export const createContainerInput = z.object({
  /** Absent: two random words. */
  name: objectName.optional(),
  options: containerOptions,
  pull: pullPolicy.default('never'),
})
export type CreateContainerInput = z.infer<typeof createContainerInput>

export const containerStatus = z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'])
export type ContainerStatus = z.infer<typeof containerStatus>
export const healthStatus = z.enum(['none', 'starting', 'healthy', 'unhealthy'])
export type HealthStatus = z.infer<typeof healthStatus>

/** A port as it really is now. hostIp/hostPort are null for one that is exposed but not published. */
export const boundPort = z.object({
  containerPort: z.number(),
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  hostIp: z.string().nullable(),
  hostPort: z.number().nullable(),
})
export type BoundPort = z.infer<typeof boundPort>

export const containerState = z.object({
  status: containerStatus,
  pid: z.number().int(),
  exitCode: z.number().int(),
  /** Number of the signal that ended it, else null. */
  signal: z.number().int().nullable(),
  oomKilled: z.boolean(),
  /** What the engine said when it could not start. */
  error: z.string(),
  /** The step of the monitor or the runtime that said so, if one of them did. */
  errorStep: z.string().optional(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  restartCount: z.number().int(),
  health: z.object({
    status: healthStatus,
    failingStreak: z.number().int(),
    log: z.array(z.object({ startedAt: z.string(), endedAt: z.string(), exitCode: z.number().int(), output: z.string() })),
  }),
})
export type ContainerState = z.infer<typeof containerState>

export const mountPoint = z.object({
  type: z.enum(['bind', 'volume', 'tmpfs']),
  /** Volume name, else ''. */
  name: z.string(),
  source: z.string(),
  destination: z.string(),
  mode: z.string(),
  readOnly: z.boolean(),
  propagation: z.string(),
})
export type MountPoint = z.infer<typeof mountPoint>

export const attachedNetwork = z.object({
  networkId: z.string(),
  networkName: z.string(),
  endpointId: z.string(),
  gateway: z.string(),
  ipv4: z.string(),
  ipv4PrefixLength: z.number(),
  ipv6Gateway: z.string(),
  ipv6: z.string(),
  ipv6PrefixLength: z.number(),
  mac: z.string(),
  aliases: z.array(z.string()),
  links: z.array(z.string()),
  /** What the user asked for, kept apart from what was given. */
  requested: endpointConfig,
})
export type AttachedNetwork = z.infer<typeof attachedNetwork>

export const containerSummary = z.object({
  id: z.string(),
  name: z.string(),
  /** `parent/alias` for each container that links to it. */
  linkedAs: z.array(z.string()).optional(),
  image: z.string(),
  imageId: z.string(),
  command: z.array(z.string()),
  createdAt: z.string(),
  state: containerState
    .pick({
      status: true,
      exitCode: true,
      signal: true,
      oomKilled: true,
      error: true,
      startedAt: true,
      finishedAt: true,
      restartCount: true,
      pid: true,
    })
    .extend({ health: healthStatus }),
  labels,
  ports: z.array(boundPort),
  mounts: z.array(mountPoint),
  networks: z.array(
    z.object({
      name: z.string(),
      id: z.string(),
      ipv4: z.string(),
      ipv6: z.string(),
      endpoint: attachedNetwork
        .pick({ endpointId: true, gateway: true, ipv4PrefixLength: true, ipv6Gateway: true, ipv6PrefixLength: true, mac: true })
        .optional(),
    }),
  ),
  networkMode: z.string(),
  limits,
  restart: restartPolicy,
  sizeRwBytes: z.number().nullable(),
  sizeRootFsBytes: z.number().nullable(),
})
export type ContainerSummary = z.infer<typeof containerSummary>

export const containerDetail = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  imageId: z.string(),
  /** As asked for at creation, changed by rename/update/connect. */
  options: containerOptions,
  /** Merged with the image: what really runs. */
  effective: z.object({
    command: z.array(z.string()),
    entrypoint: z.array(z.string()),
    cmd: z.array(z.string()),
    env: z.array(z.string()),
    user: z.string(),
    workingDir: z.string(),
    hostname: z.string(),
    labels,
    exposedPorts: z.array(z.string()),
    volumes: z.array(z.string()),
    stopSignal: z.string(),
    healthcheck: healthcheck.nullable(),
  }),
  state: containerState,
  ports: z.array(boundPort),
  mounts: z.array(mountPoint),
  networks: z.array(attachedNetwork),
  /** Key of the network namespace, as docker inspect's SandboxKey. */
  sandboxKey: z.string(),
  logDir: z.string(),
  hostsPath: z.string(),
  hostnamePath: z.string(),
  resolvConfPath: z.string(),
  /** Overlay directories, lowest last. */
  storage: z.object({ lower: z.array(z.string()), upper: z.string(), work: z.string(), merged: z.string() }),
  execIds: z.array(z.string()),
  sizeRwBytes: z.number().nullable(),
  sizeRootFsBytes: z.number().nullable(),
})
export type ContainerDetail = z.infer<typeof containerDetail>

export const listContainersInput = z.object({
  all: z.boolean().default(true),
  /** Docker's filter words: id name label exited status ancestor before since volume network publish expose health is-task. */
  filters: z.record(z.string(), z.array(z.string())).default({}),
  limit: z.number().int().min(0).default(0),
  size: z.boolean().default(false),
})
export type ListContainersInput = z.infer<typeof listContainersInput>

export const stopInput = z.object({ container: z.string(), timeoutSeconds: z.number().int().optional(), signal: z.string().optional() })
export const killInput = z.object({ container: z.string(), signal: z.string().default('KILL') })
export const removeContainerInput = z.object({
  container: z.string(),
  force: z.boolean().default(false),
  volumes: z.boolean().default(false),
})
export const renameInput = z.object({ container: z.string(), name: objectName })
export const updateContainerInput = z.object({ container: z.string(), limits: limits.partial(), restart: restartPolicy.optional() })
export const waitCondition = z.enum(['not-running', 'next-exit', 'removed'])
export const commitInput = z.object({
  container: z.string(),
  /** Reference, or '' for none. */
  reference: z.string().default(''),
  comment: z.string().default(''),
  author: z.string().default(''),
  /** Dockerfile instructions (`CMD ["x"]`). */
  changes: z.array(z.string()).default([]),
  pause: z.boolean().default(true),
})
export const topResult = z.object({ titles: z.array(z.string()), processes: z.array(z.array(z.string())) })
/** A = added, C = changed, D = deleted. */
export const fileChange = z.object({ kind: z.enum(['A', 'C', 'D']), path: z.string() })
export const pruneContainersInput = z.object({
  until: z.string().optional(),
  labels: z.array(z.string()).default([]),
  notLabels: z.array(z.string()).default([]),
  dryRun: z.boolean().default(false),
})

export const containerName = z.object({ container: nameOrId })
export const inspectContainerInput = containerName.extend({ size: z.boolean().default(false) })
export const topInput = containerName.extend({ psArgs: z.array(z.string()).default([]) })
/** Replaces a container by one with other options under the same name; `pull`: fetch the image first. */
export const recreateInput = containerName.extend({ options: containerOptions, pull: z.boolean().default(false) })
export type RecreateInput = z.infer<typeof recreateInput>
