/**
 * `volume-subpath`: a part of a volume instead of the whole. What is in a volume belongs to containers, so a link in it must not lead to the host: the path is
 * walked part by part from descriptors, and what was found is bound to a place of its own, made at start and gone with the container. (The monitor is
 * given paths: a path into the volume could be changed under its hands.)
 */
import { type FileHandle, mkdir, open, readdir, rmdir, unlink, writeFile } from 'node:fs/promises'
import { isMissing } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { Context } from './context.ts'

/** linux/fcntl.h; Node has no names for them. */
const openPath = 0o10000000
const noFollow = 0o400000

/** @returns host path to bind instead of the volume's. @throws not_found, invalid_argument (a link on the way) */
export async function bindSubpath(
  context: Context,
  id: string,
  number: number,
  volume: { name: string; root: string; subpath: string },
): Promise<string> {
  const found = await walk(volume)
  try {
    const directory = context.paths.subpaths(id)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const place = `${directory}/${number}`
    if ((await found.stat()).isDirectory()) await mkdir(place)
    else await writeFile(place, '')
    // By descriptor, not by name: mount(8) must not look the name up again.
    await runProgram('mount', ['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${found.fd}`, place])
    return place
  } finally {
    await found.close()
  }
}

async function walk({ name, root, subpath }: { name: string; root: string; subpath: string }): Promise<FileHandle> {
  let at = await open(root, openPath)
  for (const part of subpath.split('/').filter((word) => word !== '' && word !== '.')) {
    const above = at
    try {
      at = await open(`/proc/self/fd/${above.fd}/${part}`, openPath | noFollow)
    } catch (error) {
      if (!isMissing(error)) throw error
      throw new EngineError('not_found', `cannot access path ${subpath} in volume ${name}: no such file or directory`)
    } finally {
      await above.close()
    }
    if (!(await at.stat()).isSymbolicLink()) continue
    await at.close()
    throw new EngineError(
      'invalid_argument',
      `the path ${subpath} in volume ${name} leads through a symbolic link ("${part}"); it is refused`,
    )
  }
  return at
}

/** Unmounts and removes them; nothing when there were none. Never deletes what is still mounted. */
export async function releaseSubpaths(context: Context, id: string): Promise<void> {
  const directory = context.paths.subpaths(id)
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  for (const name of names) {
    const place = `${directory}/${name}`
    // 32: nothing is mounted there (a start that was cut off).
    await runProgram('umount', ['--lazy', place], { allowedExitCodes: [32] })
    await rmdir(place).catch((error) => {
      if ((error as { code?: string }).code !== 'ENOTDIR') throw error
      return unlink(place)
    })
  }
  await rmdir(directory)
}
