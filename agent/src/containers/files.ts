/** Files of containers, running or not: docker cp, the file manager, export, commit. Every path is resolved by berth-unpack, inside the root. */
import { stat } from 'node:fs/promises'
import { normalize } from 'node:path/posix'
import type { Readable } from 'node:stream'
import type { FileEntry } from '@berth/contract/file'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { openProgram, runProgram } from '../native/programs.ts'
import type { MountSpec } from '../snapshots/snapshots.ts'
import type { Container } from './container.ts'
import type { PathStat } from './containers.ts'
import type { Context } from './context.ts'
import { withMountsFile } from './copy-up.ts'
import type { RecordedMount } from './record.ts'

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

interface Place {
  /** Arguments that name the root to berth-unpack. */
  root: string[]
  /** The path in that root. */
  path: string
  /** Where the container has that root, if elsewhere than at its own. */
  at?: string
}

/**
 * Runs `work` at the place of a path: in the running process's own view, or in the stopped container's layers. What is in a volume or a bind of a stopped
 * container is looked for there, where it would be if it ran.
 */
async function atPlace<T>(
  context: Context,
  container: Container,
  path: string,
  work: (place: Place) => Promise<T>,
  writes = false,
): Promise<T> {
  const { task } = container
  if (task) return work({ root: ['--pid', String(task.pid), '--start-time', task.startTime], path })
  const clean = cleaned(path)
  const mounts = [...networkFilesAsMounts(context, container), ...container.record.mounts.filter(({ type }) => type !== 'tmpfs')]
  const covering = mounts
    .filter(({ destination }) => clean === destination || clean.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0]
  if (covering && writes && covering.readOnly)
    throw new EngineError('permission_denied', `mounted volume is marked read-only: ${covering.destination}`)
  if (covering && (writes || clean !== covering.destination))
    return work({
      root: ['--root', await sourceOf(context, covering)],
      path: `/${covering.subpath}${clean.slice(covering.destination.length)}`,
      ...(covering.subpath === '' ? { at: covering.destination } : {}),
    })
  const within = mounts.filter(({ destination }) => destination === clean || destination.startsWith(clean === '/' ? '/' : `${clean}/`))
  const binds = await presentTargets(context, container, within)
  return withMountsFile(context, container.id, (file) => work({ root: ['--mounts', file], path }), binds)
}

/** hosts, hostname and resolv.conf as the last run had them. */
function networkFilesAsMounts(context: Context, { id, record }: Container): RecordedMount[] {
  if (record.state.startedAt === null || record.options.networkMode.startsWith('container:')) return []
  return (['hosts', 'hostname', 'resolv.conf'] as const)
    .filter((file) => !record.mounts.some(({ destination }) => destination === `/etc/${file}`))
    .map((file) => ({
      type: 'bind',
      name: '',
      source: context.paths.file(id, file),
      destination: `/etc/${file}`,
      mode: '',
      readOnly: false,
      propagation: '',
      anonymous: false,
      nonRecursive: true,
      subpath: '',
      tmpfsOptions: [],
      spelling: 'mount',
    }))
}

async function sourceOf(context: Context, mount: RecordedMount): Promise<string> {
  return mount.type === 'volume' ? context.volumes.mountpoint(mount.name) : mount.source
}

/** Binds of those mounts whose place is in the layers; at the others the container has nothing before it runs. */
async function presentTargets(context: Context, container: Container, mounts: RecordedMount[]): Promise<MountSpec[]> {
  const binds: MountSpec[] = []
  // A part of a volume is not bound here: its path could be changed meanwhile.
  for (const mount of mounts.filter(({ subpath }) => subpath === '')) {
    const there = await withMountsFile(context, container.id, (file) =>
      runProgram(context.native.paths.unpack, ['stat', '--mounts', file, '--path', mount.destination], { allowedExitCodes: [1] }),
    )
    if (there.exitCode !== 0 || statAnswer.parse(JSON.parse(there.stdout)).linkTarget) continue
    const target = `${context.paths.rootfs(container.id)}${mount.destination}`
    binds.push({ type: 'bind', source: await sourceOf(context, mount), target, options: ['rbind', ...(mount.readOnly ? ['ro'] : [])] })
  }
  return binds
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

const writingVerbs = new Set(['mkdir', 'remove', 'rename'])

async function unpack(context: Context, container: Container, verb: string, path: string, args: string[] = []): Promise<string> {
  const clean = checkPath(path)
  try {
    return await atPlace(
      context,
      container,
      clean,
      async ({ root, path: inside, at }) => {
        const placed = verb === 'stat' && at !== undefined ? ['--at', at] : []
        return (await runProgram(context.native.paths.unpack, [verb, ...root, '--path', inside, ...placed, ...args])).stdout
      },
      writingVerbs.has(verb),
    )
  } catch (error) {
    throw located(container, clean, error)
  }
}

/** st_mode, stat(2). */
const kindOfFile = 0o170000
const regularFile = 0o100000

function cleaned(path: string): string {
  return normalize(`/${path}`).replace(/(.)\/$/, '$1')
}

async function statSource(source: string, destination: string): Promise<PathStat> {
  const info = await stat(source)
  return {
    name: destination.slice(destination.lastIndexOf('/') + 1),
    sizeBytes: info.size,
    mode: info.mode,
    modifiedAt: info.mtime.toISOString(),
    linkTarget: '',
  }
}

/** The last part of the path is not followed. @throws EngineError not_found */
export async function statPath(context: Context, container: Container, path: string): Promise<PathStat> {
  const mount = container.task
    ? undefined
    : container.record.mounts.find(({ destination, type }) => type !== 'tmpfs' && destination === cleaned(path))
  const text = await unpack(context, container, 'stat', path).catch((error: unknown) => {
    // Before the first start the image need not have the place of a mount; what is there is what will be mounted.
    if (mount && error instanceof EngineError && error.code === 'not_found') return null
    throw error
  })
  if (text === null) return statSource(await sourceOf(context, mount as RecordedMount), cleaned(path))
  const answer = statAnswer.parse(JSON.parse(text))
  if (/\/\.?$/.test(path) && (answer.mode & kindOfFile) === regularFile)
    throw new EngineError('invalid_argument', `lstat ${path}: not a directory`)
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
  const found = await statPath(context, container, path)
  context.tell(container, 'archive-path')
  const args = ({ root, path: inside }: Place) => [
    ...['get', ...root, '--path', inside, ...(options.follow ? ['--follow'] : [])],
    // What lies on the host is not shifted.
    ...(root[0] === '--root' ? [] : rangeArguments(container)),
  ]
  return { stat: found, archive: await streamOf((work) => atPlace(context, container, checkPath(path), work), context, args, signal) }
}

/** The whole root as a tar, without what is mounted into it. */
export function exportRoot(context: Context, container: Container, signal?: AbortSignal): Promise<NodeJS.ReadableStream> {
  context.tell(container, 'export')
  const { task } = container
  const root = task ? ['--pid', String(task.pid), '--start-time', task.startTime] : null
  const place = (work: (place: Place) => Promise<void>) =>
    root ? work({ root, path: '/' }) : withMountsFile(context, container.id, (file) => work({ root: ['--mounts', file], path: '/' }))
  return streamOf(place, context, (at) => ['export', ...at.root, ...rangeArguments(container)], signal)
}

/** Owners are told as a container with a user range of its own sees them. */
function rangeArguments({ record: { idmap } }: Container): string[] {
  return idmap ? ['--id-base', String(idmap.uid), '--id-size', String(idmap.size)] : []
}

/** A program's output whose mounts file, if it needs one, lives as long as the program. */
function streamOf(
  place: (work: (place: Place) => Promise<void>) => Promise<void>,
  context: Context,
  args: (place: Place) => string[],
  signal?: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    place(async (at) => {
      const program = openProgram(context.native.paths.unpack, args(at), { signal })
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
  const args = [...(options.noOverwriteDirNonDir ? ['--no-overwrite-dir-non-dir'] : []), ...(options.copyUidGid ? ['--copy-uidgid'] : [])]
  const range = container.record.idmap
  /** A number of the host means nobody inside a user range: what is put there belongs to the root of the range. Volumes on the host are not shifted. */
  const owner = ({ root }: Place): string[] => {
    const shifted = range && root[0] !== '--root' ? range : null
    const [uid, gid] = [options.uid ?? (shifted ? 0 : undefined), options.gid ?? (shifted ? 0 : undefined)]
    return [
      ...(uid === undefined ? [] : ['--uid', String(uid + (shifted?.uid ?? 0))]),
      ...(gid === undefined ? [] : ['--gid', String(gid + (shifted?.gid ?? 0))]),
    ]
  }
  if (
    container.record.options.readOnlyRootfs &&
    !container.record.mounts.some((mount) => !mount.readOnly && (clean === mount.destination || clean.startsWith(`${mount.destination}/`)))
  )
    throw new EngineError('permission_denied', 'container rootfs is marked read-only')
  try {
    await atPlace(
      context,
      container,
      clean,
      (place) =>
        runProgram(context.native.paths.unpack, ['put', ...place.root, '--path', place.path, ...args, ...owner(place)], {
          stdin: archive as Readable,
        }),
      true,
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
