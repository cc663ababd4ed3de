import type { DiskUsage, SystemInfo } from '@berth/contract/system'
import { EngineError } from '../errors.ts'
import { apiVersion, type Call, minApiVersion, type Route, readObject, sendEmpty, sendJson } from './call.ts'
import { Fields } from './fields.ts'
import { unixSeconds } from './words.ts'

/** GET and HEAD: answered without touching the engine, because clients negotiate with it before everything. */
async function ping(call: Call): Promise<void> {
  call.response.writeHead(200, {
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': call.request.method === 'HEAD' ? 0 : 2,
  })
  call.response.end(call.request.method === 'HEAD' ? undefined : 'OK')
}

/** Node's and Docker's names of processors differ. */
const goArch: Record<string, string> = { x64: 'amd64', x86_64: 'amd64', arm64: 'arm64', aarch64: 'arm64', arm: 'arm', ia32: '386' }

async function version(call: Call): Promise<void> {
  const info = await call.engine.system.info()
  const arch = goArch[info.architecture] ?? info.architecture
  sendJson(call, 200, {
    Platform: { Name: 'Berth' },
    Components: [
      {
        Name: 'Engine',
        Version: info.agentVersion,
        Details: {
          ApiVersion: apiVersion,
          Arch: arch,
          Experimental: 'false',
          KernelVersion: info.kernel,
          MinAPIVersion: minApiVersion,
          Os: 'linux',
        },
      },
      { Name: info.runtime.name, Version: info.runtime.version, Details: {} },
    ],
    Version: info.agentVersion,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: arch,
    KernelVersion: info.kernel,
    BuildTime: '',
  })
}

function infoBody(info: SystemInfo): Record<string, unknown> {
  const has = (controller: string) => info.controllers.includes(controller)
  const registryEntries = Object.fromEntries(
    info.insecureRegistries
      .filter((one) => !one.includes('/'))
      .map((one) => [one, { Name: one, Mirrors: [], Secure: false, Official: false }]),
  )
  return {
    ID: info.engineId,
    Containers: info.counts.containers,
    ContainersRunning: info.counts.running,
    ContainersPaused: info.counts.paused,
    ContainersStopped: info.counts.stopped,
    Images: info.counts.images,
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', info.backingFilesystem],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
    ],
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['json-file', 'local', 'none'] },
    MemoryLimit: has('memory'),
    SwapLimit: has('memory'),
    KernelMemory: false,
    KernelMemoryTCP: false,
    CpuCfsPeriod: has('cpu'),
    CpuCfsQuota: has('cpu'),
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    IPv4Forwarding: true,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: false,
    OomKillDisable: info.cgroupVersion === '1',
    NFd: 0,
    NGoroutines: 0,
    SystemTime: info.now,
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: info.cgroupVersion,
    NEventsListener: 0,
    KernelVersion: info.kernel,
    OperatingSystem: info.os,
    OSVersion: info.osVersion,
    OSType: 'linux',
    Architecture: info.architecture === 'x64' ? 'x86_64' : info.architecture === 'arm64' ? 'aarch64' : info.architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...info.insecureRegistries.filter((one) => one.includes('/'))],
      IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: info.registryMirrors, Secure: true, Official: true }, ...registryEntries },
      Mirrors: info.registryMirrors,
    },
    NCPU: info.cpus,
    MemTotal: info.memoryBytes,
    GenericResources: null,
    DockerRootDir: info.dataRoot,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: info.hostname,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: info.agentVersion,
    // The names under which --runtime finds it.
    Runtimes: {
      berth: { path: info.runtime.path },
      'io.containerd.runc.v2': { path: info.runtime.path },
      runc: { path: info.runtime.path },
    },
    DefaultRuntime: 'berth',
    Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'berth-init',
    ContainerdCommit: { ID: '', Expected: '' },
    RuncCommit: { ID: info.runtime.version, Expected: info.runtime.version },
    InitCommit: { ID: info.agentVersion, Expected: info.agentVersion },
    SecurityOptions: info.securityOptions,
    DefaultAddressPools: null,
    CDISpecDirs: [],
    Warnings: info.warnings.length > 0 ? info.warnings : null,
  }
}

async function info(call: Call): Promise<void> {
  sendJson(call, 200, infoBody(await call.engine.system.info()))
}

function dfImages(usage: DiskUsage): Record<string, unknown>[] {
  return usage.images.map((image) => ({
    Id: image.id,
    ParentId: '',
    RepoTags: image.tags,
    RepoDigests: [],
    Created: unixSeconds(image.createdAt),
    Size: image.sizeBytes,
    SharedSize: image.sharedBytes,
    VirtualSize: image.sizeBytes,
    Labels: null,
    Containers: image.containers,
  }))
}

async function diskUsage(call: Call): Promise<void> {
  const types = call.query.getAll('type')
  for (const type of types)
    if (!['container', 'image', 'volume', 'build-cache'].includes(type))
      throw new EngineError('invalid_argument', `unknown object type: ${type}`)
  const wanted = (type: string) => types.length === 0 || types.includes(type)
  const [usage, volumes, containers] = await Promise.all([
    call.engine.system.diskUsage(),
    wanted('volume') ? call.engine.volumes.list({ withSize: true }) : [],
    wanted('container') ? call.engine.containers.list({ all: true, filters: {}, limit: 0, size: true }) : [],
  ])
  const { summaryBody } = await import('./container-body.ts')
  const { volumeBody } = await import('./volumes.ts')
  const now = Date.now()
  sendJson(call, 200, {
    LayersSize: usage.layersBytes,
    Images: wanted('image') ? dfImages(usage) : null,
    Containers: wanted('container') ? containers.map((container) => summaryBody(container, now)) : null,
    Volumes: wanted('volume') ? volumes.map(volumeBody) : null,
    BuildCache: wanted('build-cache')
      ? usage.buildCache.map((entry) => ({
          ID: entry.id,
          Type: 'regular',
          Description: entry.description,
          InUse: entry.inUse,
          Shared: entry.shared,
          Size: entry.sizeBytes,
          CreatedAt: entry.createdAt,
          LastUsedAt: entry.lastUsedAt,
          UsageCount: entry.usageCount,
        }))
      : null,
    ...(call.minor < 42 ? { BuilderSize: 0 } : {}),
  })
}

/** Checks credentials with the registry; nothing is stored: the client keeps its own. */
async function auth(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const result = await call.engine.registries.login(
    {
      username: fields.text('username'),
      password: fields.text('password'),
      identityToken: fields.text('identitytoken') || undefined,
      serverAddress: fields.text('serveraddress') || 'https://index.docker.io/v1/',
    },
    { store: false },
  )
  sendJson(call, 200, { IdentityToken: result.identityToken, Status: result.status })
}

export const systemRoutes: readonly Route[] = [
  ['GET', /^\/_ping$/, ping],
  ['HEAD', /^\/_ping$/, ping],
  ['GET', /^\/version$/, version],
  ['GET', /^\/info$/, info],
  ['GET', /^\/system\/df$/, diskUsage],
  ['POST', /^\/auth$/, auth],
  // As Docker: a question that is answered with nothing, whatever the path.
  ['OPTIONS', /^\//, async (call) => sendEmpty(call, 200)],
]
