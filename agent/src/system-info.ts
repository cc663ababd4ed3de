import { statfsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { cpus, hostname, release, totalmem, uptime } from 'node:os'
import { join } from 'node:path'
import { type DiskUsage, featureNames, type SystemInfo } from '@berth/contract/system'
import type { AgentConfig } from './config.ts'
import type { Engine } from './engine.ts'
import { messageOf } from './errors.ts'
import { runProgram } from './native/programs.ts'

/** Everything that cannot change while the agent runs, read once. */
interface Fixed {
  os: string
  osVersion: string
  backingFilesystem: string
  cgroupVersion: '1' | '2'
  controllers: string[]
  runtime: { name: string; version: string; path: string }
  warnings: string[]
  startedAt: string
  bootedAt: string
}

/** Answers for `system.info` and `docker info`, and where the disk went. */
export function createSystem(
  engine: Pick<Engine, 'config' | 'containers' | 'images' | 'volumes' | 'networks' | 'builder'>,
  about: { engineId: string; agentVersion: string; runtimePath: string },
): Engine['system'] {
  let fixed: Promise<Fixed> | null = null
  const info = async (): Promise<SystemInfo> => {
    fixed ??= readFixed(engine.config, about.runtimePath)
    const [{ warnings, ...facts }, containers, images, volumes] = await Promise.all([
      fixed,
      engine.containers.list({ all: true, filters: {}, limit: 0, size: false }),
      engine.images.list({ all: true }),
      engine.volumes.list(),
    ])
    const count = (...wanted: string[]) => containers.filter((container) => wanted.includes(container.state.status)).length
    const { policy } = engine.config
    return {
      agentVersion: about.agentVersion,
      engineId: about.engineId,
      hostname: hostname(),
      kernel: release(),
      architecture: goArchitecture(),
      cpus: cpus().length,
      memoryBytes: totalmem(),
      dataRoot: engine.config.dataRoot,
      storageDriver: 'overlay2',
      securityOptions: ['name=seccomp,profile=builtin', ...(facts.cgroupVersion === '2' ? ['name=cgroupns'] : [])],
      registryMirrors: engine.config.registryMirrors,
      insecureRegistries: engine.config.insecureRegistries,
      counts: {
        containers: containers.length,
        running: count('running', 'restarting'),
        paused: count('paused'),
        stopped: count('created', 'exited', 'dead', 'removing'),
        images: images.length,
        volumes: volumes.length,
        networks: engine.networks.list().length,
      },
      warnings: [...warnings, ...engine.networks.warnings()],
      features: featureNames.filter((name) => name !== 'host-console' || !policy.noHostConsole),
      policy,
      now: new Date().toISOString(),
      ...facts,
    }
  }
  return { info, diskUsage: () => diskUsage(engine) }
}

function goArchitecture(): string {
  return { x64: 'x86_64', arm64: 'aarch64', arm: 'armv7l', ia32: 'i686' }[process.arch as string] ?? process.arch
}

async function readFixed(config: AgentConfig, runtimePath: string): Promise<Fixed> {
  const release = osRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''))
  const v2 = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => null)
  const controllers = v2 === null ? await mountedControllers() : v2.trim().split(/\s+/)
  return {
    os: release.PRETTY_NAME ?? 'Linux',
    osVersion: release.VERSION_ID ?? '',
    backingFilesystem: await filesystemOf(config.dataRoot),
    cgroupVersion: v2 === null ? '1' : '2',
    controllers,
    runtime: await runtimeVersion(runtimePath),
    warnings: await missingLimits(v2 === null, controllers),
    startedAt: new Date().toISOString(),
    bootedAt: new Date(Date.now() - uptime() * 1000).toISOString(),
  }
}

function osRelease(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+)="?(.*?)"?$/gm)].map((match) => [match[1], match[2]]))
}

async function mountedControllers(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  const options = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, , type, words]) => (type === 'cgroup' ? (words ?? '').split(',') : []))
  const known = (await readFile('/proc/cgroups', 'utf8'))
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[0] as string)
  return known.filter((name) => options.includes(name))
}

/** Docker's sentences about what limits this kernel cannot enforce. */
async function missingLimits(v1: boolean, controllers: string[]): Promise<string[]> {
  const warnings: string[] = []
  const lacks = (name: string) => !controllers.includes(name)
  if (lacks('memory')) warnings.push('WARNING: No memory limit support')
  if (lacks('cpu'))
    warnings.push('WARNING: No cpu cfs quota support', 'WARNING: No cpu cfs period support', 'WARNING: No cpu shares support')
  if (lacks('cpuset')) warnings.push('WARNING: No cpuset support')
  if (lacks('pids')) warnings.push('WARNING: No pids limit support')
  if (v1 && !lacks('memory') && !(await stat('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes').catch(() => null)))
    warnings.push('WARNING: No swap limit support')
  if (v1 && !(await stat('/sys/fs/cgroup/blkio/blkio.weight').catch(() => null))) warnings.push('WARNING: No blkio weight support')
  return warnings
}

const filesystems: Record<number, string> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
  2240043254: 'ramfs',
  801189825: 'zfs',
  1702057286: 'fuse',
}

async function filesystemOf(path: string): Promise<string> {
  try {
    return filesystems[statfsSync(path).type] ?? 'unknown'
  } catch {
    // The data root may be on something that has no statfs; the name is for people only.
    return 'unknown'
  }
}

/** First line of `--version`: `berth-runtime version 0.1.0`. */
async function runtimeVersion(path: string): Promise<Fixed['runtime']> {
  const name = path.split('/').at(-1) as string
  try {
    const { stdout } = await runProgram(path, ['--version'])
    return { name, version: /version\s+(\S+)/.exec(stdout)?.[1] ?? 'unknown', path }
  } catch (error) {
    return { name, version: `unknown (${messageOf(error)})`, path }
  }
}

async function diskUsage({ config, containers, images, volumes, builder }: Parameters<typeof createSystem>[0]): Promise<DiskUsage> {
  const disk = statfsSync(config.dataRoot)
  const [allImages, allContainers, allVolumes, buildCache] = await Promise.all([
    images.list({ all: false, withUnique: true }),
    containers.list({ all: true, filters: {}, limit: 0, size: true }),
    volumes.list({ withSize: true }),
    builder.cacheUsage(),
  ])
  const logBytes = await Promise.all(allContainers.map((container) => bytesIn(join(config.dataRoot, 'containers', container.id, 'logs'))))
  return {
    total: { usedBytes: (disk.blocks - disk.bfree) * disk.bsize, totalBytes: disk.blocks * disk.bsize },
    images: allImages.map((image) => ({
      id: image.id,
      tags: image.tags,
      sizeBytes: image.sizeBytes,
      uniqueBytes: image.uniqueSizeBytes ?? image.sizeBytes,
      sharedBytes: image.sizeBytes - (image.uniqueSizeBytes ?? image.sizeBytes),
      containers: image.containers,
      createdAt: image.createdAt,
    })),
    layersBytes: layersOf(allImages),
    containers: allContainers.map(({ id, name, image, sizeRwBytes, state, createdAt }, index) => ({
      id,
      name,
      image,
      sizeRwBytes: sizeRwBytes ?? 0,
      logBytes: logBytes[index] as number,
      status: state.status,
      createdAt,
    })),
    volumes: allVolumes.map(({ name, sizeBytes, usedBy, createdAt }) => ({
      name,
      sizeBytes: sizeBytes ?? 0,
      usedBy: usedBy.length,
      createdAt,
    })),
    buildCache,
    blobsBytes: await bytesIn(join(config.dataRoot, 'content', 'blobs', 'sha256')),
  }
}

/** What the layers of all images take together: what each has alone, and what is shared counted once at its largest sharer. */
function layersOf(images: { sizeBytes: number; uniqueSizeBytes: number | null }[]): number {
  const unique = images.reduce((sum, image) => sum + (image.uniqueSizeBytes ?? image.sizeBytes), 0)
  const shared = Math.max(0, ...images.map((image) => image.sizeBytes - (image.uniqueSizeBytes ?? image.sizeBytes)))
  return unique + shared
}

/** Sum of the files in one directory; 0 when it is not there. */
async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
