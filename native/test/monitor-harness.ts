// Drives the real berth-monitor with real containers: bundles from busybox-static, documents, attach clients, and a check that nothing is left. One file, because it also
// runs in the cgroup v2 machine, and the numbers of frames stand here a second time on purpose: a reading of the wall that does not share the agent's mistakes.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const nativeDir = path.resolve(import.meta.dirname, '..')
const applets =
  'sh true false cat sleep echo ls yes head tail stty dd seq mount id ip nc kill dmesg sync wc tr printf test stat grep'.split(' ')

/** Frame types of native/README.md. */
export const frame = {
  hello: 0x00,
  data: 0x01,
  resize: 0x02,
  signal: 0x03,
  credit: 0x04,
  closeStdin: 0x05,
  logRotate: 0x06,
  port: 0x07,
  welcome: 0x10,
  stdout: 0x11,
  stderr: 0x12,
  replay: 0x13,
  replayEnd: 0x14,
  resized: 0x15,
  stdinAck: 0x16,
  oom: 0x17,
  portSet: 0x18,
  exit: 0x1f,
} as const

export interface Frame {
  type: number
  payload: Buffer
}

export interface Answer {
  ok: boolean
  monitorPid: number
  pid: number
  startTime: string
  startedAt: string
  step?: string
  path?: string
  code?: string
  message?: string
  exitStatus?: number
}

export interface Exit {
  exitCode: number
  signal: number | null
  oomKilled: boolean
  startedAt: string
  exitedAt: string
}

export interface Hello {
  stdin?: boolean
  stdout?: boolean
  stderr?: boolean
  replay?: boolean
  flow?: 'credit' | 'drop'
  credit?: number
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Polls until the condition gives something true; fails after `timeoutMs` with the name of what was waited for. */
export async function until<T>(what: string, condition: () => T | undefined | false | null | 0 | '', timeoutMs = 30_000): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; await sleep(10)) {
    const value = condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
  }
}

/** An attach client: counts and keeps what comes, grants credit only when told to. */
export class AttachClient {
  readonly frames: Frame[] = []
  ended = false
  private waiting: Buffer = Buffer.alloc(0)

  constructor(readonly socket: net.Socket) {
    socket.on('data', (bytes: Buffer) => this.take(bytes))
    socket.on('close', () => {
      this.ended = true
    })
    socket.on('error', () => {})
  }

  static async connect(socketPath: string): Promise<AttachClient> {
    const socket = net.connect(socketPath)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new AttachClient(socket)
  }

  private take(bytes: Buffer) {
    this.waiting = Buffer.concat([this.waiting, bytes])
    while (this.waiting.length >= 5 && this.waiting.length >= 5 + this.waiting.readUInt32BE(0)) {
      const length = this.waiting.readUInt32BE(0)
      this.frames.push({ type: this.waiting[4] as number, payload: this.waiting.subarray(5, 5 + length) })
      this.waiting = this.waiting.subarray(5 + length)
    }
  }

  send(type: number, payload: Buffer | string = Buffer.alloc(0)) {
    const body = typeof payload === 'string' ? Buffer.from(payload) : payload
    const header = Buffer.alloc(5)
    header.writeUInt32BE(body.length, 0)
    header[4] = type
    this.socket.write(Buffer.concat([header, body]))
  }

  hello(options: Hello = {}): this {
    this.send(frame.hello, JSON.stringify({ stdin: true, stdout: true, stderr: true, replay: true, flow: 'drop', ...options }))
    return this
  }

  number(type: number, value: number) {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(value)
    this.send(type, payload)
  }

  resize(cols: number, rows: number) {
    const payload = Buffer.alloc(4)
    payload.writeUInt16BE(cols, 0)
    payload.writeUInt16BE(rows, 2)
    this.send(frame.resize, payload)
  }

  of(type: number): Frame[] {
    return this.frames.filter((f) => f.type === type)
  }

  bytes(...types: number[]): Buffer {
    return Buffer.concat(this.frames.filter((f) => types.includes(f.type)).map((f) => f.payload))
  }

  text(...types: number[]): string {
    return this.bytes(...(types.length ? types : [frame.stdout])).toString()
  }

  async waitFor(type: number): Promise<Frame> {
    return until(`frame 0x${type.toString(16)}`, () => this.of(type)[0])
  }

  async waitText(wanted: string | RegExp, ...types: number[]): Promise<string> {
    return until(`text ${wanted}`, () => {
      const text = this.text(...types)
      return (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) && text
    })
  }

  async exit(): Promise<Exit> {
    return JSON.parse((await this.waitFor(frame.exit)).payload.toString())
  }

  close() {
    this.socket.destroy()
  }
}

export interface StartOptions {
  args?: string[]
  terminal?: { cols: number; rows: number } | null
  stdin?: 'open' | 'once' | 'closed'
  log?: { maxSizeBytes?: number; maxFiles?: number; dir?: string } | null
  replayBytes?: number
  network?: unknown
  memoryLimit?: number
  hostNetwork?: boolean
  hostPid?: boolean
  /** Changes the document just before it is sent. */
  edit?: (document: Record<string, unknown>) => void
  /** Connects this many attach descriptors. */
  attachFds?: number
  env?: Record<string, string>
  /** Name of a network namespace that is the monitor's host. */
  netns?: string
  wrapper?: string[]
}

export interface Started {
  id: string
  dir: string
  answer: Answer
  exitCode: number | null
  clients: AttachClient[]
  stderr: string
}

export const program = (name: string) => path.join(process.env.BERTH_NATIVE_BIN ?? path.join(nativeDir, 'build/bin'), name)

/** The runtime under the monitor: ours if it is built, else runc. */
export function runtimePath(): string {
  if (process.env.BERTH_TEST_RUNTIME) return process.env.BERTH_TEST_RUNTIME
  const own = path.join(nativeDir, 'build/bin/berth-runtime')
  return existsSync(own) ? own : '/usr/sbin/runc'
}

/** Everything that a suite makes, below one directory and one cgroup name; `close` removes it and says what the programs had left. */
export class MonitorHarness {
  readonly root = mkdtempSync(path.join(tmpdir(), 'bmon-'))
  readonly cgroup = `/berth-monitor-test-${process.pid}`
  readonly started: Started[] = []
  readonly netns: string[] = []
  private sequence = 0

  constructor(readonly bin = program('berth-monitor')) {
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'www']) mkdirSync(path.join(this.layer, name), { recursive: true })
    copyFileSync('/usr/bin/busybox', path.join(this.layer, 'bin/busybox'))
    chmodSync(path.join(this.layer, 'bin/busybox'), 0o755)
    for (const applet of applets) symlinkSync('busybox', path.join(this.layer, 'bin', applet))
  }

  get layer(): string {
    return path.join(this.root, 'layer')
  }

  get runtimeRoot(): string {
    return path.join(this.root, 'runtime')
  }

  /** Makes a network namespace to be the "host" of a test, with a bridge. */
  makeNetns(bridge: string, address: string): string {
    const name = `bmon-${process.pid}-${this.netns.length}`
    execFileSync('ip', ['netns', 'add', name])
    this.netns.push(name)
    const ip = (...args: string[]) => execFileSync('ip', ['-n', name, ...args])
    ip('link', 'set', 'lo', 'up')
    ip('link', 'add', bridge, 'type', 'bridge')
    ip('addr', 'add', address, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    return name
  }

  private spec(dir: string, id: string, options: StartOptions): Record<string, unknown> {
    const namespaces = ['ipc', 'uts', 'mount', ...(options.hostPid ? [] : ['pid']), ...(options.hostNetwork ? [] : ['network'])].map(
      (type) => ({ type }),
    )
    return {
      ociVersion: '1.0.2',
      process: this.process(options),
      root: { path: path.join(dir, 'rootfs'), readonly: false },
      hostname: 'test',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
      ],
      linux: {
        cgroupsPath: `${this.cgroup}/${id}`,
        namespaces,
        resources: options.memoryLimit ? { memory: { limit: options.memoryLimit, swap: options.memoryLimit } } : {},
      },
    }
  }

  private process(options: StartOptions): Record<string, unknown> {
    const capabilities = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW', 'CAP_SETUID', 'CAP_SETGID']
    return {
      terminal: !!options.terminal,
      ...(options.terminal ? { consoleSize: { width: options.terminal.cols, height: options.terminal.rows } } : {}),
      user: { uid: 0, gid: 0 },
      args: options.args ?? ['true'],
      env: ['PATH=/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    }
  }

  private common(dir: string, id: string, options: StartOptions): Record<string, unknown> {
    const log = options.log === undefined ? {} : options.log
    return {
      version: 1,
      id,
      runtime: { path: runtimePath(), root: this.runtimeRoot, args: [] },
      stateDir: path.join(dir, 'state'),
      runDir: path.join(dir, 'run'),
      terminal: options.terminal ?? null,
      stdin: options.stdin ?? 'open',
      log: log && { dir: path.join(dir, 'logs'), maxSizeBytes: 0, maxFiles: 3, ...log },
      replayBytes: options.replayBytes ?? 65_536,
      attachFds: Array.from({ length: options.attachFds ?? 0 }, (_, i) => 3 + i),
    }
  }

  /** Starts a container; resolves when the monitor's direct child has exited. */
  async start(options: StartOptions = {}): Promise<Started> {
    const id = randomBytes(32).toString('hex')
    const dir = path.join(this.root, `c${this.sequence++}`)
    for (const name of ['bundle', 'rootfs', 'upper', 'work', 'state', 'run']) mkdirSync(path.join(dir, name), { recursive: true })
    writeFileSync(path.join(dir, 'bundle/config.json'), JSON.stringify(this.spec(dir, id, options)))
    const overlay = [`lowerdir=${this.layer}`, `upperdir=${dir}/upper`, `workdir=${dir}/work`]
    const document: Record<string, unknown> = {
      ...this.common(dir, id, options),
      kind: 'container',
      containerId: id,
      bundle: path.join(dir, 'bundle'),
      cgroup: `${this.cgroup}/${id}`,
      rootfs: { mounts: [{ type: 'overlay', source: 'overlay', target: path.join(dir, 'rootfs'), options: overlay }] },
      network: options.network ?? { attachments: [], ports: [] },
      deleteOnExit: true,
    }
    return this.launch(id, dir, document, options)
  }

  /** Starts one more process in a running container. */
  async exec(container: Started, options: StartOptions = {}): Promise<Started> {
    const id = randomBytes(32).toString('hex')
    const dir = path.join(this.root, `e${this.sequence++}`)
    for (const name of ['state', 'run']) mkdirSync(path.join(dir, name), { recursive: true })
    const processFile = path.join(dir, 'process.json')
    writeFileSync(processFile, JSON.stringify(this.process(options)))
    const document = {
      ...this.common(dir, id, { log: null, ...options }),
      kind: 'exec',
      containerId: container.id,
      cgroup: `${this.cgroup}/${container.id}`,
      exec: { processFile },
    }
    return this.launch(id, dir, document, options)
  }

  private async launch(id: string, dir: string, document: Record<string, unknown>, options: StartOptions): Promise<Started> {
    options.edit?.(document)
    const command = [...(options.netns ? ['nsenter', `--net=/run/netns/${options.netns}`] : []), ...(options.wrapper ?? []), this.bin]
    const extra = Array.from({ length: options.attachFds ?? 0 }, () => 'pipe' as const)
    const child = spawn(command[0] as string, command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe', ...extra],
      env: {
        ...process.env,
        ASAN_OPTIONS: `log_path=${this.root}/asan:abort_on_error=0`,
        UBSAN_OPTIONS: `log_path=${this.root}/ubsan:halt_on_error=1`,
        ...options.env,
      },
    })
    const clients = extra.map((_, i) => new AttachClient(child.stdio[3 + i] as unknown as net.Socket))
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (bytes) => {
      stdout += bytes
    })
    child.stderr?.on('data', (bytes) => {
      stderr += bytes
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(JSON.stringify(document))
    const exitCode = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve))
    await until('the answer', () => stdout.endsWith('\n'))
    const started: Started = { id, dir, answer: JSON.parse(stdout), exitCode, clients, stderr }
    if (started.answer.ok) this.started.push(started)
    return started
  }

  attach(started: Started): Promise<AttachClient> {
    return AttachClient.connect(path.join(started.dir, 'run/attach.sock'))
  }

  async exitOf(started: Started): Promise<Exit> {
    return JSON.parse(
      await until('exit.json', () => {
        const file = path.join(started.dir, 'state/exit.json')
        return existsSync(file) && readFileSync(file, 'utf8')
      }),
    )
  }

  /** Waits until the monitor itself is gone. */
  async gone(started: Started): Promise<void> {
    await until('the end of the monitor', () => !isAlive(started.answer.monitorPid), 70_000)
  }

  /** The log's records: all files in order. */
  log(started: Started): string {
    const dir = path.join(started.dir, 'logs')
    return logFiles(dir)
      .map((name) => readFileSync(path.join(dir, name), 'utf8'))
      .join('')
  }

  /** The log as the process has written it: prefixes taken off, parts joined. */
  logText(started: Started, stream?: 'stdout' | 'stderr'): string {
    return joinRecords(this.log(started), stream)
  }

  signal(started: Started, number: NodeJS.Signals | number) {
    process.kill(started.answer.pid, number)
  }

  /** Kills the process if it is still there. The end of a container ends its execs, whose monitors may reap them between a look and a signal. */
  end(started: Started) {
    if (!isSame(started.answer.pid, started.answer.startTime)) return
    try {
      this.signal(started, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** What is still there after 20 seconds at most: a program ends a moment after its answer, one with sanitizers later. */
  async remains(): Promise<string[]> {
    await until('everything to be gone', () => this.leftovers().length === 0, 20_000).catch(() => {})
    return this.leftovers()
  }

  /** Everything that should not be there when all containers have ended. */
  leftovers(): string[] {
    const found: string[] = []
    for (const hierarchy of cgroupRoots()) {
      const base = path.join(hierarchy, this.cgroup)
      if (existsSync(base))
        for (const name of readdirSync(base, { withFileTypes: true })) if (name.isDirectory()) found.push(path.join(base, name.name))
    }
    if (existsSync(this.runtimeRoot))
      for (const name of readdirSync(this.runtimeRoot)) if (name.length === 64) found.push(`runtime state ${name}`)
    // Containers' mounts only: what a test itself has mounted may be copied into anybody's new namespace meanwhile.
    const ours = new RegExp(`${this.root}/[ce]\\d+/`)
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    if (ours.test(mounts)) found.push('mounts of the test directory in the host namespace')
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!isAlive(Number(pid))) continue
      if (ours.test(readSafely(`/proc/${pid}/mountinfo`)))
        found.push(`process ${pid} ${readSafely(`/proc/${pid}/comm`).trim()} with our mounts`)
    }
    for (const name of this.netns) {
      const links = execFileSync('ip', ['-n', name, '-o', 'link'], { encoding: 'utf8' })
      for (const line of links.split('\n')) if (/: vb/.test(line)) found.push(line)
    }
    for (const name of readdirSync(this.root))
      if (/^(asan|ubsan)\./.test(name)) found.push(readFileSync(path.join(this.root, name), 'utf8'))
    for (const dir of readdirSync(this.root).filter((name) => /^[ce]\d+$/.test(name)))
      for (const name of ['attach.sock', 'console.sock', 'runtime.log'])
        if (existsSync(path.join(this.root, dir, 'run', name))) found.push(`${dir}/run/${name}`)
    return found
  }

  /** Ends what still runs, then removes every file, namespace and cgroup. */
  async close(): Promise<void> {
    for (const started of this.started) {
      this.end(started)
      for (const client of started.clients) client.close()
    }
    for (const started of this.started) await this.gone(started)
    for (const name of this.netns) execFileSync('ip', ['netns', 'del', name])
    for (const hierarchy of cgroupRoots()) {
      const base = path.join(hierarchy, this.cgroup)
      if (existsSync(base)) rmdirSync(base)
    }
    rmSync(this.root, { recursive: true, force: true })
  }
}

function cgroupRoots(): string[] {
  const base = '/sys/fs/cgroup'
  if (existsSync(path.join(base, 'cgroup.controllers'))) return [base]
  return readdirSync(base).map((name) => path.join(base, name))
}

function readSafely(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the process has ended meanwhile
  }
}

/** Does the process run? A zombie does not: it only waits for a lazy parent. */
export function isAlive(pid: number): boolean {
  const stat = readSafely(`/proc/${pid}/stat`)
  return stat !== '' && !/^\d+ \(.*\) [ZX] /s.test(stat)
}

function isSame(pid: number, startTime: string): boolean {
  const stat = readSafely(`/proc/${pid}/stat`)
  return isAlive(pid) && stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === startTime
}

export function logFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .sort()
}

/** Record lines → what the process wrote. An unfinished last line comes without a line feed. */
export function joinRecords(text: string, stream?: 'stdout' | 'stderr'): string {
  let out = ''
  for (const record of text.split('\n').slice(0, -1)) {
    const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)$/s.exec(record)
    if (!match) throw new Error(`not a log record: ${JSON.stringify(record.slice(0, 200))}`)
    if (!stream || match[1] === stream) out += match[3] + (match[2] === 'F' ? '\n' : '')
  }
  return out
}

/** Open descriptors of a process, as `ls -l /proc/PID/fd` would say. */
export function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
}
