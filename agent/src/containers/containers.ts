import type {
  ContainerDetail,
  ContainerOptions,
  ContainerSummary,
  Limits,
  ListContainersInput,
  RestartPolicy,
} from '@berth/contract/container'
import type { ExecDetail, ExecOptions } from '@berth/contract/exec'
import type { FileEntry } from '@berth/contract/file'
import type { PruneResult } from '@berth/contract/image'
import type { EndpointConfig } from '@berth/contract/network'
import type { AttachListener, Attachment, AttachOptions, Exit } from '../tasks/tasks.ts'

/** What `docker cp` says of a path (X-Docker-Container-Path-Stat). */
export interface PathStat {
  name: string
  sizeBytes: number
  /** Linux st_mode. */
  mode: number
  modifiedAt: string
  linkTarget: string
}

/**
 * The noun that everything turns around. Every method takes a name, an id or an unambiguous prefix and throws not_found `No such container: X`.
 * A method that changes one container waits for its turn; a failed one leaves the container as it was.
 */
export interface Containers {
  /** Reads the records, finds the monitors again, applies restart policies. */
  open(): Promise<void>
  /** Lets go of everything; containers go on. */
  close(): Promise<void>
  /**
   * Record, writable layer, volumes; nothing runs. `transient`: it must not outlive this agent, the next one removes it whatever it does (a build's step).
   * @throws not_found (image), already_exists (name: Docker's Conflict sentence), invalid_argument
   */
  create(input: { name?: string; options: ContainerOptions; transient?: boolean }): Promise<{ id: string; warnings: string[] }>
  list(query: ListContainersInput): Promise<ContainerSummary[]>
  /** The same number again means that a list without filters and sizes would tell the same, except for images that have lost or changed their names. */
  revision(): number
  inspect(container: string, options?: { size?: boolean }): Promise<ContainerDetail>
  /** Full id of what a person typed. */
  resolveId(container: string): string
  /** false: it was running already. Viewers that attached before get every byte. */
  start(container: string, options?: { detachKeys?: string }): Promise<boolean>
  /** false: it was stopped already. Null timeout = the container's own. */
  stop(container: string, options?: { timeoutSeconds?: number; signal?: string }): Promise<boolean>
  restart(container: string, options?: { timeoutSeconds?: number; signal?: string }): Promise<void>
  /** @throws failed_precondition `Cannot kill container: X: Container … is not running`, invalid_argument (signal) */
  kill(container: string, signal: string): Promise<void>
  pause(container: string): Promise<void>
  unpause(container: string): Promise<void>
  /** Forgets one `--link`, named `container/alias`. @throws not_found, failed_precondition for the name of a container alone */
  removeLink(spelled: string): Promise<void>
  rename(container: string, name: string): Promise<void>
  update(container: string, change: { limits?: Partial<Limits>; restart?: RestartPolicy }): Promise<{ warnings: string[] }>
  remove(container: string, options: { force: boolean; volumes: boolean }): Promise<void>
  /** Registers before it resolves the returned promise's executor, so no exit is missed. */
  wait(
    container: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal?: AbortSignal,
  ): Promise<{ exitCode: number; error: string }>
  top(container: string, psArgs: string[]): Promise<{ titles: string[]; processes: string[][] }>
  changes(container: string): Promise<{ kind: 'A' | 'C' | 'D'; path: string }[]>
  prune(options: { until?: string; labels: string[]; notLabels: string[]; dryRun: boolean }): Promise<PruneResult>
  commit(
    container: string,
    options: { reference: string; comment: string; author: string; changes: string[]; pause: boolean },
    signal?: AbortSignal,
  ): Promise<{ id: string }>
  export(container: string, signal?: AbortSignal): Promise<NodeJS.ReadableStream>
  /** Also before start: the viewer is kept and joins at the first byte. */
  attach(container: string, options: AttachOptions, listener: AttachListener): Promise<Attachment>
  resize(container: string, cols: number, rows: number): Promise<void>
  connect(network: string, container: string, config: EndpointConfig): Promise<void>
  disconnect(network: string, container: string, force: boolean): Promise<void>

  createExec(container: string, options: ExecOptions): Promise<{ id: string }>
  /** Detached when no listener is given. `accepted` is called before the process is made, once nothing but the process itself can fail. */
  startExec(
    execId: string,
    attach?: { options: AttachOptions; listener: AttachListener; size?: { cols: number; rows: number }; accepted?: () => void },
  ): Promise<Attachment | null>
  /** Joins a running exec (replay). @throws failed_precondition if it ended */
  joinExec(execId: string, options: AttachOptions, listener: AttachListener): Promise<Attachment>
  resizeExec(execId: string, cols: number, rows: number): Promise<void>
  inspectExec(execId: string): ExecDetail
  listExecs(container?: string): ExecDetail[]
  killExec(execId: string, signal: string): Promise<void>
  waitExec(execId: string, signal?: AbortSignal): Promise<Exit>
  /** Shells that the image has, best first (`/bin/bash`, `/bin/sh`, …); empty if it has none. */
  shells(container: string): Promise<string[]>

  statPath(container: string, path: string): Promise<PathStat>
  getArchive(
    container: string,
    path: string,
    options?: { follow?: boolean },
    signal?: AbortSignal,
  ): Promise<{ stat: PathStat; archive: NodeJS.ReadableStream }>
  putArchive(
    container: string,
    path: string,
    archive: NodeJS.ReadableStream,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; uid?: number; gid?: number },
  ): Promise<void>
  listFiles(container: string, path: string, limit: number): Promise<FileEntry[]>
  makeDirectory(container: string, path: string): Promise<void>
  removeFile(container: string, path: string): Promise<void>
  renameFile(container: string, from: string, to: string): Promise<void>
}
