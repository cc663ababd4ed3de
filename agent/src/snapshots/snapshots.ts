import type { Readable } from 'node:stream'
import type { Lease } from '../content/content-store.ts'

/** A mount that somebody else makes: the words of native/README.md. */
export interface MountSpec {
  type: string
  source: string
  target: string
  options: string[]
}

/** Overlay directories of one active snapshot. */
export interface ActiveSnapshot {
  key: string
  lower: string[]
  upper: string
  work: string
}

/**
 * Layers on disk. Committed snapshots are named by chain id and are never changed; an active one is a container's writable layer (or a build step's).
 * Returns mounts, mounts nothing itself.
 */
export interface Snapshots {
  has(chainId: string): boolean
  /** Unpacks a layer archive on top of `parent` (null: the lowest). Idempotent and safe against two callers at once. Verifies diffId. @throws invalid_argument (hostile or broken archive), data_loss (diffId differs), resource_exhausted (disk) */
  unpack(
    layer: { parent: string | null; chainId: string; diffId: string; blobPath: string },
    options: { signal?: AbortSignal },
  ): Promise<void>
  /**
   * The same for a layer whose bytes are still on their way and whose place in a stack comes later: unpacks while it reads and answers the digest and size
   * of what it read, for the caller to compare. A later `unpack` of this diffId finds the files here. `diffId` null: whatever comes (import); the answer
   * tells. null when the layer is here already: the source is then not read to its end.
   */
  unpackStream(
    diffId: string | null,
    source: Readable | { fd: number },
    options: { signal?: AbortSignal },
  ): Promise<{ digest: string; sizeBytes: number; diffId: string } | null>
  /** Whether the files of a layer are here, in whatever stack. */
  hasLayer(diffId: string): boolean
  /**
   * A writable layer on top of `parent` (null: empty). `init`: with the places between them that every container is mounted on, which count as neither's.
   * @throws not_found, already_exists
   */
  prepare(
    key: string,
    parent: string | null,
    options?: { idmap?: { uid: number; gid: number; size: number }; init?: boolean },
  ): Promise<ActiveSnapshot>
  active(key: string): ActiveSnapshot | null
  /** The overlay mount of an active snapshot at `target`. */
  mounts(key: string, target: string): MountSpec[]
  /** A read-only view of a committed one at `target`. */
  view(chainId: string, target: string): MountSpec[]
  /**
   * Writes the active layer as an archive into the content store and makes it a committed snapshot. The active one stays, unless `consume`: then its
   * directory becomes the committed one without a copy and the active snapshot is gone (build steps; nothing may have it mounted). Until a record refers
   * to the digest and the chain id, the caller's lease must hold them; without a lease they are held for ten minutes, or until `referred`.
   */
  commit(
    key: string,
    options: { compress: 'none' | 'gzip' | 'zstd'; consume?: boolean; lease?: Lease; signal?: AbortSignal },
  ): Promise<{ digest: string; sizeBytes: number; diffId: string; chainId: string; mediaType: string }>
  /** Says that a record refers to what a commit without a lease made: it is held no longer for its own sake. */
  referred(digest: string): void
  /** Whether an active snapshot stands on this stack, directly or above it. */
  isBelowActive(chainId: string): boolean
  /** Changes of the active layer against what is below, Docker's A/C/D, sorted by path. */
  changes(key: string): Promise<{ kind: 'A' | 'C' | 'D'; path: string }[]>
  usage(key: string): Promise<{ sizeBytes: number; inodes: number }>
  /** Bytes of a committed layer alone; 0 for one that is not here. */
  layerBytes(chainId: string): number
  /** Forgets an active snapshot and its files; no error if there is none. */
  remove(key: string): Promise<void>
  /** Removes committed snapshots not in `keep`, not below one that is, not below an active one and not held by a lease; returns the bytes given back. Called by gc/. */
  sweep(keep: ReadonlySet<string>): Promise<number>
  /** Bytes on disk of all layers, each once. */
  totalBytes(): number
  /** Waits for removals and flushes under way. */
  close(): Promise<void>
}
