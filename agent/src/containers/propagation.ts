import type { PlacedMount } from './spec-mounts.ts'

/** Docker: a shared bind needs a shared root mount, a slave one at least a slave; else the runtime's private stays. */
export function maskedRootPropagation(mounts: readonly PlacedMount[]): string {
  if (mounts.some((mount) => mount.propagation === 'shared' || mount.propagation === 'rshared')) return 'shared'
  if (mounts.some((mount) => mount.propagation === 'slave' || mount.propagation === 'rslave')) return 'rslave'
  return ''
}
