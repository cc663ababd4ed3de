/**
 * COPY --parents and --exclude (Dockerfile 1.7-labs, 1.19): the wanted part of the sources, copied into a directory of the build first, because berth-unpack copies
 * whole directories. What is left out is then no part of the step's key either.
 */
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { basename, dirname } from 'node:path/posix'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { keyOf } from './build-cache.ts'
import { removeIgnored } from './build-context.ts'
import { type CopyStatement, type FoundSources, mountsFile, type SourceGroup, type SourceItem } from './copy-sources.ts'
import { parseIgnore } from './ignore.ts'
import type { Build } from './rooms.ts'

/** How berth-unpack is told of a root: as the one that is read, and as the one that is copied from. */
interface RootArguments {
  read: string[]
  from: string[]
}

/**
 * What of the found sources is copied. A source that is a file is left out by its name; below a directory, and with `--parents` below the target, by its path there.
 * @throws not_found if a source is not there
 */
export async function selectSources(build: Build, statement: CopyStatement, found: FoundSources): Promise<FoundSources> {
  if (!statement.parents && statement.excludes.length === 0) return found
  const rules = parseIgnore(statement.excludes.join('\n'))
  const groups: SourceGroup[] = []
  const digests: unknown[] = []
  const kept = statement.parents ? await newDirectory(build) : ''
  for (const group of found.groups) {
    const root = await argumentsOf(build, group)
    for (const item of group.items) {
      if (statement.parents && !item.archive) {
        await keepParents(build, statement, root, item, kept)
        continue
      }
      if (item.archive || !(await isDirectory(build, statement, root, item))) {
        if (!rules.ignores(basename(item.path))) groups.push({ root: group.root, items: [item] })
        continue
      }
      const directory = await newDirectory(build)
      await place(build, statement, root, item.path, directory, '/source/')
      await removeIgnored(join(directory, 'source'), '', rules)
      groups.push({ root: { directory }, items: [{ path: 'source', archive: false }] })
    }
  }
  if (statement.parents) {
    await removeIgnored(kept, '', rules)
    if ((await readdir(kept)).length > 0) groups.push({ root: { directory: kept }, items: [{ path: '', archive: false }] })
  }
  for (const group of groups)
    for (const item of group.items) digests.push(item.path, await digestOf(build, await argumentsOf(build, group), item))
  const digest = keyOf([statement.parents, digests])
  return { digest, content: null, label: `multi:${digest}`, groups }
}

async function newDirectory(build: Build): Promise<string> {
  const directory = join(build.work, `selected-${build.unique()}`)
  await mkdir(directory, { mode: 0o755 })
  return directory
}

async function argumentsOf(build: Build, { root }: SourceGroup): Promise<RootArguments> {
  if ('directory' in root) return { read: ['--root', root.directory], from: ['--from-root', root.directory] }
  const file = await mountsFile(build, root.mounts, root.mountpoint)
  return { read: ['--mounts', file], from: ['--from-mounts', file] }
}

async function run(build: Build, statement: CopyStatement, path: string, args: string[]): Promise<string> {
  try {
    return (await runProgram(build.unpack, args, { signal: build.operation.signal })).stdout
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'not_found') throw error
    throw new EngineError('not_found', `COPY failed: stat ${path}: file does not exist${statement.from ? ` in ${statement.from}` : ''}`, {
      cause: error,
    })
  }
}

/** Links are followed, as COPY follows its sources. */
async function statOf(
  build: Build,
  statement: CopyStatement,
  root: RootArguments,
  path: string,
): Promise<{ isDir: boolean; mode: number }> {
  const read = async (at: string) =>
    JSON.parse(await run(build, statement, path, ['stat', ...root.read, '--path', at])) as {
      isDir: boolean
      mode: number
      linkTarget: string | null
    }
  const found = await read(`/${path}`)
  return found.linkTarget ? read(found.linkTarget) : found
}

async function isDirectory(build: Build, statement: CopyStatement, root: RootArguments, { path }: SourceItem): Promise<boolean> {
  return (await statOf(build, statement, root, path)).isDir
}

async function place(
  build: Build,
  statement: CopyStatement,
  root: RootArguments,
  path: string,
  directory: string,
  to: string,
): Promise<void> {
  // Owners of an image's files are theirs; the context's become the target's in the end.
  const owner = statement.from === '' ? [] : ['--keep-owner']
  await run(build, statement, path, ['place', '--root', directory, ...root.from, '--from-path', `/${path}`, '--to', to, ...owner])
}

/** Copies a source to its kept place below `directory`; the directories on the way get the modes of those that they stand for. */
async function keepParents(
  build: Build,
  statement: CopyStatement,
  root: RootArguments,
  item: SourceItem,
  directory: string,
): Promise<void> {
  const kept = item.kept ?? basename(item.path)
  const whole = await isDirectory(build, statement, root, item)
  const target = whole ? kept : dirname(kept)
  await place(build, statement, root, item.path, directory, target === '.' || target === '' ? '/' : `/${target}/`)
  const names = kept.split('/')
  const above = item.path.split('/').slice(0, -names.length)
  const parts = whole ? names : names.slice(0, -1)
  for (let count = 1; count <= parts.length; count++) {
    const made = join(directory, ...parts.slice(0, count))
    // A link of the sources may stand there: it is not followed on the host.
    if (!(await lstat(made)).isDirectory()) return
    const { mode } = await statOf(build, statement, root, [...above, ...parts.slice(0, count)].join('/'))
    await chmod(made, mode & 0o7777)
  }
}

async function digestOf(build: Build, root: RootArguments, { path }: SourceItem): Promise<string> {
  const { stdout } = await runProgram(build.unpack, ['get', ...root.read, '--path', `/${path}`, '--follow', '--digest'], {
    signal: build.operation.signal,
  })
  return (JSON.parse(stdout) as { digest: string }).digest
}
