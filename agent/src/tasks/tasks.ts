import type { LogPage, LogQuery, LogRecord } from '@berth/contract/log'
import type { HostPoint, StatsPoint, StatsSample } from '@berth/contract/stats'
import type { PortPlan } from '../native/monitor-connection.ts'
import type { MonitorDocument } from '../native/monitor-document.ts'

/** How a process ended; exit.json of native/README.md. */
export interface Exit {
  exitCode: number
  signal: number | null
  oomKilled: boolean
  startedAt: string
  exitedAt: string
}

/** A viewer of one process, over the monitor's frames. Bytes are opaque. */
export interface Attachment {
  readonly terminal: boolean
  readonly size: { cols: number; rows: number }
  /** Resolves when the process's pipe has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>
  closeStdin(): void
  resize(cols: number, rows: number): void
  signal(number: number): void
  /** Grants further output bytes (flow credit only). */
  credit(bytes: number): void
  /** Leaves; the process goes on. */
  close(): void
}

export interface AttachOptions {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  replay: boolean
  /** credit: the process waits for this viewer. drop: the viewer is cut off when it is 1 MiB behind. */
  flow: { kind: 'credit'; bytes: number } | { kind: 'drop' }
}

/** Calls come in order; `ended` is the last. */
export interface AttachListener {
  stdout(bytes: Buffer): void
  stderr(bytes: Buffer): void
  replay(stream: 'stdout' | 'stderr', bytes: Buffer): void
  replayed(): void
  resized(cols: number, rows: number): void
  ended(reason: { exit: Exit } | { lost: string }): void
}

/** Reading a container's log directory; the container need not run. */
export interface Logs {
  read(query: LogQuery): Promise<LogPage>
  /** From an offset or the tail on, then what comes, until stop() or the container ends and all was given. `deliver` is awaited: back-pressure. */
  follow(
    query: { container: string; stdout: boolean; stderr: boolean; tail: number | null; fromOffset?: number; since?: string },
    deliver: (records: LogRecord[]) => Promise<void>,
  ): { startOffset: number; endOffset: number; done: Promise<'ended' | 'stopped'>; stop(): void }
  /** Raw records for the Engine API: bytes as written, newline included where the line had one. */
  raw(
    query: { container: string; stdout: boolean; stderr: boolean; tail: number | null; since?: string; until?: string; follow: boolean },
    deliver: (record: { stream: 'stdout' | 'stderr'; at: string; bytes: Buffer }[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>
}

export interface Stats {
  /** One sample now (two reads, 100 ms or the running sampler's, so that percent is there). @throws failed_precondition if it does not run */
  sample(containerId: string): Promise<{ previous: StatsSample | null; sample: StatsSample }>
  /** Every second while somebody listens; one sampler for all. Returns a function that leaves. */
  subscribe(
    selection: { containers: 'all' | string[]; host: boolean },
    listener: (items: { containers: { id: string; point: StatsPoint; sample: StatsSample }[]; host: HostPoint | null }) => void,
  ): () => void
  /** The last hour. */
  history(containerId: string): StatsPoint[]
  hostHistory(): HostPoint[]
}

/** How the wait for a process ended: it exited, or its monitor went without a word. */
export type Ending = { exit: Exit } | { lost: string }

/** A viewer that came before the process: joins at the first byte. `left` when it went away again before. */
export interface WaitingViewer {
  readonly left: boolean
  /** Size that it asked for, the newest last. */
  readonly wantedSize: { cols: number; rows: number } | null
}

/** One live process with its monitor. */
export interface Task {
  readonly id: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat: pid and this name one process for ever. */
  readonly startTime: string
  readonly startedAt: string
  readonly terminal: boolean
  /** Never rejects. Comes once, after exit.json is on the disk. */
  readonly ended: Promise<Ending>
  /** @throws EngineError failed_precondition when it has ended meanwhile */
  attach(options: AttachOptions, listener: AttachListener): Promise<Attachment>
  /** By pidfd, so never to another process. */
  signal(number: number): void
  resize(cols: number, rows: number): void
  rotateLog(): void
  /** Binds a port of the host, leads it elsewhere or gives it back. @throws EngineError as MonitorConnection.setPort */
  setPort(plan: PortPlan): Promise<void>
  /** Calls back when the kernel killed something in the cgroup for want of memory. */
  onOom(listener: () => void): void
  /** Lets go; the process goes on. `ended` never comes then. */
  release(): void
}

/** Processes that monitors hold. */
export interface Tasks {
  /** A viewer for a process that does not run yet: give it to start(). */
  waitingViewer(terminal: boolean, options: AttachOptions, listener: AttachListener): Attachment & WaitingViewer
  /**
   * Starts what the document says (its attachFds are filled in here). One spawn.
   * @throws StartError when the process cannot start (nothing is left), EngineError else; viewers are told nothing and may be given to another start
   */
  start(document: MonitorDocument, viewers: (Attachment & WaitingViewer)[]): Promise<Task>
  /**
   * After a restart of the agent: the process if it goes on, how it ended if it ended, null if nothing was ever started there (or a power cut took it).
   * @param directories runDir and stateDir of its document
   */
  find(id: string, directories: { runDir: string; stateDir: string }): Promise<{ task: Task } | Ending | null>
  /**
   * Ends what goes on running of a process that find() and the runtime know nothing of any more, because its run directory is gone, and removes its group.
   * @param cgroup path of its group, the same in every hierarchy
   * @throws unavailable when it does not end
   */
  endLost(id: string, cgroup: string): Promise<void>
}
