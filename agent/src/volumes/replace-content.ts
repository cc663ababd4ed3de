/**
 * Replaces what a volume holds without replacing its directory, which containers may have mounted. Entries move by rename in two phases, and the names of
 * the directories tell which phase a crash interrupted, so that the next start finishes it: `_restore` = still being unpacked (thrown away), `_restore.1` =
 * old entries move out to `_old`, `_restore.2` = new ones move in.
 */
import { chmod, chown, mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn, syncDirectory } from '../disk/files.ts'
import type { Trash } from '../snapshots/trash.ts'

export const unpacking = '_restore'
const movingOut = '_restore.1'
const movingIn = '_restore.2'
const data = '_data'
const old = '_old'

/** Makes the fully unpacked `_restore` the content of `_data`. */
export async function replaceContent(volume: string, trash: Trash): Promise<void> {
  await rename(join(volume, unpacking), join(volume, movingOut))
  await finishReplacing(volume, trash)
}

/** Goes on from wherever an earlier life stopped; does nothing where nothing was begun. */
export async function finishReplacing(volume: string, trash: Trash): Promise<void> {
  const names = await namesIn(volume)
  await trash.discard(join(volume, unpacking))
  if (names.includes(movingOut)) {
    await mkdir(join(volume, old), { recursive: true, mode: 0o700 })
    await moveEntries(join(volume, data), join(volume, old))
    await rename(join(volume, movingOut), join(volume, movingIn))
    await syncDirectory(volume)
  }
  if (names.includes(movingOut) || names.includes(movingIn)) {
    const { mode, uid, gid } = await stat(join(volume, movingIn))
    await chown(join(volume, data), uid, gid)
    await chmod(join(volume, data), mode & 0o7777)
    await moveEntries(join(volume, movingIn), join(volume, data))
    await trash.discard(join(volume, movingIn))
    await syncDirectory(volume)
  }
  await trash.discard(join(volume, old))
}

async function moveEntries(from: string, to: string): Promise<void> {
  for (const name of await namesIn(from)) await rename(join(from, name), join(to, name))
  await syncDirectory(to)
  await syncDirectory(from)
}
