/**
 * The build context on disk: received as an archive (or a lone Dockerfile), unpacked by berth-unpack into a directory of its own, `.dockerignore`
 * applied, then only read. Its content is hostile: links in it are never followed by us, except where COPY follows its own source, inside the context.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs'
import { lstat, mkdir, open, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { type IgnoreRules, parseIgnore, pathPattern } from './ignore.ts'

const textLimit = 4 * 1024 * 1024
const maxLinks = 40

export class BuildContext {
  private readonly hashes = new Map<string, Promise<string>>()
  private constructor(
    readonly root: string,
    readonly dockerfile: string,
  ) {}

  /**
   * Reads the whole stream. `root` must not exist; the caller removes it.
   * @throws invalid_argument (no archive and no Dockerfile, hostile entries, Dockerfile missing)
   */
  static async receive(
    source: Readable,
    root: string,
    options: { unpack: string; dockerfile: string; signal: AbortSignal },
  ): Promise<BuildContext> {
    await mkdir(root, { recursive: true, mode: 0o700 })
    const { head, stream } = await peek(source)
    if (isArchive(head)) {
      await runProgram(options.unpack, ['put', '--root', root, '--path', '/'], { stdin: stream, signal: options.signal })
    } else {
      await writeFile(join(root, 'Dockerfile'), await wholeText(stream))
      return new BuildContext(root, await readText(root, 'Dockerfile'))
    }
    return BuildContext.open(root, options)
  }

  /** A context that is in `root` already. @throws invalid_argument */
  static async open(root: string, options: { dockerfile: string }): Promise<BuildContext> {
    const asked = options.dockerfile.replace(/^(\.?\/)+/, '')
    // As Docker does: a repository that has it in small letters only.
    const candidates = asked === 'Dockerfile' ? [asked, 'dockerfile'] : [asked]
    for (const name of candidates) {
      try {
        const dockerfile = await readText(root, name)
        await applyIgnore(root, name)
        return new BuildContext(root, dockerfile)
      } catch (error) {
        if (!(error instanceof EngineError && error.code === 'not_found')) throw error
      }
    }
    throw new EngineError('invalid_argument', `Cannot locate specified Dockerfile: ${options.dockerfile}`)
  }

  /**
   * The files that a COPY source names, wildcards expanded, sorted. With `deep` a part that is `**` stands for any number of directories.
   * @throws not_found in Docker's words
   */
  async match(source: string, keyword: 'ADD' | 'COPY' = 'COPY', deep = false): Promise<string[]> {
    const path = cleanPath(source, keyword)
    if (!/[*?[\\]/.test(source)) {
      const found = await this.locate(path)
      if (found === null) throw missing(source, keyword)
      return [path]
    }
    const found: string[] = []
    await this.glob('', path.split('/'), deep, found)
    if (found.length === 0)
      throw new EngineError('not_found', `${keyword} failed: no source files were specified: ${source.slice(0, 200)} matches nothing`)
    return [...new Set(found)].sort()
  }

  private async glob(directory: string, parts: string[], deep: boolean, found: string[]): Promise<void> {
    const [pattern, ...others] = parts
    if (pattern === undefined) return
    const expression = pathPattern(pattern)
    const place = directory === '' ? '' : await this.locate(directory)
    if (place === null) return
    const anyDepth = deep && pattern === '**' && others.length > 0
    if (anyDepth) await this.glob(directory, others, deep, found)
    const names = await readdir(join(this.root, place)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return []
      throw error
    })
    for (const name of names) {
      if (!expression.test(name)) continue
      const path = directory === '' ? name : `${directory}/${name}`
      // A link to a directory is not gone into, lest it lead in circles.
      if (anyDepth) {
        if ((await lstat(join(this.root, place, name))).isDirectory()) await this.glob(path, parts, deep, found)
      } else if (others.length === 0) found.push(path)
      else await this.glob(path, others, deep, found)
    }
  }

  /** Where a path really is, links followed inside the context; null if nothing is there. @throws invalid_argument for a circle */
  async locate(path: string): Promise<string | null> {
    let resolved: string[] = []
    let rest = path.split('/').filter(Boolean)
    for (let links = 0; rest.length > 0; ) {
      const [part, ...others] = rest as [string, ...string[]]
      rest = others
      if (part === '.') continue
      if (part === '..') {
        resolved = resolved.slice(0, -1)
        continue
      }
      const next = [...resolved, part]
      const stat = await lstat(join(this.root, ...next)).catch(() => null)
      if (!stat) return null
      if (!stat.isSymbolicLink()) {
        resolved = next
        continue
      }
      if (++links > maxLinks) throw new EngineError('invalid_argument', `too many levels of symbolic links at ${path}`)
      const target = await readlink(join(this.root, ...next))
      if (target.startsWith('/')) resolved = []
      rest = [...target.split('/').filter(Boolean), ...rest]
    }
    return resolved.join('/')
  }

  /** Digest of what a source is: names, kinds, modes and contents, not times and owners. */
  async digest(path: string): Promise<string> {
    const place = await this.locate(path)
    if (place === null) throw missing(path)
    let known = this.hashes.get(place)
    if (!known) {
      known = hashTree(join(this.root, place))
      this.hashes.set(place, known)
    }
    return known
  }

  /** The same of a directory that is not part of the context, such as a repository that ADD fetched. */
  digestOutside(directory: string): Promise<string> {
    return hashTree(directory)
  }

  async isDirectory(path: string): Promise<boolean> {
    const place = await this.locate(path)
    return place !== null && (await lstat(join(this.root, place))).isDirectory()
  }
}

function missing(source: string, keyword = 'COPY'): EngineError {
  return new EngineError(
    'not_found',
    `${keyword} failed: file not found in build context or excluded by .dockerignore: stat ${source.replace(/^\/+/, '').slice(0, 200)}: file does not exist`,
  )
}

/** Relative to the context; `..` cannot leave it. */
export function cleanPath(path: string, keyword = 'COPY'): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.length === 0)
        throw new EngineError('invalid_argument', `${keyword} failed: forbidden path outside the build context: ${path.slice(0, 200)} ()`)
      parts.pop()
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/**
 * What is no larger is read at once, and everything is looked at without a thread's help: it has just been written and lies in the page cache, where a call takes some microseconds and the way to a
 * thread and back ten times that, six times for every file of a context.
 */
const smallBytes = 64 * 1024
/** After so long everybody else has a turn. */
const sliceMs = 4

async function hashTree(path: string): Promise<string> {
  const hash = createHash('sha256')
  let sliceEnd = performance.now() + sliceMs
  const visit = async (at: string, name: string): Promise<void> => {
    if (performance.now() > sliceEnd) {
      await othersTurn()
      sliceEnd = performance.now() + sliceMs
    }
    const stat = lstatSync(at)
    hash.update(
      JSON.stringify([name, stat.mode, stat.isFile() ? stat.size : 0, stat.isCharacterDevice() || stat.isBlockDevice() ? stat.rdev : 0]),
    )
    if (stat.isSymbolicLink()) hash.update(readlinkSync(at, { encoding: 'buffer' }))
    else if (stat.isFile() && stat.size > smallBytes) await hashFile(at, hash)
    else if (stat.isFile()) hash.update(readSmallFile(at))
    else if (stat.isDirectory()) for (const child of (await readdir(at)).sort()) await visit(join(at, child), `${name}/${child}`)
  }
  await visit(path, '')
  return hash.digest('hex')
}

function readSmallFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

async function hashFile(path: string, hash: ReturnType<typeof createHash>): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const buffer = Buffer.allocUnsafe(Math.min(1 << 20, Math.max(1, (await file.stat()).size)))
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

/** Text of a file of the context that we read ourselves; a link is refused, so that it cannot lead to a file of the host. */
async function readText(root: string, name: string): Promise<string> {
  const parts = cleanPath(name).split('/')
  for (const [at] of parts.entries()) {
    const stat = await lstat(join(root, ...parts.slice(0, at + 1))).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
        throw new EngineError('not_found', `${name} is not in the build context`, { cause: error })
      throw error
    })
    if (stat.isSymbolicLink())
      throw new EngineError('invalid_argument', `${name} is a symbolic link; the Dockerfile and .dockerignore must be files`)
    if (at === parts.length - 1 && !stat.isFile()) throw new EngineError('invalid_argument', `${name} is not a file`)
    if (at === parts.length - 1 && stat.size > textLimit)
      throw new EngineError('invalid_argument', `${name} is larger than ${textLimit} bytes`)
  }
  const file = await open(join(root, ...parts), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

async function applyIgnore(root: string, dockerfile: string): Promise<void> {
  let text = ''
  for (const name of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    try {
      text = await readText(root, name)
      break
    } catch (error) {
      if (!(error instanceof EngineError && error.code === 'not_found')) throw error
    }
  }
  if (text.trim() !== '') await removeIgnored(root, '', parseIgnore(text))
}

/** Removes what the rules leave out below `directory` of `root`; links are removed, never followed. */
export async function removeIgnored(root: string, directory: string, rules: IgnoreRules): Promise<void> {
  for (const entry of await readdir(join(root, directory), { withFileTypes: true })) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    const ignored = rules.ignores(path)
    if (entry.isDirectory() && (!ignored || rules.mayKeepBelow(path))) {
      await removeIgnored(root, path, rules)
      if (ignored && (await readdir(join(root, path))).length === 0) await rm(join(root, path), { recursive: true })
    } else if (ignored) await rm(join(root, path), { recursive: true, force: true })
  }
}

/** The first bytes of a stream, and the stream from its beginning. What is not read of it stays in `source`, which is not destroyed: it may be a request that must still be answered. */
export async function peek(source: Readable): Promise<{ head: Buffer; stream: Readable }> {
  const parts: Buffer[] = []
  let length = 0
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  while (length < 512) {
    const { value, done } = await iterator.next()
    if (done) break
    parts.push(value)
    length += value.length
  }
  const head = Buffer.concat(parts)
  async function* whole() {
    if (head.length > 0) yield head
    for (;;) {
      const { value, done } = await iterator.next()
      if (done) return
      yield value
    }
  }
  return { head, stream: Readable.from(whole(), { objectMode: false, highWaterMark: 1 << 20 }) }
}

function isArchive(head: Buffer): boolean {
  if (head.length >= 262 && head.toString('latin1', 257, 262) === 'ustar') return true
  const magics = ['1f8b', '28b52ffd', '425a68', 'fd377a585a00']
  if (magics.some((magic) => head.subarray(0, magic.length / 2).toString('hex') === magic)) return true
  // Old tar has no magic word; an empty archive is zeros. Text has neither zeros nor a checksum there.
  return head.length >= 512 && head.subarray(0, 512).includes(0)
}

async function wholeText(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    length += part.length
    if (length > textLimit) throw new EngineError('invalid_argument', `the Dockerfile is larger than ${textLimit} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
