/**
 * Files and directories that the runtime makes in a container's layer so that something can be mounted on them. They are the engine's, not the container's: what
 * people are shown of a layer's changes leaves them out.
 */
const targets = new Set([
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/dev',
  '/proc',
  '/sys',
  '/dev/console',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/sbin/berth-init',
])

export interface LayerChange {
  kind: 'A' | 'C' | 'D'
  path: string
}

/** The changes without our own mount targets, and without a directory that changed (or came) only by them. */
export function withoutOwnFiles(changes: readonly LayerChange[]): LayerChange[] {
  const kept = changes.filter(({ kind, path }) => !(kind === 'A' && targets.has(path)))
  if (kept.length === changes.length) return kept
  const parents = new Set(
    changes.filter(({ kind, path }) => kind === 'A' && targets.has(path)).map(({ path }) => path.slice(0, path.lastIndexOf('/'))),
  )
  return kept.filter(({ kind, path }) => kind === 'D' || !parents.has(path) || kept.some((other) => other.path.startsWith(`${path}/`)))
}
