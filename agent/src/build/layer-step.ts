/** Files into a new layer without running anything: COPY, ADD and WORKDIR, through berth-unpack on the mounted snapshot. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveUser } from '../containers/passwd.ts'
import { readFromLayers } from '../containers/rootfs-files.ts'
import { codeOf, EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { resolveWorkdir } from './config-change.ts'
import { type CopyStatement, type FoundSources, mountsFile, newMountpoint, type SourceGroup } from './copy-sources.ts'
import type { Build } from './rooms.ts'

export interface NewLayer {
  digest: string
  sizeBytes: number
  diffId: string
  mediaType: string
}

const accountLimit = 4 * 1024 * 1024

/** Path inside the image, with the slash that says "directory" kept. */
export function targetPath(workingDir: string, target: string): string {
  const path = resolveWorkdir(workingDir, target)
  return /(^|\/)\.?$/.test(target) && path !== '/' ? `${path}/` : path
}

/** A new layer on top of `parent` made by `work`, which gets the arguments that name its root to berth-unpack. `work` answers false: nothing was changed. */
async function inNewLayer(
  build: Build,
  parent: string | null,
  hold: (digest: string) => void,
  work: (root: string[], lower: string[]) => Promise<boolean>,
): Promise<NewLayer | null> {
  const key = `build-${build.operation.id}-${build.unique()}`
  const active = await build.snapshots.prepare(key, parent)
  try {
    const where = await newMountpoint(build)
    const file = await mountsFile(build, build.snapshots.mounts(key, where), where)
    if (!(await work(['--mounts', file], active.lower))) return null
    const lease = build.content.lease()
    try {
      const layer = await build.snapshots.commit(key, { compress: 'gzip', consume: true, lease, signal: build.operation.signal })
      for (const digest of [layer.digest, layer.diffId, layer.chainId]) hold(digest)
      return layer
    } finally {
      lease.release()
    }
  } finally {
    await build.snapshots.remove(key)
  }
}

/** Copies found sources into a new layer. @param hold keeps what the layer is made of until an image refers to it */
export async function copyLayer(
  build: Build,
  statement: CopyStatement,
  sources: FoundSources,
  at: { chainId: string | null; workingDir: string },
  hold: (digest: string) => void,
): Promise<NewLayer> {
  const target = targetPath(at.workingDir, statement.target)
  const count = sources.groups.reduce((sum, { items }) => sum + items.length, 0)
  if (count > 1 && !target.endsWith('/') && target !== '/')
    throw new EngineError(
      'invalid_argument',
      `When using ${statement.add ? 'ADD' : 'COPY'} with more than one source file, the destination must be a directory and end with a /`,
    )
  const layer = await inNewLayer(build, at.chainId, hold, async (root, lower) => {
    const owner = statement.chown ? await ownerOf(statement.chown, lower) : null
    const attributes = [
      ...(owner ? ['--uid', String(owner.uid), '--gid', String(owner.gid)] : []),
      // Files of the context are root's, whoever sent them; files of an image keep their owners.
      ...(!owner && statement.from !== '' ? ['--keep-owner'] : []),
      ...(statement.chmod === null ? [] : ['--chmod', statement.chmod.toString(8)]),
    ]
    for (const group of sources.groups) await placeGroup(build, statement, group, { root, target, attributes })
    return true
  })
  if (!layer) throw new EngineError('internal', 'a COPY made no layer')
  return layer
}

async function placeGroup(
  build: Build,
  statement: CopyStatement,
  group: SourceGroup,
  to: { root: string[]; target: string; attributes: string[] },
): Promise<void> {
  const plain = group.items.filter(({ archive }) => !archive)
  if (plain.length > 0) {
    const from =
      'directory' in group.root
        ? ['--from-root', group.root.directory]
        : ['--from-mounts', await mountsFile(build, group.root.mounts, group.root.mountpoint)]
    const paths = plain.flatMap(({ path }) => ['--from-path', `/${path}`])
    await placed(build, statement, ['place', ...to.root, ...from, ...paths, '--to', to.target, ...to.attributes])
  }
  for (const { path } of group.items.filter(({ archive }) => archive)) await addArchive(build, to.root, path, to.target, to.attributes)
}

async function placed(build: Build, statement: CopyStatement, args: string[]): Promise<void> {
  try {
    await runProgram(build.unpack, args, { signal: build.operation.signal })
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'cancelled') throw error
    const where = statement.from ? `stat ${statement.sources.join(' ')}: file does not exist in ${statement.from}` : error.message
    throw new EngineError(error.code, `${statement.add ? 'ADD' : 'COPY'} failed: ${error.code === 'not_found' ? where : error.message}`, {
      cause: error,
    })
  }
}

async function addArchive(build: Build, root: string[], path: string, target: string, args: string[]): Promise<void> {
  const place = await build.context.locate(path)
  if (place === null) throw new EngineError('not_found', `ADD failed: ${path} is gone`)
  await runProgram(build.unpack, ['mkdir', ...root, '--path', target, '--parents'])
  const file = await open(join(build.context.root, place), 'r')
  try {
    await runProgram(build.unpack, ['put', ...root, '--path', target, ...args], { stdin: { fd: file.fd }, signal: build.operation.signal })
  } finally {
    await file.close()
  }
}

/** `--chown=user:group` by the image's own account files; a lone user's group is the one of the same name or number. */
async function ownerOf(chown: string, lower: string[]): Promise<{ uid: number; gid: number }> {
  const [user = '', group = user] = chown.split(':')
  const [passwd, groups] = await Promise.all(['etc/passwd', 'etc/group'].map((path) => textOf(lower, path)))
  try {
    const { uid, gid } = resolveUser(`${user}:${group}`, [], passwd as string, groups as string)
    return { uid, gid }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.code, `unable to convert uid/gid chown string to host mapping: ${error.message}`, { cause: error })
  }
}

async function textOf(lower: string[], path: string): Promise<string> {
  const found = await readFromLayers(lower, path, accountLimit)
  if (found === 'missing') return ''
  if (found === 'link') throw new EngineError('invalid_argument', `/${path} of the image is a link; give numbers to --chown`)
  return found.text
}

/** WORKDIR's directory; null when the image has it. */
export function workdirLayer(build: Build, chainId: string | null, path: string, hold: (digest: string) => void): Promise<NewLayer | null> {
  return inNewLayer(build, chainId, hold, async (root) => {
    const { stdout } = await runProgram(build.unpack, ['mkdir', ...root, '--path', path, '--parents'])
    return (JSON.parse(stdout) as { created: boolean }).created
  })
}

/** @throws failed_precondition for a volume whose path is not a directory of the image: no container could be made of it */
export async function checkVolumes(build: Build, chainId: string | null, paths: readonly string[]): Promise<void> {
  if (chainId === null) return
  const mountpoint = await newMountpoint(build)
  const file = await mountsFile(build, build.snapshots.view(chainId, mountpoint), mountpoint)
  const statOf = async (path: string) => {
    const { stdout } = await runProgram(build.unpack, ['stat', '--mounts', file, '--path', path])
    return JSON.parse(stdout) as { isDir: boolean; linkTarget: string | null }
  }
  for (const path of paths.map((each) => resolveWorkdir('/', each))) {
    const refused = (cause?: unknown) =>
      new EngineError('failed_precondition', `cannot mount volume over existing file, file exists ${path}`, { cause })
    try {
      const { isDir, linkTarget } = await statOf(path)
      if (!isDir && (linkTarget === null || !(await statOf(linkTarget)).isDir)) throw refused()
    } catch (error) {
      if (codeOf(error) === 'not_found') continue
      throw error instanceof EngineError && error.message.startsWith('cannot mount') ? error : refused(error)
    }
  }
}
