/** Files into a new layer without running anything: COPY, ADD and WORKDIR, through berth-unpack on the mounted snapshot. */
import { createWriteStream } from 'node:fs'
import { mkdir, open, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { request } from 'undici'
import { resolveUser } from '../containers/passwd.ts'
import { readFromLayers } from '../containers/rootfs-files.ts'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { MountSpec } from '../snapshots/snapshots.ts'
import { keyOf } from './build-cache.ts'
import { cleanPath } from './build-context.ts'
import { resolveWorkdir } from './config-change.ts'
import type { Build } from './rooms.ts'
import { stageNamed } from './stage-plan.ts'
import type { Statement } from './statement.ts'

export type CopyStatement = Extract<Statement, { kind: 'copy' }>

export interface NewLayer {
  digest: string
  sizeBytes: number
  diffId: string
  mediaType: string
}

/** A COPY or ADD with its sources found: where they are, and a digest of what they hold. */
export interface FoundSources {
  digest: string
  /** For history: `file:…`, `dir:…`, `multi:…`. */
  label: string
  /** Where the files are: a directory of the host, or mounts of an image. */
  root: { directory: string } | { mounts: MountSpec[]; mountpoint: string }
  items: { path: string; archive: boolean }[]
}

const accountLimit = 4 * 1024 * 1024
const maxDownloadRedirects = 10

/** A mount list in a file, for `--mounts`. */
async function mountsFile(build: Build, mounts: MountSpec[], mountpoint: string): Promise<string> {
  const file = join(build.work, `mounts-${build.unique()}.json`)
  await writeFile(file, JSON.stringify({ mounts, root: mountpoint }), { mode: 0o600 })
  return file
}

async function mountpoint(build: Build): Promise<string> {
  const directory = join(build.work, `root-${build.unique()}`)
  await mkdir(directory, { mode: 0o755 })
  return directory
}

/** Looks the sources of a COPY up. @throws not_found, invalid_argument */
export async function findSources(build: Build, statement: CopyStatement, stageIndex: number): Promise<FoundSources> {
  if (statement.from !== '') return fromImage(build, statement, stageIndex)
  const items: FoundSources['items'] = []
  const digests: string[] = []
  const directory = statement.heredocs.length > 0 || statement.add ? join(build.work, `sources-${build.unique()}`) : ''
  if (directory) await mkdir(directory)
  const root = build.context.root
  const elsewhere: string[] = []
  for (const source of statement.sources) {
    if (statement.add && /^https?:\/\//i.test(source)) {
      elsewhere.push(await download(build, source, directory, statement.target))
      continue
    }
    for (const path of await build.context.match(source)) {
      items.push({ path, archive: statement.add && !(await build.context.isDirectory(path)) && (await isArchive(build, path)) })
      digests.push(path, await build.context.digest(path))
    }
  }
  for (const { name, content } of statement.heredocs) {
    await writeFile(join(directory, name), content, { mode: 0o644 })
    elsewhere.push(name)
    digests.push(name, keyOf(content))
  }
  if (elsewhere.length === 0)
    return { digest: keyOf(digests), label: await labelOf(build, items, digests), root: { directory: root }, items }
  if (items.length > 0)
    throw new EngineError(
      'invalid_argument',
      'files of the context and downloads or here-documents in one instruction are not supported; split it in two',
    )
  const downloaded = statement.heredocs.length > 0 ? digests : await Promise.all(elsewhere.map((name) => digestFile(join(directory, name))))
  return {
    digest: keyOf(downloaded),
    label: `file:${keyOf(downloaded)}`,
    root: { directory },
    items: elsewhere.map((path) => ({ path, archive: false })),
  }
}

async function labelOf(build: Build, items: FoundSources['items'], digests: string[]): Promise<string> {
  const [only] = items
  const kind = items.length !== 1 || !only ? 'multi' : (await build.context.isDirectory(only.path)) ? 'dir' : 'file'
  return `${kind}:${keyOf(digests)}`
}

async function fromImage(build: Build, statement: CopyStatement, stageIndex: number): Promise<FoundSources> {
  const stage = stageNamed(build.plan.stages, statement.from, stageIndex)
  const image = stage ? await build.stageResult(stage.index) : await build.resolveImage(statement.from, '')
  if (image.chainId === null) throw new EngineError('not_found', `COPY failed: ${statement.from} has no files`)
  const where = await mountpoint(build)
  const items = statement.sources.map((path) => ({ path: cleanPath(path), archive: false }))
  const wild = statement.sources.find((path) => /[*?[]/.test(path))
  const root = { mounts: build.snapshots.view(image.chainId, where), mountpoint: where }
  const found = wild ? await matchInImage(build, root, items) : items
  return { digest: keyOf([image.chainId, found]), label: `multi:${keyOf([image.chainId, found])}`, root, items: found }
}

/** Wildcards in the last part of a path inside an image. */
async function matchInImage(
  build: Build,
  root: { mounts: MountSpec[]; mountpoint: string },
  items: FoundSources['items'],
): Promise<FoundSources['items']> {
  const { pathPattern } = await import('./ignore.ts')
  const file = await mountsFile(build, root.mounts, root.mountpoint)
  const found: FoundSources['items'] = []
  for (const item of items) {
    const slash = item.path.lastIndexOf('/')
    const [directory, pattern] = [item.path.slice(0, Math.max(slash, 0)), item.path.slice(slash + 1)]
    if (/[*?[]/.test(directory))
      throw new EngineError('invalid_argument', 'wildcards are supported in the last part of a COPY --from path only')
    const expression = pathPattern(pattern)
    const { stdout } = await runProgram(build.unpack, ['list', '--mounts', file, '--path', `/${directory}`])
    const names = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { name: string }).name)
    const matched = names.filter((name) => expression.test(name))
    if (matched.length === 0)
      throw new EngineError('not_found', `COPY failed: no source files were specified: ${item.path} matches nothing`)
    for (const name of matched) found.push({ path: directory ? `${directory}/${name}` : name, archive: false })
  }
  return found
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

async function digestFile(path: string): Promise<string> {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  const file = await open(path, 'r')
  for await (const part of file.createReadStream()) hash.update(part as Buffer)
  return hash.digest('hex')
}

/** ADD of a URL: the file's name is the URL's last part. @throws unavailable */
async function download(build: Build, url: string, directory: string, target: string): Promise<string> {
  if (!URL.canParse(url)) throw new EngineError('invalid_argument', `ADD failed: Invalid URL: ${url.slice(0, 200)}`)
  let at = new URL(url)
  for (let redirects = 0; redirects <= maxDownloadRedirects; redirects++) {
    const response = await request(at, { signal: build.operation.signal }).catch((error) => {
      throw new EngineError('unavailable', `ADD failed: ${at.href}: ${(error as Error).message}`, { cause: error })
    })
    const location = response.headers.location
    if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
      await response.body.dump()
      if (!URL.canParse(location, at.href)) throw new EngineError('unavailable', `ADD failed: ${url} leads to an invalid URL`)
      at = new URL(location, at)
      if (!/^https?:$/.test(at.protocol)) throw new EngineError('unavailable', `ADD failed: ${url} leads to ${at.protocol}`)
      continue
    }
    if (response.statusCode >= 400) {
      await response.body.dump()
      throw new EngineError('unavailable', `ADD failed: failed to GET ${url} with status ${response.statusCode}`)
    }
    const name = new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? ''
    if (name === '' && target.endsWith('/')) throw new EngineError('invalid_argument', `cannot determine filename for source ${url}`)
    const file = join(directory, decodeURIComponent(name).replaceAll('/', '_') || 'download')
    await pipeline(response.body as Readable, createWriteStream(file, { mode: 0o600 }), { signal: build.operation.signal })
    const modified = Date.parse(String(response.headers['last-modified'] ?? ''))
    const seconds = Number.isNaN(modified) ? 0 : modified / 1000
    await utimes(file, seconds, seconds)
    return file.slice(directory.length + 1)
  }
  throw new EngineError('unavailable', `ADD failed: ${url} redirects more than ${maxDownloadRedirects} times`)
}

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
    const where = await mountpoint(build)
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
  if (sources.items.length > 1 && !target.endsWith('/') && target !== '/')
    throw new EngineError(
      'invalid_argument',
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    )
  const layer = await inNewLayer(build, at.chainId, hold, async (root, lower) => {
    const owner = statement.chown ? await ownerOf(statement.chown, lower) : null
    const ownerArgs = owner ? ['--uid', String(owner.uid), '--gid', String(owner.gid)] : []
    const modeArgs = statement.chmod === null ? [] : ['--chmod', statement.chmod.toString(8)]
    const plain = sources.items.filter(({ archive }) => !archive)
    if (plain.length > 0) {
      const from =
        'directory' in sources.root
          ? ['--from-root', sources.root.directory]
          : ['--from-mounts', await mountsFile(build, sources.root.mounts, sources.root.mountpoint)]
      const paths = plain.flatMap(({ path }) => ['--from-path', `/${path}`])
      await placed(build, statement, ['place', ...root, ...from, ...paths, '--to', target, ...ownerArgs, ...modeArgs])
    }
    for (const { path } of sources.items.filter(({ archive }) => archive))
      await addArchive(build, root, path, target, [...ownerArgs, ...modeArgs])
    return true
  })
  if (!layer) throw new EngineError('internal', 'a COPY made no layer')
  return layer
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
