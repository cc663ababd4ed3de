// Drives berth-runtime on bundles made from busybox-static, and checks that nothing is left. BERTH_RUNTIME names another binary (the
// sanitizer build, or another runtime); no shell, and nothing from npm is needed, so it runs in the cgroup v2 machine as well.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export const binary = path.resolve(process.env.BERTH_RUNTIME ?? path.join(import.meta.dirname, '../build/bin/berth-runtime'))
export const cgroupV2 = statfsSync('/sys/fs/cgroup').type === 0x63677270

const applets =
  'sh true false cat sleep echo ls id env ps mount umount touch mkdir mknod stat readlink head tail wc dd grep tr ulimit chroot test printf ip nproc taskset ionice find tty stty chmod'.split(
    ' ',
  )

export interface Mount {
  destination: string
  type?: string
  source?: string
  options?: string[]
  uidMappings?: object[]
  gidMappings?: object[]
}

interface Hook {
  path: string
  args?: string[]
  env?: string[]
  timeout?: number
}

/** As much of config.json as the tests change. */
export interface Config {
  ociVersion: string
  process: {
    terminal: boolean
    user: { uid: number; gid: number; additionalGids?: number[]; umask?: number }
    args: string[]
    env: string[]
    cwd: string
    capabilities?: Record<string, string[]>
    rlimits?: { type: string; soft: number; hard: number }[]
    noNewPrivileges?: boolean
    oomScoreAdj?: number
    scheduler?: object
    ioPriority?: object
    apparmorProfile?: string
    execCPUAffinity?: object
  }
  root: { path: string; readonly: boolean }
  hostname?: string
  domainname?: string
  mounts: Mount[]
  hooks?: Record<string, Hook[]>
  annotations?: Record<string, string>
  linux: {
    namespaces: { type: string; path?: string }[]
    uidMappings?: object[]
    gidMappings?: object[]
    devices?: object[]
    cgroupsPath?: string
    resources?: Record<string, unknown>
    maskedPaths?: string[]
    readonlyPaths?: string[]
    sysctl?: Record<string, string>
    seccomp?: object
    rootfsPropagation?: string
    timeOffsets?: object
    personality?: object
    netDevices?: object
    intelRdt?: object
    memoryPolicy?: object
  }
}

export interface Result {
  status: number
  stdout: string
  stderr: string
}

/** One directory with a root file system, bundles and a state root of its own. */
export class Runtime {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'berth-runtime-'))
  readonly rootfs = path.join(this.directory, 'rootfs')
  readonly state = path.join(this.directory, 'state')
  readonly cgroup = `/berth-test-${process.pid}`
  private calls = 0

  constructor() {
    chmodSync(this.directory, 0o755)
    this.makeRootfs(this.rootfs)
  }

  /** A small image: busybox, its links, /etc/passwd and the usual mount points. */
  makeRootfs(target: string): void {
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'root', 'var']) mkdirSync(path.join(target, name), { recursive: true })
    copyFileSync('/bin/busybox', path.join(target, 'bin/busybox'))
    for (const applet of applets) symlinkSync('busybox', path.join(target, 'bin', applet))
    writeFileSync(path.join(target, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n')
  }

  /** Writes a bundle whose process runs `args`; `edit` changes the configuration. Returns its directory. */
  bundle(name: string, args: string[], edit: (config: Config) => void = () => {}): string {
    const bundle = path.join(this.directory, 'bundles', name)
    const config = this.config(name, args)
    edit(config)
    mkdirSync(bundle, { recursive: true })
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(config))
    return bundle
  }

  private config(name: string, args: string[]): Config {
    const caps = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_MKNOD', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_NET_RAW']
    return {
      ociVersion: '1.2.0',
      process: {
        terminal: false,
        user: { uid: 0, gid: 0 },
        args,
        env: ['PATH=/bin', 'TERM=xterm'],
        cwd: '/',
        capabilities: { bounding: caps, effective: caps, permitted: caps },
        noNewPrivileges: true,
      },
      root: { path: this.rootfs, readonly: false },
      hostname: 'box',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666'] },
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ],
      linux: {
        namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
        cgroupsPath: `${this.cgroup}/${name}`,
        maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/acpi', '/sys/firmware'],
        readonlyPaths: ['/proc/bus', '/proc/sys', '/proc/sysrq-trigger'],
      },
    }
  }

  /**
   * Calls the runtime with --root and waits. Output goes through files, so that a container left running (which inherits them) does not
   * keep the call open.
   */
  call(
    args: string[],
    options: { input?: string; env?: NodeJS.ProcessEnv; stdio?: number[]; cwd?: string; globals?: string[] } = {},
  ): Result {
    const base = path.join(this.directory, `call-${this.calls++}`)
    const input = `${base}.in`
    writeFileSync(input, options.input ?? '')
    const fds = [openSync(input, 'r'), openSync(`${base}.out`, 'w'), openSync(`${base}.err`, 'w')]
    const result = spawnSync(binary, ['--root', this.state, ...(options.globals ?? []), ...args], {
      stdio: [...fds, ...(options.stdio ?? [])],
      env: options.env ?? process.env,
      cwd: options.cwd ?? this.directory,
      timeout: 60_000,
    })
    for (const fd of fds) closeSync(fd)
    return { status: result.status ?? -1, stdout: readFileSync(`${base}.out`, 'utf8'), stderr: readFileSync(`${base}.err`, 'utf8') }
  }

  /** `run` in the foreground on a bundle made for it. */
  run(name: string, args: string[], edit?: (config: Config) => void): Result {
    return this.call(['run', '--bundle', this.bundle(name, args, edit), name])
  }

  /** A container that sleeps; throws the runtime's words if it does not start. */
  start(name: string, edit?: (config: Config) => void, args = ['sleep', '1000']): number {
    const result = this.call(['run', '--detach', '--bundle', this.bundle(name, args, edit), name])
    if (result.status !== 0) throw new Error(result.stderr)
    return this.inspect(name).pid
  }

  inspect(name: string): {
    status: string
    pid: number
    bundle: string
    annotations?: Record<string, string>
    ociVersion: string
    id: string
  } {
    const result = this.call(['state', name])
    if (result.status !== 0) throw new Error(result.stderr)
    return JSON.parse(result.stdout)
  }

  /** Directory of a container's control group that serves a v1 controller; on v2 the one directory. */
  cgroupDirectory(name: string, controller: string): string {
    return path.join('/sys/fs/cgroup', cgroupV2 ? '' : controller, this.cgroup, name)
  }

  cgroupValue(name: string, controller: string, file: string): string {
    return readFileSync(path.join(this.cgroupDirectory(name, controller), file), 'utf8').trim()
  }

  /** What containers have left: state directories, control groups, mounts below our directory. */
  leftovers(): string[] {
    const left: string[] = []
    if (existsSync(this.state)) for (const entry of readdirSync(this.state)) if (!entry.includes('@')) left.push(`state ${entry}`)
    for (const parent of this.cgroupParents())
      for (const entry of readdirSync(parent, { withFileTypes: true })) if (entry.isDirectory()) left.push(`cgroup ${parent}/${entry.name}`)
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n'))
      if (line.includes(this.directory)) left.push(`mount ${line}`)
    return left
  }

  private cgroupParents(): string[] {
    const hierarchies = cgroupV2 ? [''] : readdirSync('/sys/fs/cgroup')
    return hierarchies.map((hierarchy) => path.join('/sys/fs/cgroup', hierarchy, this.cgroup)).filter((parent) => existsSync(parent))
  }

  /** Deletes every container. */
  deleteAll(): void {
    if (existsSync(this.state))
      for (const entry of readdirSync(this.state)) if (!entry.includes('@')) this.call(['delete', '--force', entry])
  }

  /** Deletes every container and everything made for the tests. */
  remove(): void {
    this.deleteAll()
    for (const parent of this.cgroupParents()) {
      for (const entry of readdirSync(parent)) if (lstatSync(path.join(parent, entry)).isDirectory()) rmdirSync(path.join(parent, entry))
      rmdirSync(parent)
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Polls until `probe` holds; for what the kernel does in its own time. */
export async function eventually(probe: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!probe()) {
    if (Date.now() > end) throw new Error('it did not become true in time')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
