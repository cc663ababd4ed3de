/** What a COPY or ADD copies: where its files are, and a digest of what they hold, which the step is found again by. */
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { MountSpec } from '../snapshots/snapshots.ts'
import { keyOf } from './build-cache.ts'
import { cleanPath } from './build-context.ts'
import { downloadFile } from './download.ts'
import { fetchRepository, isRepository } from './git-repository.ts'
import { pathPattern } from './ignore.ts'
import type { Build, StageResult } from './rooms.ts'
import { stageNamed } from './stage-plan.ts'
import type { Statement } from './statement.ts'

export type CopyStatement = Extract<Statement, { kind: 'copy' }>

export interface SourceItem {
  path: string
  /** To be unpacked at the target. */
  archive: boolean
  /** With `--parents`: where it goes below the target; of a directory its own name is the last part. */
  kept?: string
}

/** Files below one root. */
export interface SourceGroup {
  /** A directory of the host, or mounts of an image. */
  root: { directory: string } | { mounts: MountSpec[]; mountpoint: string }
  items: SourceItem[]
}

/** A COPY or ADD with its sources found. */
export interface FoundSources {
  /** Cheap to know: what must be the same for the step to be the same without looking further. */
  digest: string
  /** Of the contents alone, where `digest` says more than that (files of another stage: that stage may have been built anew). */
  content: (() => Promise<string>) | null
  /** For history: `file:…`, `dir:…`, `multi:…`. */
  label: string
  groups: SourceGroup[]
}

/** A mount list in a file, for `--mounts`. */
export async function mountsFile(build: Build, mounts: MountSpec[], mountpoint: string): Promise<string> {
  const file = join(build.work, `mounts-${build.unique()}.json`)
  await writeFile(file, JSON.stringify({ mounts, root: mountpoint }), { mode: 0o600 })
  return file
}

export async function newMountpoint(build: Build): Promise<string> {
  const directory = join(build.work, `root-${build.unique()}`)
  await mkdir(directory, { mode: 0o755 })
  return directory
}

/** Looks the sources of a COPY up. @throws not_found, invalid_argument */
export async function findSources(build: Build, statement: CopyStatement, stageIndex: number): Promise<FoundSources> {
  return statement.from === '' ? fromContext(build, statement) : fromImage(build, statement, stageIndex)
}

async function fromContext(build: Build, statement: CopyStatement): Promise<FoundSources> {
  const context: SourceGroup = { root: { directory: build.context.root }, items: [] }
  const made: SourceGroup = { root: { directory: '' }, items: [] }
  const others: SourceGroup[] = []
  const digests: string[] = []
  const directory = async () => {
    if ('directory' in made.root && made.root.directory === '') {
      made.root.directory = join(build.work, `sources-${build.unique()}`)
      await mkdir(made.root.directory)
    }
    return (made.root as { directory: string }).directory
  }
  for (const source of statement.sources) {
    if (statement.add && isRepository(source)) {
      const root = join(build.work, `repository-${build.unique()}`)
      await fetchRepository(source, root, { keepGit: statement.keepGitDir, signal: build.operation.signal })
      others.push({ root: { directory: root }, items: [{ path: '', archive: false }] })
      digests.push('repository', await build.context.digestOutside(root))
    } else if (statement.add && /^https?:\/\//i.test(source)) {
      const { name, digest } = await downloadFile(source, await directory(), statement, build.operation.signal)
      made.items.push({ path: name, archive: false })
      digests.push(`url:${name}`, digest)
    } else {
      for (const path of await build.context.match(source, statement.add ? 'ADD' : 'COPY', statement.parents)) {
        const archive = statement.add && !(await build.context.isDirectory(path)) && (await isArchive(build, path))
        context.items.push({ path, archive, ...keptOf(statement, source, path) })
        digests.push(path, await build.context.digest(path))
      }
    }
  }
  for (const { name, content } of statement.heredocs) {
    await writeFile(join(await directory(), name), content, { mode: 0o644 })
    made.items.push({ path: name, archive: false })
    digests.push(name, keyOf(content))
  }
  if (statement.checksum && (made.items.length !== 1 || context.items.length + others.length + statement.heredocs.length > 0))
    throw new EngineError('invalid_argument', 'ADD --checksum is for one source that is an http or https URL')
  const groups = [context, made, ...others].filter(({ items }) => items.length > 0)
  return { digest: keyOf(digests), content: null, label: await labelOf(build, groups, context, digests), groups }
}

async function labelOf(build: Build, groups: SourceGroup[], context: SourceGroup, digests: string[]): Promise<string> {
  const items = groups.flatMap((group) => group.items)
  const [only] = items
  if (items.length !== 1 || !only) return `multi:${keyOf(digests)}`
  const directory = groups[0] === context && (await build.context.isDirectory(only.path))
  return `${directory ? 'dir' : 'file'}:${keyOf(digests)}`
}

/** Nothing without `--parents`; else the part of the found path that stays: all of it, or what comes behind the last `/./` of the source. */
function keptOf({ parents }: CopyStatement, source: string, path: string): { kept?: string } {
  if (!parents) return {}
  const pivot = source.lastIndexOf('/./')
  const above = pivot < 0 ? [] : cleanPath(source.slice(0, pivot)).split('/').filter(Boolean)
  return { kept: path.split('/').slice(above.length).join('/') }
}

/** The image or stage that `--from` names. @throws not_found, and what pulling throws */
export async function sourceImage(build: Build, from: string, stageIndex: number): Promise<StageResult> {
  const stage = stageNamed(build.plan.stages, from, stageIndex)
  if (stage) return build.stageResult(stage.index)
  if (/^\d{1,9}$/.test(from))
    throw new EngineError(
      'invalid_argument',
      `invalid from flag value ${from}: ${Number(from) === stageIndex ? 'refers to current build stage' : 'index out of bounds'}`,
    )
  try {
    return await build.resolveImage(from, '')
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'cancelled') throw error
    throw new EngineError(error.code, `invalid from flag value ${from}: ${error.message}`, { cause: error })
  }
}

async function fromImage(build: Build, statement: CopyStatement, stageIndex: number): Promise<FoundSources> {
  const image = await sourceImage(build, statement.from, stageIndex)
  if (image.chainId === null) throw new EngineError('not_found', `COPY failed: ${statement.from} has no files`)
  const where = await newMountpoint(build)
  const root = { mounts: build.snapshots.view(image.chainId, where), mountpoint: where }
  const found: SourceItem[] = []
  for (const source of statement.sources) {
    const path = cleanPath(source)
    const paths = /[*?[]/.test(source) ? await matchInImage(build, root, path) : [path]
    found.push(...paths.map((each) => ({ path: each, archive: false, ...keptOf(statement, source, each) })))
  }
  const digest = keyOf([image.chainId, found])
  return {
    digest,
    content: () => digestInImage(build, statement.from, root, found),
    label: `${found.length === 1 ? 'dir' : 'multi'}:${digest}`,
    groups: [{ root, items: found }],
  }
}

/** Digest of what files of an image are: names, kinds, modes, owners and contents, not times. */
async function digestInImage(
  build: Build,
  from: string,
  root: { mounts: MountSpec[]; mountpoint: string },
  items: SourceGroup['items'],
): Promise<string> {
  const file = await mountsFile(build, root.mounts, root.mountpoint)
  const digests: string[] = []
  for (const { path } of items) {
    const { stdout } = await runProgram(build.unpack, ['get', '--mounts', file, '--path', `/${path}`, '--follow', '--digest'], {
      signal: build.operation.signal,
    }).catch((error) => {
      if (error instanceof EngineError && error.code === 'not_found')
        throw new EngineError('not_found', `COPY failed: stat ${path}: file does not exist in ${from}`, { cause: error })
      throw error
    })
    digests.push(path, (JSON.parse(stdout) as { digest: string }).digest)
  }
  return keyOf(digests)
}

/** The paths inside an image that one with wildcards names, sorted. @throws not_found if there are none */
async function matchInImage(build: Build, root: { mounts: MountSpec[]; mountpoint: string }, pattern: string): Promise<string[]> {
  const file = await mountsFile(build, root.mounts, root.mountpoint)
  const namesIn = async (directory: string): Promise<string[]> => {
    const { stdout } = await runProgram(build.unpack, ['list', '--mounts', file, '--path', `/${directory}`]).catch((error) => {
      // What a wildcard in the middle matched need not be a directory.
      if (error instanceof EngineError && ['not_found', 'invalid_argument', 'failed_precondition'].includes(error.code))
        return { stdout: '' }
      throw error
    })
    const lines = stdout.split('\n').filter(Boolean)
    return lines.map((line) => (JSON.parse(line) as { name: string }).name)
  }
  const expand = async (directory: string, [part, ...rest]: string[]): Promise<string[]> => {
    if (part === undefined) return [directory]
    const below = (name: string) => (directory === '' ? name : `${directory}/${name}`)
    if (!/[*?[\\]/.test(part)) return expand(below(part), rest)
    const expression = pathPattern(part)
    const names = (await namesIn(directory)).filter((name) => expression.test(name))
    return (await Promise.all(names.map((name) => expand(below(name), rest)))).flat()
  }
  const matched = await expand('', pattern.split('/'))
  if (matched.length === 0) throw new EngineError('not_found', `COPY failed: no source files were specified: ${pattern} matches nothing`)
  return matched.sort()
}

async function isArchive(build: Build, path: string): Promise<boolean> {
  const place = await build.context.locate(path)
  if (place === null) return false
  const file = await open(join(build.context.root, place), 'r')
  try {
    const { stdout } = await runProgram(build.unpack, ['probe'], { stdin: { fd: file.fd } })
    return (JSON.parse(stdout) as { archive: boolean }).archive
  } finally {
    await file.close()
  }
}
