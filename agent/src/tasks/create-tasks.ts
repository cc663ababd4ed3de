import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { readTextIfExists } from '../disk/files.ts'
import { startTimeOf } from '../disk/lock.ts'
import { EngineError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { hasMonitor } from '../native/monitor.ts'
import { MonitorConnection, type PortPlan } from '../native/monitor-connection.ts'
import type { MonitorDocument, MonitorFile } from '../native/monitor-document.ts'
import type { Native } from '../native/native.ts'
import { endCgroup } from './end-cgroup.ts'
import { parseExit, readExit } from './exit-file.ts'
import type { Ending, Task, Tasks } from './tasks.ts'
import { Viewer } from './viewer.ts'

/** Builds the room's part that holds processes. Nothing runs until start() or find(). */
export function createTasks(options: { native: Native; log: Logger }): Tasks {
  const { native, log } = options
  return {
    waitingViewer: (terminal, attachOptions, listener) => new Viewer(terminal, attachOptions, listener),

    async start(document, waiting) {
      const viewers = waiting.filter((viewer): viewer is Viewer => viewer instanceof Viewer && !viewer.left)
      await Promise.all([document.stateDir, document.runDir].map((directory) => rm(join(directory, 'exit.json'), { force: true })))
      const control = new Control()
      try {
        const started = await native.startMonitor(document, 1 + viewers.length, (sockets) => {
          control.bind(sockets[0] as Duplex)
          viewers.forEach((viewer, index) => {
            viewer.bind(sockets[index + 1] as Duplex)
          })
        })
        const task = new LiveTask(document.id, document.terminal !== null, started, control, document, native, log)
        for (const viewer of viewers) viewer.confirm(task.ended)
        return task
      } catch (error) {
        for (const viewer of viewers) viewer.unbind()
        throw error
      }
    },

    async find(id, directories) {
      // It is made before the monitor: without it nothing is coming up.
      if (existsSync(directories.runDir)) await untilUp(id, directories.runDir)
      const file = parseMonitorFile(await readTextIfExists(join(directories.runDir, 'monitor.json')))
      const socket = await native.connectMonitor(join(directories.runDir, 'attach.sock')).catch((error) => {
        if (error instanceof EngineError && error.code === 'not_found') return null
        throw error
      })
      if (socket && file) {
        const control = new Control()
        const welcome = control.welcome()
        control.bind(socket)
        const terminal = await welcome
        if (terminal !== null) return { task: new LiveTask(id, terminal, file, control, directories, native, log) }
      }
      socket?.destroy()
      return endedMeanwhile(file, directories)
    },

    async endLost(id, cgroup) {
      if (!(await endCgroup(cgroup))) return
      // The monitor outlives its process by the writing of its end; until then it holds the container's layers and addresses.
      const until = performance.now() + comesUpMs
      while (await hasMonitor(id)) {
        if (performance.now() > until) throw new EngineError('unavailable', `the monitor of ${id} does not end, though its process has`)
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
      }
    },
  }
}

/** Longest that a monitor, whose starter was killed, may need to come up or fail: mounts, hooks and its own 5 s for late viewers. */
const comesUpMs = 15_000
const lookAgainMs = 20

/** The agent may have been killed between spawning a monitor and its answer: then it is still coming up, and would be missed. */
async function untilUp(id: string, runDir: string): Promise<void> {
  const until = performance.now() + comesUpMs
  while (performance.now() < until) {
    if ((await readTextIfExists(join(runDir, 'monitor.json'))) !== null) return
    if (!(await hasMonitor(id))) return
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
}

/** What became of a process whose monitor no longer answers. */
async function endedMeanwhile(file: MonitorFile | null, directories: { runDir: string; stateDir: string }): Promise<Ending | null> {
  const exit = await readExit(directories)
  // An exit.json of an earlier start says nothing about this one.
  if (exit && (!file || file.startedAt === exit.startedAt)) return { exit }
  if (!file) return null
  return { lost: `the monitor (process ${file.monitorPid}) of process ${file.pid} is gone and left no exit status` }
}

function parseMonitorFile(text: string | null): MonitorFile | null {
  try {
    const file = JSON.parse(text ?? 'null') as MonitorFile | null
    return typeof file?.pid === 'number' ? { ...file, startTime: String(file.startTime) } : null
  } catch {
    return null
  }
}

/** The engine's own client of a monitor: asks for no bytes, hears the end. Keeps what comes before somebody listens. */
class Control {
  connection: MonitorConnection | null = null
  #oomListener: (() => void) | null = null
  #ooms = 0
  #exitText: string | null = null
  #settle: ((exitText: string | null) => void) | null = null
  #closed = false
  #welcomed: ((terminal: boolean | null) => void) | null = null

  bind(socket: Duplex): void {
    const connection = new MonitorConnection(socket, {
      welcome: (welcome) => this.#welcomed?.(welcome.terminal),
      oom: () => {
        if (this.#oomListener) this.#oomListener()
        else this.#ooms += 1
      },
      exit: (text) => {
        this.#exitText = text
        this.#end()
      },
      closed: () => this.#end(),
    })
    connection.hello({ stdin: false, stdout: false, stderr: false, replay: false, flow: 'drop' })
    this.connection = connection
  }

  /** Whether it has a terminal; null when the connection ended first. */
  welcome(): Promise<boolean | null> {
    return new Promise((resolve) => {
      this.#welcomed = resolve
    })
  }

  /** exit.json's text, or null when the connection ended without it. */
  ended(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#settle = resolve
      if (this.#closed) resolve(this.#exitText)
    })
  }

  onOom(listener: () => void): void {
    this.#oomListener = listener
    if (this.#ooms > 0) listener()
    this.#ooms = 0
  }

  #end(): void {
    this.#closed = true
    this.#welcomed?.(null)
    this.#settle?.(this.#exitText)
  }
}

class LiveTask implements Task {
  readonly id: string
  readonly pid: number
  readonly startTime: string
  readonly startedAt: string
  readonly terminal: boolean
  readonly ended: Promise<Ending>
  readonly #control: Control
  readonly #native: Native
  readonly #runDir: string
  #released = false

  constructor(
    id: string,
    terminal: boolean,
    about: { pid: number; startTime: string; startedAt: string },
    control: Control,
    directories: Pick<MonitorDocument, 'runDir' | 'stateDir'>,
    native: Native,
    log: Logger,
  ) {
    this.id = id
    this.terminal = terminal
    this.pid = about.pid
    this.startTime = about.startTime
    this.startedAt = about.startedAt
    this.#control = control
    this.#native = native
    this.#runDir = directories.runDir
    this.ended = this.#waitForEnd(directories, log)
  }

  async #waitForEnd(directories: { runDir: string; stateDir: string }, log: Logger): Promise<Ending> {
    const text = await this.#control.ended()
    if (this.#released) return new Promise(() => {})
    try {
      if (text !== null) return { exit: parseExit(text) }
    } catch (error) {
      log.error({ id: this.id, reason: messageOf(error) }, 'a monitor sent an exit that cannot be read')
    }
    // The connection broke. The file is the truth: it was written before anyone was told.
    const exit = await readExit(directories)
    if (exit && exit.startedAt === this.startedAt) return { exit }
    return { lost: `the monitor of process ${this.pid} is gone and left no exit status` }
  }

  async attach(options: Parameters<Task['attach']>[0], listener: Parameters<Task['attach']>[1]) {
    let socket: Duplex
    try {
      socket = await this.#native.connectMonitor(join(this.#runDir, 'attach.sock'))
    } catch (error) {
      if (error instanceof EngineError && error.code === 'not_found')
        throw new EngineError('failed_precondition', 'the process has ended; there is nothing to attach to', { cause: error })
      throw error
    }
    const viewer = new Viewer(this.terminal, options, listener)
    const welcomed = viewer.welcome()
    viewer.bind(socket)
    viewer.confirm(this.ended)
    await welcomed
    return viewer
  }

  signal(number: number): void {
    this.#control.connection?.signal(number)
  }

  resize(cols: number, rows: number): void {
    this.#control.connection?.resize(cols, rows)
  }

  rotateLog(): void {
    this.#control.connection?.rotateLog()
  }

  async setPort(plan: PortPlan): Promise<void> {
    if (!this.#control.connection) throw new EngineError('failed_precondition', 'the process has ended')
    await this.#control.connection.setPort(plan)
  }

  onOom(listener: () => void): void {
    this.#control.onOom(listener)
  }

  release(): void {
    this.#released = true
    this.#control.connection?.close()
  }
}

/** Whether exactly this process still runs. */
export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  return pid > 0 && (await startTimeOf(pid)) === startTime
}
