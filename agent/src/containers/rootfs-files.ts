/**
 * Small files of a root file system that does not run, read from its overlay directories without mounting: /etc/passwd and /etc/group at every start. No link
 * is followed; where one stands in the way the caller asks berth-unpack, which resolves it inside the root.
 */
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../disk/files.ts'

/** `link`: a symbolic link is on the way. */
export type Found = { text: string } | 'missing' | 'link'

/**
 * @param directories upper first, then the lower ones, topmost first
 * @param path relative, with plain names: `etc/passwd`
 */
export async function readFromLayers(directories: readonly string[], path: string, limitBytes: number): Promise<Found> {
  const [parent, name] = path.split('/') as [string, string]
  for (const directory of directories) {
    const above = await lstatOrNull(join(directory, parent))
    if (!above) continue
    if (above.isSymbolicLink()) return 'link'
    // A whiteout or a file in its place hides what is below.
    if (!above.isDirectory()) return 'missing'
    const file = await lstatOrNull(join(directory, parent, name))
    if (!file) continue
    if (file.isSymbolicLink()) return 'link'
    if (!file.isFile()) return 'missing'
    const handle = await open(join(directory, parent, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const buffer = Buffer.allocUnsafe(Math.min(file.size, limitBytes))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
      return { text: buffer.toString('utf8', 0, bytesRead) }
    } finally {
      await handle.close()
    }
  }
  return 'missing'
}

async function lstatOrNull(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
