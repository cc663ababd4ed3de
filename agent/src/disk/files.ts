/**
 * Files that survive a crash and a power cut: written beside their place, flushed, renamed over it, and the directory flushed. A reader sees the old
 * bytes or the new ones, never a part. After a crash only names that isTemporary knows can be left over; whoever owns the directory removes them at boot.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../errors.ts'

export interface WriteOptions {
  /** Permission bits; default 0600. */
  mode?: number
  /** false: rename only, without the flushes, for what may be lost with the machine (not with the process). Default true. */
  durable?: boolean
}

/**
 * Replaces or creates `path`. When it resolves the bytes are on the disk under that name.
 * @throws resource_exhausted for a full disk or quota; on any failure the old file is as it was and nothing is left beside it
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  const durable = options.durable ?? true
  const temporary = temporaryName(path)
  let handle: FileHandle | null = null
  let directory: FileHandle | null = null
  let renamed = false
  let existed = true
  try {
    // Opened before anything is changed: a process without descriptors must not learn of it after the rename.
    if (durable) {
      directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
      existed = await exists(path)
    }
    handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, options.mode ?? 0o600)
    await handle.writeFile(data)
    if (durable) await handle.sync()
    await handle.close()
    handle = null
    await rename(temporary, path)
    renamed = true
    await directory?.sync()
  } catch (error) {
    await handle?.close().catch(() => {})
    await rm(temporary, { force: true }).catch(() => {})
    // A new file whose name may not be durable was not written.
    if (renamed && !existed) await rm(path, { force: true }).catch(() => {})
    throw diskError(error, path)
  } finally {
    await directory?.close().catch(() => {})
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** A fresh hidden name in the same directory, known to isTemporary. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`)
}

/** Whether a file name is one that an interrupted write can leave. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}

/** Removes what interrupted writes left in a directory; an absent directory is fine. */
export async function removeTemporary(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) if (isTemporary(name)) await rm(join(directory, name), { recursive: true, force: true })
}

/** Names in a directory; empty when it is not there. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Text of a file, or null when it is not there. */
export async function readTextIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Makes names created, renamed or removed in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes syncs of one directory that are asked for while one is running into one more: each caller still waits for a sync that began after its own change. */
export function sharedSync(directory: string): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  const start = (): Promise<void> => {
    running = syncDirectory(directory).finally(() => {
      running = null
    })
    return running
  }
  return () => {
    if (!running) return start()
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null
        return start()
      })
    return next
  }
}

/** Creates a directory with its parents; when it was not there, its name is made durable. @throws failed_precondition for a file in the way */
export async function ensureDirectory(directory: string, mode = 0o700): Promise<void> {
  try {
    const first = await makeDirectories(directory, mode)
    if (first !== null) await syncDirectory(dirname(first))
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw new EngineError('failed_precondition', `${directory} cannot be a directory: a file is in the way; move it, or choose another`, {
        cause: error,
      })
    throw diskError(error, directory)
  }
}

/**
 * Step by step: Node's own recursive mkdir says ENOENT of a read-only file system and never ends below /proc.
 * @returns the topmost directory that was made, null when all were there
 */
async function makeDirectories(directory: string, mode: number): Promise<string | null> {
  try {
    await mkdir(directory, { mode })
    return directory
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && (await isDirectory(directory))) return null
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error
  }
  const first = await makeDirectories(dirname(directory), mode)
  // Beside us another may make it: that is as good.
  await mkdir(directory, { mode }).catch(async (error) => {
    if (!(await isDirectory(directory))) throw error
  })
  return first ?? directory
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Removes one file, by default durably. @returns false when it was not there */
export async function removeFile(path: string, durable = true): Promise<boolean> {
  try {
    await unlink(path)
  } catch (error) {
    if (isMissing(error)) return false
    throw diskError(error, path)
  }
  if (durable) await syncDirectory(dirname(path))
  return true
}

/** Removes an empty directory; one that is not there is fine. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  try {
    await rmdir(path)
  } catch (error) {
    if (!isMissing(error)) throw diskError(error, path)
  }
}

/** Whether an error says that a file is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** An errno error as an EngineError with a sentence a person can act on; anything else as it is. */
export function diskError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (error instanceof EngineError || typeof code !== 'string') return error
  if (code === 'ENOSPC') {
    const message = `no space (or no inodes) left on the disk while writing ${path}; free some, for example with a prune`
    return new EngineError('resource_exhausted', message, { cause: error })
  }
  if (code === 'EDQUOT') return new EngineError('resource_exhausted', `disk quota exceeded while writing ${path}`, { cause: error })
  if (code === 'EMFILE' || code === 'ENFILE')
    return new EngineError('resource_exhausted', `no file descriptors left while opening ${path}`, { cause: error })
  if (code === 'EROFS') return new EngineError('failed_precondition', `${path} is on a read-only file system`, { cause: error })
  if (code === 'EIO') return new EngineError('data_loss', `the disk reported an error at ${path}; check the kernel log`, { cause: error })
  return error
}
