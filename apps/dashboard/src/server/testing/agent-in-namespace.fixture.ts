import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../../../../..')
const program = join(root, 'agent/dist/berth-agent.js')
const hierarchies = ['', 'cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd', 'unified']

/**
 * A real agent as a machine of its own on the network: a network namespace, joined to this one by a cable of two ends. Its address is `10.213.<n>.2`, this machine's
 * on that cable `10.213.<n>.1`.
 */
export class AgentInNamespace {
  readonly instance: string
  readonly namespace: string
  readonly address: string
  readonly gateway: string
  readonly dataRoot: string
  readonly runRoot: string
  readonly port = 7443
  output = ''
  /** What start and join run. */
  program = program
  private child: ChildProcess | null = null

  constructor(
    prefix: string,
    readonly number: number,
    private readonly extra: Record<string, string> = {},
  ) {
    if (!existsSync(program)) throw new Error(`${program} is missing: build the agent first (npm run build -w @berth/agent)`)
    this.instance = `${prefix}${number}`
    this.namespace = `berth-test-${this.instance}`
    this.address = `10.213.${number}.2`
    this.gateway = `10.213.${number}.1`
    this.dataRoot = mkdtempSync(`/var/lib/berth-test-${this.instance}-`)
    this.runRoot = `/run/berth-test-${this.instance}`
    mkdirSync(this.runRoot, { recursive: true, mode: 0o711 })
    ip('netns', 'add', this.namespace)
    ip('link', 'add', this.cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.namespace)
    ip('addr', 'add', `${this.gateway}/30`, 'dev', this.cable)
    ip('link', 'set', this.cable, 'up')
    ip('-n', this.namespace, 'addr', 'add', `${this.address}/30`, 'dev', 'eth0')
    ip('-n', this.namespace, 'link', 'set', 'eth0', 'up')
    ip('-n', this.namespace, 'link', 'set', 'lo', 'up')
    this.makeOwnSys()
  }

  /**
   * A mount namespace that outlives the agent, in which /sys is of the network namespace (else the agent would look for its bridges among this machine's) with the
   * cgroups in it.
   */
  private makeOwnSys(): void {
    const place = `/run/berth-test-${this.instance}-mnt`
    mkdirSync(place)
    execFileSync('mount', ['--bind', place, place])
    execFileSync('mount', ['--make-private', place])
    writeFileSync(this.mountNamespace, '')
    const script = `mkdir ${place}/cgroup && mount --rbind /sys/fs/cgroup ${place}/cgroup && mount -t sysfs sysfs /sys && mount --move ${place}/cgroup /sys/fs/cgroup`
    execFileSync(
      'nsenter',
      [`--net=/run/netns/${this.namespace}`, 'unshare', `--mount=${this.mountNamespace}`, '--propagation', 'private', 'sh', '-ec', script],
      { stdio: 'pipe' },
    )
  }

  private get mountNamespace(): string {
    return `/run/berth-test-${this.instance}-mnt/ns`
  }

  private enter(...args: string[]): string[] {
    return [`--net=/run/netns/${this.namespace}`, `--mount=${this.mountNamespace}`, process.execPath, this.program, ...args]
  }

  /** What root types on that machine. */
  shell(script: string): Promise<{ status: number | null; text: string }> {
    return this.ran(['--wd=/', 'bash', '-c', script])
  }

  private ran(words: string[]): Promise<{ status: number | null; text: string }> {
    const child = spawn('nsenter', [`--net=/run/netns/${this.namespace}`, `--mount=${this.mountNamespace}`, ...words], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        text += bytes.toString()
      })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status) => resolve({ status, text }))
    })
  }

  /** The end of the cable that is here. */
  get cable(): string {
    return `bv${this.instance}`
  }

  private get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      BERTH_INSTANCE: this.instance,
      BERTH_DATA: this.dataRoot,
      BERTH_RUN: this.runRoot,
      BERTH_AGENT_PORT: String(this.port),
      BERTH_SOCKET_GROUP: 'root',
      BERTH_ADDRESS_POOLS: '10.214.0.0/16:24',
      BERTH_CONFIG: undefined,
      ...this.extra,
    }
  }

  /** Begins to serve; ready when the local socket answers. */
  async start(): Promise<void> {
    const child = spawn('nsenter', this.enter('serve'), {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output = (this.output + bytes.toString()).slice(-8_000)
      })
    const end = Date.now() + 60_000
    while (!this.output.includes('"ready"')) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`the agent did not start: ${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    this.output = ''
  }

  /** `berth-agent join` as a person types it. Not synchronous: the dashboard that answers may live in this very process. */
  join(url: string, token: string, fingerprint: string): Promise<{ status: number | null; text: string }> {
    return this.ran([process.execPath, this.program, 'join', url, '--token', token, '--fingerprint', fingerprint])
  }

  /** As `kill -9` or the machine's power does. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this
    this.child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }

  /** Pulls the cable, or puts it back. */
  setCable(up: boolean): void {
    ip('link', 'set', this.cable, up ? 'up' : 'down')
  }

  /** Lets every packet vanish on its way in and out of the machine, as a broken switch does: nobody is told anything. */
  setDropping(on: boolean): void {
    const rules = on
      ? 'add table inet cut; add chain inet cut in { type filter hook input priority -300; policy drop; }; add chain inet cut out { type filter hook output priority -300; policy drop; }'
      : 'delete table inet cut'
    execFileSync('ip', ['netns', 'exec', this.namespace, 'nft', rules], { stdio: 'pipe' })
  }

  /** Leaves nothing. Containers must have been removed. */
  async destroy(): Promise<void> {
    await this.kill('SIGTERM')
    spawnSync('ip', ['link', 'del', this.cable])
    spawnSync('ip', ['netns', 'del', this.namespace])
    spawnSync('umount', [this.mountNamespace])
    spawnSync('umount', [dirname(this.mountNamespace)])
    rmSync(dirname(this.mountNamespace), { recursive: true, force: true })
    for (const hierarchy of hierarchies) await endAll(join('/sys/fs/cgroup', hierarchy, this.instance))
    for (const hierarchy of hierarchies) removeCgroup(join('/sys/fs/cgroup', hierarchy, this.instance))
    rmSync(this.dataRoot, { recursive: true, force: true })
    rmSync(this.runRoot, { recursive: true, force: true })
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

/** What still runs below a cgroup of ours, when a test or a benchmark was broken off before it could remove its containers. */
async function endAll(path: string): Promise<void> {
  const pids = (): number[] =>
    existsSync(path)
      ? readdirSync(path, { recursive: true, encoding: 'utf8' })
          .filter((name) => basename(name) === 'cgroup.procs')
          .flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n').filter(Boolean).map(Number))
      : []
  for (let tries = 0; tries < 100 && pids().length > 0; tries += 1) {
    for (const pid of pids())
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function removeCgroup(path: string): void {
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(join(path, entry.name))
  rmdirSync(path)
}
