/**
 * Mounting something over a path that an image lacks leaves an empty file or directory in the container's writable layer. These are no result of the
 * step that ran: they are taken out before the layer is made. The layer's content is hostile, but nothing runs in it any more; only real directories
 * are walked, never a link.
 */
import type { Stats } from 'node:fs'
import { lstat, readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What every container gets mounted. */
const always = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev', '/proc', '/sys']

/**
 * @param layer directories of the ended container's snapshot, not mounted anywhere
 * @param targets further absolute paths that were mounted on
 */
export async function removeMountStubs(layer: { upper: string; lower: readonly string[] }, targets: readonly string[]): Promise<void> {
  for (const target of [...always, ...targets]) {
    const parts = target.split('/').filter(Boolean)
    for (let depth = parts.length; depth > 0; depth--) if (!(await removeStub(layer, parts.slice(0, depth), depth === parts.length))) break
  }
}

/** True if it is gone, so that the directory above may be one too. */
async function removeStub({ upper, lower }: { upper: string; lower: readonly string[] }, parts: string[], leaf: boolean): Promise<boolean> {
  const here = await realStat(upper, parts)
  if (!here) return false
  const below = await firstBelow(lower, parts)
  const path = join(upper, ...parts)
  if (here.isDirectory()) {
    if ((await readdir(path)).length > 0) return false
    // An empty copy of a directory that the image has says nothing, unless something about it was changed.
    if (below && !(below.isDirectory() && below.mode === here.mode && below.uid === here.uid && below.gid === here.gid)) return false
    await rmdir(path)
    return true
  }
  if (!leaf || below || !here.isFile() || here.size > 0) return false
  await unlink(path)
  return true
}

async function firstBelow(lower: readonly string[], parts: string[]): Promise<Stats | null> {
  for (const directory of lower) {
    const found = await realStat(directory, parts)
    if (found) return found
  }
  return null
}

/** What is at a path whose parents are all real directories; null otherwise. */
async function realStat(root: string, parts: string[]): Promise<Stats | null> {
  let stat: Stats | null = null
  for (let depth = 1; depth <= parts.length; depth++) {
    if (stat && !stat.isDirectory()) return null
    stat = await lstat(join(root, ...parts.slice(0, depth))).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
      throw error
    })
    if (!stat) return null
  }
  return stat
}
