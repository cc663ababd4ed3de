import { mkdir, rename } from 'node:fs/promises'
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

/** What is thrown away within so long is deleted together: a program's start for each of many small containers would cost more than their files. */
const collectMs = 200

interface Batch {
  /** Directory that takes what is thrown away; null when none could be made (a full disk). */
  path: Promise<string | null>
  moves: Promise<unknown>[]
}

/** Opens the trash, and goes on with what an earlier life left in it. Must be on the file system of the directories that it takes. */
export async function openTrash(root: string, program: string, log?: Logger): Promise<Trash> {
  await ensureDirectory(root)
  let queue: Promise<void> = Promise.resolve()
  let batch: Batch | null = null
  let timer: NodeJS.Timeout | null = null
  const enqueue = (find: () => Promise<string | null>) => {
    queue = queue.then(async () => {
      const path = await find()
      if (path === null) return
      try {
        await runProgram(program, ['delete-tree', '--dir', path])
      } catch (error) {
        log?.error({ path, reason: messageOf(error) }, 'files that are no longer needed could not be deleted; the next start tries again')
      }
    })
  }
  const close = () => {
    if (timer) clearTimeout(timer)
    timer = null
    const full = batch
    batch = null
    if (full)
      enqueue(async () => {
        await Promise.all(full.moves)
        return full.path
      })
  }
  const open = (): Batch => {
    timer = setTimeout(close, collectMs).unref()
    const path = join(root, freshName())
    return {
      path: mkdir(path, { mode: 0o700 }).then(
        () => path,
        () => null,
      ),
      moves: [],
    }
  }
  const move = async (directory: string, into: string | null) => {
    const path = join(into ?? root, freshName())
    try {
      await rename(directory, path)
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    if (into === null) enqueue(async () => path)
  }
  for (const name of await namesIn(root)) enqueue(async () => join(root, name))
  return {
    async discard(directory) {
      batch ??= open()
      const moved = batch.path.then((into) => move(directory, into))
      batch.moves.push(moved.catch(() => {}))
      await moved
    },
    async emptied() {
      close()
      let seen: Promise<void> | null = null
      while (seen !== queue) {
        seen = queue
        await seen
      }
    },
  }
}
