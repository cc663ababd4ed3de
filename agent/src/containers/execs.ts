/**
 * More processes in a container. Each has a directory under the run root (volatile: it means nothing after a reboot) with its record, its monitor's files
 * and its exit, so that an agent that was restarted finds the running ones and the results of the others.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { type ExecDetail, type ExecOptions, execOptions } from '@berth/contract/exec'
import * as z from 'zod'
import { namesIn, readTextIfExists } from '../disk/files.ts'
import { EngineError, messageOf, StartError } from '../errors.ts'
import type { AttachListener, Attachment, AttachOptions, Exit, Task } from '../tasks/tasks.ts'
import { now } from './clock.ts'
import { type Container, exitOf } from './container.ts'
import type { Context } from './context.ts'
import { execEvent, execProcess } from './exec-document.ts'
import { linkedEnvironment } from './links.ts'
import { type ResolvedUser, resolveUser } from './passwd.ts'
import { runtimeJson } from './runtime-json.ts'
import { signalNumber } from './signals.ts'
import { unknownSize } from './terminal-size.ts'
import { check } from './transitions.ts'
import { fileOfRoot } from './user-of.ts'

const execRecord = z.object({ id: z.string(), containerId: z.string(), options: execOptions, createdAt: z.string() })
type ExecRecord = z.infer<typeof execRecord>

/** How long the result of one that ended can be asked for. */
const keptMs = 10 * 60_000
const maxExecsPerContainer = 1000

interface Exec {
  record: ExecRecord
  /** When the container's process began that was running when this was made: an exec is of that run alone. */
  ofRun: string | undefined
  task: Task | null
  /** Of its process, also when that is over; 0 before. */
  pid: number
  begun: boolean
  /** While its process is being made: settled, never rejected, when that has worked or failed. */
  starting: Promise<unknown> | null
  exit: Exit | null
  ended: Promise<Exit>
  settle: (exit: Exit) => void
  forget: NodeJS.Timeout | null
}

export class Execs {
  readonly #context: Context
  readonly #execs = new Map<string, Exec>()

  constructor(context: Context) {
    this.#context = context
  }

  /** @throws EngineError failed_precondition `Container X is not running`, permission_denied (host policy) */
  async create(container: Container, options: ExecOptions, spelled: string): Promise<{ id: string }> {
    const { context } = this
    if (context.config.policy.noExec)
      throw new EngineError('permission_denied', "this host's policy does not allow processes to be started in containers")
    if (options.privileged && context.config.policy.noPrivileged)
      throw new EngineError('permission_denied', "this host's policy does not allow privileged processes")
    check('exec', { id: container.id, spelled, status: container.status })
    if (container.execIds.size >= maxExecsPerContainer)
      throw new EngineError(
        'resource_exhausted',
        `container "${container.name}" has ${maxExecsPerContainer} execs already; wait for some to end`,
      )
    if (options.workingDir && !options.workingDir.startsWith('/'))
      throw new EngineError('invalid_argument', `the working directory '${options.workingDir}' is invalid, it needs to be an absolute path`)
    if ([...options.cmd, ...options.env, options.user, options.workingDir].some((text) => text.includes('\0')))
      throw new EngineError('invalid_argument', 'a NUL byte cannot be part of a command, variable, user or directory')
    const record: ExecRecord = { id: randomBytes(32).toString('hex'), containerId: container.id, options, createdAt: now() }
    this.#keep(record, container)
    context.tell(container, execEvent('exec_create', options.cmd), { execID: record.id })
    return { id: record.id }
  }

  private get context(): Context {
    return this.#context
  }

  #keep(record: ExecRecord, container: Container): Exec {
    let settle: (exit: Exit) => void = () => {}
    const ended = new Promise<Exit>((resolve) => {
      settle = resolve
    })
    const exec: Exec = {
      record,
      ofRun: container.task?.startedAt,
      task: null,
      pid: 0,
      begun: false,
      starting: null,
      exit: null,
      ended,
      settle,
      forget: null,
    }
    this.#execs.set(record.id, exec)
    container.execIds.add(record.id)
    // One that nobody starts is forgotten as well.
    exec.forget = setTimeout(() => this.#forget(exec), keptMs)
    exec.forget.unref()
    return exec
  }

  #find(id: string): Exec {
    const exact = this.#execs.get(id)
    if (exact) return exact
    const matches = /^[0-9a-f]{6,63}$/.test(id) ? [...this.#execs.values()].filter((exec) => exec.record.id.startsWith(id)) : []
    if (matches.length === 1) return matches[0] as Exec
    throw new EngineError('not_found', `No such exec instance: ${id}`)
  }

  /**
   * @param attach.accepted called before the process is made, once nothing but the process itself can fail
   * @returns the viewer's attachment, null when detached
   * @throws EngineError failed_precondition when it began already, not_found when the container has stopped since it was made; StartError with exitStatus 126/127 (the exec then counts as ended so)
   */
  async start(
    id: string,
    attach?: { options: AttachOptions; listener: AttachListener; size?: { cols: number; rows: number }; accepted?: () => void },
  ): Promise<Attachment | null> {
    const exec = this.#find(id)
    const { context } = this
    const container = context.index.get(exec.record.containerId)
    if (!container) throw new EngineError('not_found', `No such container: ${exec.record.containerId}`)
    if (container.task?.startedAt !== exec.ofRun) throw new EngineError('not_found', `No such exec instance: ${exec.record.id}`)
    if (exec.begun) throw new EngineError('failed_precondition', `Exec command ${exec.record.id} has already run; create another`)
    check('exec', { id: container.id, spelled: container.name, status: container.status })
    exec.begun = true
    if (exec.forget) clearTimeout(exec.forget)
    const { options } = exec.record
    let settled = () => {}
    exec.starting = new Promise<void>((resolve) => {
      settled = resolve
    })
    attach?.accepted?.()
    const viewer = attach ? context.tasks.waitingViewer(options.terminal, attach.options, attach.listener) : null
    try {
      const document = await this.#prepare(exec, container, attach?.size, attach?.options.stdin === true)
      exec.task = await context.tasks.start(document, viewer ? [viewer] : [])
      exec.pid = exec.task.pid
    } catch (error) {
      const exitCode = error instanceof StartError ? (error.exitStatus ?? 126) : 126
      this.#finish(exec, container, { exitCode, signal: null, oomKilled: false, startedAt: now(), exitedAt: now() })
      throw error
    } finally {
      exec.starting = null
      settled()
    }
    context.tell(container, execEvent('exec_start', options.cmd), { execID: exec.record.id })
    this.#watch(exec, container, exec.task)
    return viewer
  }

  async #prepare(exec: Exec, container: Container, size: { cols: number; rows: number } | undefined, withStdin: boolean) {
    const { context } = this
    const { options, id } = exec.record
    const directory = context.paths.exec(id)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const user = await this.#user(container, options.user)
    const processFile = `${directory}/process.json`
    const terminal = options.terminal ? (size ?? unknownSize) : null
    await Promise.all([
      writeFile(processFile, runtimeJson(execProcess(context, container, options, user, terminal, linkedEnvironment(context, container))), {
        mode: 0o600,
      }),
      writeFile(`${directory}/exec.json`, JSON.stringify(exec.record), { mode: 0o600 }),
    ])
    return {
      version: 1 as const,
      kind: 'exec' as const,
      id,
      containerId: container.id,
      runtime: { path: context.native.paths.runtime, root: context.native.runtimeRoot, args: [] },
      bundle: context.paths.run(container.id),
      stateDir: directory,
      runDir: directory,
      cgroup: context.paths.cgroup(container.id, container.record.options.cgroupParent),
      terminal,
      stdin: options.attachStdin || withStdin ? ('once' as const) : ('closed' as const),
      log: null,
      // Only a terminal is joined again later; the output of a plain exec has one reader.
      replayBytes: options.terminal ? 256 * 1024 : 64 * 1024,
      attachFds: [],
      exec: { processFile },
      deleteOnExit: false,
    }
  }

  /** The container's own user costs nothing; another is looked up in the running container's files. */
  async #user(container: Container, user: string): Promise<ResolvedUser> {
    const { context } = this
    if (user === '') {
      const text = await readTextIfExists(`${context.paths.run(container.id)}/lease.json`)
      const stored = text === null ? null : (JSON.parse(text) as { user?: ResolvedUser }).user
      if (stored) return stored
    }
    const { task } = container
    if (!task) throw new EngineError('failed_precondition', `Container ${container.id} is not running`)
    const root = ['--pid', String(task.pid), '--start-time', task.startTime]
    const [passwd, group] = await Promise.all([fileOfRoot(context, root, '/etc/passwd'), fileOfRoot(context, root, '/etc/group')])
    return resolveUser(user || container.record.effective.user, container.record.options.groupAdd, passwd, group)
  }

  #watch(exec: Exec, container: Container, task: Task): void {
    void task.ended.then((ending) => {
      if (!this.context.closed) this.#finish(exec, container, exitOf(ending, task.startedAt))
    })
  }

  #finish(exec: Exec, container: Container, exit: Exit): void {
    exec.task = null
    exec.exit = exit
    exec.settle(exit)
    container.endedExecIds.add(exec.record.id)
    this.context.tell(container, 'exec_die', { execID: exec.record.id, exitCode: String(exit.exitCode) })
    exec.forget = setTimeout(() => this.#forget(exec), keptMs)
    exec.forget.unref()
  }

  #forget(exec: Exec): void {
    this.#execs.delete(exec.record.id)
    const container = this.context.index.get(exec.record.containerId)
    container?.execIds.delete(exec.record.id)
    container?.endedExecIds.delete(exec.record.id)
    rm(this.context.paths.exec(exec.record.id), { recursive: true, force: true }).catch((error) => {
      this.context.log.warn({ id: exec.record.id, reason: messageOf(error) }, 'the files of an ended exec could not be removed')
    })
  }

  /** Forgets the execs of a container that is removed. */
  forgetContainer(container: Container): void {
    for (const id of [...container.execIds]) {
      const exec = this.#execs.get(id)
      if (!exec) continue
      if (exec.forget) clearTimeout(exec.forget)
      if (exec.begun || exec.exit) this.#forget(exec)
      else this.#execs.delete(id)
    }
    container.execIds.clear()
    container.endedExecIds.clear()
  }

  /** @throws EngineError failed_precondition if it has not begun or has ended */
  async join(id: string, options: AttachOptions, listener: AttachListener): Promise<Attachment> {
    return this.#live(id).attach(options, listener)
  }

  #live(id: string): Task {
    const exec = this.#find(id)
    if (!exec.task) throw new EngineError('failed_precondition', `exec ${exec.record.id} is not running`)
    return exec.task
  }

  /** A client that was told that its exec begins resizes at once, before there is a process: that is waited for, as in Docker. */
  async resize(id: string, cols: number, rows: number): Promise<void> {
    await this.#find(id).starting
    this.#live(id).resize(cols, rows)
  }

  kill(id: string, signal: string): void {
    const number = signalNumber(signal || 'KILL')
    this.#live(id).signal(number)
  }

  wait(id: string, signal?: AbortSignal): Promise<Exit> {
    const exec = this.#find(id)
    if (!signal) return exec.ended
    return new Promise((resolve, reject) => {
      const abort = () => reject(new EngineError('cancelled', `waiting for exec ${exec.record.id} was cancelled`))
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      void exec.ended.then((exit) => {
        signal.removeEventListener('abort', abort)
        resolve(exit)
      })
    })
  }

  inspect(id: string): ExecDetail {
    return detailOf(this.#find(id))
  }

  list(containerId?: string): ExecDetail[] {
    return [...this.#execs.values()].filter((exec) => containerId === undefined || exec.record.containerId === containerId).map(detailOf)
  }

  /** After a restart of the agent: the running ones are listened to again, the ended ones keep their result, what belongs to no container goes. */
  async recover(): Promise<void> {
    const { context } = this
    for (const name of await namesIn(context.paths.execsRoot)) {
      const directory = `${context.paths.execsRoot}/${name}`
      const record = parseRecord(await readTextIfExists(`${directory}/exec.json`))
      const container = record && context.index.get(record.containerId)
      if (!record || !container) {
        await rm(directory, { recursive: true, force: true })
        continue
      }
      const found = await context.tasks.find(record.id, { runDir: directory, stateDir: directory })
      const exec = this.#keep(record, container)
      exec.begun = true
      if (found && 'task' in found) {
        if (exec.forget) clearTimeout(exec.forget)
        exec.task = found.task
        this.#watch(exec, container, found.task)
      } else if (found) this.#finish(exec, container, exitOf(found, record.createdAt))
      else this.#forget(exec)
    }
  }

  /** Lets go of every monitor; the processes go on. */
  close(): void {
    for (const exec of this.#execs.values()) {
      exec.task?.release()
      if (exec.forget) clearTimeout(exec.forget)
    }
  }
}

function detailOf(exec: Exec): ExecDetail {
  return {
    id: exec.record.id,
    containerId: exec.record.containerId,
    options: exec.record.options,
    running: exec.task !== null,
    pid: exec.pid,
    exitCode: exec.exit?.exitCode ?? null,
    createdAt: exec.record.createdAt,
  }
}

function parseRecord(text: string | null): ExecRecord | null {
  try {
    return execRecord.parse(JSON.parse(text ?? 'null'))
  } catch {
    return null
  }
}
