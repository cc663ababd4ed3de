import { mkdir, rm, writeFile } from 'node:fs/promises'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { MountSpec } from '../snapshots/snapshots.ts'
import type { Context } from './context.ts'
import type { RecordedMount } from './record.ts'

/**
 * Runs `work` with a `--mounts` file of a container's root file system (and further mounts in it), which berth-unpack mounts in a namespace of its own for the call.
 */
export async function withMountsFile<T>(
  context: Context,
  id: string,
  work: (file: string) => Promise<T>,
  further: MountSpec[] = [],
): Promise<T> {
  const rootfs = context.paths.rootfs(id)
  const file = `${context.paths.directory(id)}/mounts.${process.hrtime.bigint()}.json`
  await mkdir(rootfs, { recursive: true, mode: 0o755 })
  await writeFile(file, JSON.stringify({ mounts: [...context.snapshots.mounts(id, rootfs), ...further], root: rootfs }), { mode: 0o600 })
  try {
    return await work(file)
  } finally {
    await rm(file, { force: true })
  }
}

/** A new, empty volume gets what the image has at its target: ownership, modes and all. No such directory in the image: nothing. */
export async function copyUp(context: Context, id: string, mount: RecordedMount): Promise<void> {
  const target = await context.volumes.mountpoint(mount.name)
  try {
    await withMountsFile(context, id, async (file) => {
      await runProgram(context.native.paths.unpack, ['copy', '--mounts', file, '--path', mount.destination, '--to-dir', target])
    })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (error.code === 'not_found') return
    if (/: not a directory$/.test(error.message))
      throw new EngineError('failed_precondition', `cannot mount volume over existing file, file exists ${mount.destination}`, {
        cause: error,
      })
    throw error
  }
}
