import type { PruneResult } from '@berth/contract/image'
import type { VolumeSummary } from '@berth/contract/volume'

export interface Volumes {
  list(options?: { filters?: Record<string, string[]>; withSize?: boolean }): Promise<VolumeSummary[]>
  /** @throws not_found `no such volume: X` */
  inspect(name: string, options?: { withSize?: boolean }): Promise<VolumeSummary>
  /** Idempotent for the same name and driver options. name absent: 64 hex, anonymous. */
  create(input: {
    name?: string
    labels?: Record<string, string>
    options?: Record<string, string>
    anonymous?: boolean
  }): Promise<VolumeSummary>
  /** @throws failed_precondition `remove X: volume is in use - [container id]`, not_found (unless force) */
  remove(name: string, options: { force: boolean }): Promise<void>
  /** Anonymous ones only, unless all. */
  prune(options: { all: boolean; labels: string[]; notLabels: string[]; dryRun: boolean }): Promise<PruneResult>
  /** Directory on the host that is bind-mounted; for options.type/device the mount is made first. */
  mountpoint(name: string): Promise<string>
  /** First use: the copied-up state of a new, empty volume. */
  isPristine(name: string): Promise<boolean>
  clone(source: string, target: string, signal?: AbortSignal): Promise<VolumeSummary>
  backup(name: string, signal?: AbortSignal): Promise<NodeJS.ReadableStream>
  restore(name: string, archive: NodeJS.ReadableStream, signal?: AbortSignal): Promise<void>
  /** Who mounts what; given by containers/ when the engine is wired. */
  setUsers(
    users: () => Iterable<{ volume: string; containerId: string; containerName: string; destination: string; readOnly: boolean }>,
  ): void
}
