/**
 * /dev/shm where it is more than the container's own tmpfs: shareable IPC needs one that another container can mount too. A mount of the host then, made at
 * start and gone with the container.
 */
import { mkdir, readFile, rmdir } from 'node:fs/promises'
import { isMissing } from '../disk/files.ts'
import { runProgram } from '../native/programs.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'

const defaultBytes = 64 * 1024 * 1024

/** Host path to bind at /dev/shm; '' when the container's own tmpfs will do. */
export async function prepareShm(context: Context, { id, record }: Container): Promise<string> {
  const { ipcMode, shmSizeBytes } = record.options
  if (ipcMode === 'host') return '/dev/shm'
  if (ipcMode.startsWith('container:')) {
    const other = context.index.resolve(ipcMode.slice('container:'.length))
    return other.record.options.ipcMode === 'host' ? '/dev/shm' : context.paths.shm(other.id)
  }
  if (ipcMode !== 'shareable') return ''
  const path = context.paths.shm(id)
  await mkdir(path, { recursive: true, mode: 0o700 })
  await runProgram('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev,noexec,mode=1777,size=${shmSizeBytes || defaultBytes}`, 'shm', path])
  return path
}

/** Unmounts and removes it; nothing when there was none. */
export async function releaseShm(context: Context, id: string): Promise<void> {
  const path = context.paths.shm(id)
  try {
    await rmdir(path)
  } catch (error) {
    if (isMissing(error)) return
    if ((await readFile('/proc/self/mounts', 'utf8')).includes(` ${path} `)) await runProgram('umount', ['-l', path])
    await rmdir(path)
  }
}
