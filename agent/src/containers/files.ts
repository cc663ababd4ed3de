/** Files of containers, running or not: docker cp, the file manager, export, commit. Every path is resolved by berth-unpack, inside the root. */
import type { FileEntry } from '@berth/contract/file'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { openProgram, runProgram } from '../native/programs.ts'
import type { Container } from './container.ts'
import type { PathStat } from './containers.ts'
import type { Context } from './context.ts'
import { withMountsFile } from './copy-up.ts'

const statAnswer = z.object({
  name: z.string(),
  sizeBytes: z.number(),
  mode: z.number(),
  mtime: z.union([z.string(), z.number()]),
  linkTarget: z.string().nullish(),
  isDir: z.boolean().optional(),
})
const listLine = z.object({
  name: z.string(),
  type: z.string(),
  sizeBytes: z.number(),
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
  mtime: z.union([z.string(), z.number()]),
  linkTarget: z.string().nullish(),
})

const entryTypes: Record<string, FileEntry['type']> = {
  file: 'file',
  directory: 'directory',
  dir: 'directory',
  link: 'link',
  symlink: 'link',
  block: 'block',
  char: 'char',
  fifo: 'fifo',
  socket: 'socket',
}

/** berth-unpack gives seconds or RFC 3339. */
function timeText(mtime: string | number): string {
  return typeof mtime === 'number' ? new Date(mtime * 1000).toISOString() : mtime
}

/** Runs `work` with the arguments that name this container's root to berth-unpack. */
async function withRoot<T>(context: Context, container: Container, work: (root: string[]) => Promise<T>): Promise<T> {
  const { task } = container
  if (task) return work(['--pid', String(task.pid), '--start-time', task.startTime])
  return withMountsFile(context, container.id, (file) => work(['--mounts', file]))
}

function checkPath(path: string): string {
  if (path === '' || path.includes('\0')) throw new EngineError('invalid_argument', 'a path inside the container is needed')
  return path.startsWith('/') ? path : `/${path}`
}

/** Docker's sentence for what is not there. */
function located(container: Container, path: string, error: unknown): unknown {
  if (error instanceof EngineError && error.code === 'not_found')
    return new EngineError('not_found', `Could not find the file ${path} in container ${container.name}`, { cause: error })
  return error
}

async function unpack(context: Context, container: Container, verb: string, path: string, args: string[] = []): Promise<string> {
  const clean = checkPath(path)
  try {
    return await withRoot(
      context,
      container,
      async (root) => (await runProgram(context.native.paths.unpack, [verb, ...root, '--path', clean, ...args])).stdout,
    )
  } catch (error) {
    throw located(container, clean, error)
  }
}

/** The last part of the path is not followed. @throws EngineError not_found */
export async function statPath(context: Context, container: Container, path: string): Promise<PathStat> {
  const answer = statAnswer.parse(JSON.parse(await unpack(context, container, 'stat', path)))
  return {
    name: answer.name,
    sizeBytes: answer.sizeBytes,
    mode: answer.mode,
    modifiedAt: timeText(answer.mtime),
    linkTarget: answer.linkTarget ?? '',
  }
}

/** Tar of a path, read as a stream. */
export async function getArchive(
  context: Context,
  container: Container,
  path: string,
  options: { follow?: boolean },
  signal?: AbortSignal,
): Promise<{ stat: PathStat; archive: NodeJS.ReadableStream }> {
  const stat = await statPath(context, container, path)
  const args = (root: string[]) => ['get', ...root, '--path', checkPath(path), ...(options.follow ? ['--follow'] : [])]
  return { stat, archive: await streamOf(context, container, args, signal) }
}

/** The whole root as a tar. */
export function exportRoot(context: Context, container: Container, signal?: AbortSignal): Promise<NodeJS.ReadableStream> {
  return streamOf(context, container, (root) => ['export', ...root], signal)
}

/** A program's output whose mounts file, if it needs one, lives as long as the program. */
async function streamOf(
  context: Context,
  container: Container,
  args: (root: string[]) => string[],
  signal?: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    withRoot(context, container, async (root) => {
      const program = openProgram(context.native.paths.unpack, args(root), { signal })
      resolve(program.stdout)
      await program.done
    }).catch((error) => {
      // Before the stream was given this is the answer; afterwards the stream itself fails with the same error.
      reject(error)
    })
  })
}

export async function putArchive(
  context: Context,
  container: Container,
  path: string,
  archive: NodeJS.ReadableStream,
  options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; uid?: number; gid?: number },
): Promise<void> {
  const clean = checkPath(path)
  const args = [
    ...(options.noOverwriteDirNonDir ? ['--no-overwrite-dir-non-dir'] : []),
    ...(options.copyUidGid ? ['--copy-uidgid'] : []),
    ...(options.uid === undefined ? [] : ['--uid', String(options.uid)]),
    ...(options.gid === undefined ? [] : ['--gid', String(options.gid)]),
  ]
  if (
    container.record.options.readOnlyRootfs &&
    !container.record.mounts.some((mount) => !mount.readOnly && (clean === mount.destination || clean.startsWith(`${mount.destination}/`)))
  )
    throw new EngineError('permission_denied', 'container rootfs is marked read-only')
  try {
    await withRoot(context, container, (root) =>
      runProgram(context.native.paths.unpack, ['put', ...root, '--path', clean, ...args], {
        stdin: archive as import('node:stream').Readable,
      }),
    )
  } catch (error) {
    throw located(container, clean, error)
  }
}

export async function listFiles(context: Context, container: Container, path: string, limit: number): Promise<FileEntry[]> {
  const text = await unpack(context, container, 'list', path, ['--limit', String(limit)])
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { mtime, type, linkTarget, ...rest } = listLine.parse(JSON.parse(line))
      return { ...rest, type: entryTypes[type] ?? 'file', modifiedAt: timeText(mtime), linkTarget: linkTarget ?? null }
    })
}

export async function makeDirectory(context: Context, container: Container, path: string): Promise<void> {
  await unpack(context, container, 'mkdir', path)
}

export async function removeFile(context: Context, container: Container, path: string): Promise<void> {
  await unpack(context, container, 'remove', path)
}

export async function renameFile(context: Context, container: Container, from: string, to: string): Promise<void> {
  await unpack(context, container, 'rename', from, ['--to', checkPath(to)])
}

const shellNames = ['/bin/bash', '/usr/bin/bash', '/bin/zsh', '/usr/bin/fish', '/bin/ash', '/bin/dash', '/bin/sh', '/busybox/sh']

/** Shells that the container has, best first. */
export async function shellsOf(context: Context, container: Container): Promise<string[]> {
  const found = await Promise.all(
    shellNames.map(async (path) => {
      try {
        await statPath(context, container, path)
        return path
      } catch (error) {
        if (error instanceof EngineError && (error.code === 'not_found' || error.code === 'invalid_argument')) return null
        throw error
      }
    }),
  )
  return found.filter((path) => path !== null)
}
