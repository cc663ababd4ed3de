import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError, temporaryName } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'

/**
 * Mounts an overlay in the data root once, in a mount namespace that ends with the try: whether a file system can hold writable layers (vfat, NFS and another
 * overlay cannot) only the kernel knows, and a person should hear of it before the first container. Leaves nothing.
 * @throws failed_precondition naming the data root, its file system and what to do
 */
export async function requireOverlay(dataRoot: string): Promise<void> {
  // The mount command splits its options at commas; createSnapshots refuses such paths with a sentence of its own.
  if (/[:,\\]/.test(dataRoot)) return
  const root = temporaryName(join(dataRoot, 'overlay-try'))
  const part = (name: string) => join(root, name)
  try {
    for (const name of ['', 'lower', 'upper', 'work', 'merged']) await mkdir(part(name), { mode: 0o700 })
    const options = `lowerdir=${part('lower')},upperdir=${part('upper')},workdir=${part('work')}`
    const mount = ['mount', '-t', 'overlay', 'overlay', '-o', options, part('merged')]
    // 1 to 64: what mount(8) says of a mount that failed.
    const { exitCode } = await runProgram('unshare', ['--mount', '--', ...mount], { allowedExitCodes: [1, 32] })
    if (exitCode === 0) return
    const { stdout } = await runProgram('findmnt', ['-n', '-o', 'FSTYPE', '--target', dataRoot], { allowedExitCodes: [1] })
    throw new EngineError(
      'failed_precondition',
      `the file system of ${dataRoot} (${stdout.trim().split('\n').at(-1) || 'of unknown type'}) cannot hold the writable layers of overlay mounts; choose a data root on ext4, xfs or btrfs (BERTH_DATA)`,
    )
  } catch (error) {
    throw diskError(error, root)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
