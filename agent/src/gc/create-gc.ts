import type { ContentStore } from '../content/content-store.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'

/** What somebody still needs: blobs by digest, stacks by chain id. */
export interface Roots {
  digests: Iterable<string>
  chainIds: Iterable<string>
}

/**
 * Gives back what no root needs. Rooms that refer to blobs or layers (images, the build cache) add their roots when the engine is wired; active snapshots
 * and leases count by themselves.
 */
export interface Gc {
  addRoots(roots: () => Roots): void
  /** Runs after one another: a call during a run waits for a run of its own. */
  collect(): Promise<{ reclaimedBytes: number }>
}

export function createGc(rooms: { content: ContentStore; snapshots: Snapshots }): Gc {
  const providers: (() => Roots)[] = []
  let running: Promise<unknown> = Promise.resolve()
  const run = async () => {
    // Roots are read without a pause before the sweeps, which look at leases at each step themselves.
    const roots = providers.map((provider) => provider())
    const keepChains = new Set(roots.flatMap((root) => [...root.chainIds]))
    const keepDigests = new Set(roots.flatMap((root) => [...root.digests]))
    const content = rooms.content.sweep(keepDigests)
    const snapshots = rooms.snapshots.sweep(keepChains)
    return { reclaimedBytes: (await content) + (await snapshots) }
  }
  return {
    addRoots: (roots) => void providers.push(roots),
    collect() {
      const next = running.then(run, run)
      running = next.catch(() => {})
      return next
    },
  }
}
