import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, isMissing, namesIn } from '../disk/files.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { runProgram } from '../native/programs.ts'
import { freshName } from './names.ts'

/** Where directories go to be deleted: gone from their place at once by rename, their files removed behind the caller's back. */
export interface Trash {
  /** The directory has left its place when this resolves. One that is not there is fine. */
  discard(directory: string): Promise<void>
  /** Everything thrown away so far is deleted. */
  emptied(): Promise<void>
}

/** Opens the trash, and goes on with what an earlier life left in it. Must be on the file system of the directories that it takes. */
export async function openTrash(root: string, program: string, log?: Logger): Promise<Trash> {
  await ensureDirectory(root)
  let queue: Promise<void> = Promise.resolve()
  const enqueue = (path: string) => {
    queue = queue.then(async () => {
      try {
        await runProgram(program, ['delete-tree', '--dir', path])
      } catch (error) {
        log?.error({ path, reason: messageOf(error) }, 'files that are no longer needed could not be deleted; the next start tries again')
      }
    })
  }
  for (const name of await namesIn(root)) enqueue(join(root, name))
  return {
    async discard(directory) {
      const path = join(root, freshName())
      try {
        await rename(directory, path)
      } catch (error) {
        if (isMissing(error)) return
        throw error
      }
      enqueue(path)
    },
    async emptied() {
      let seen: Promise<void> | null = null
      while (seen !== queue) {
        seen = queue
        await seen
      }
    },
  }
}
