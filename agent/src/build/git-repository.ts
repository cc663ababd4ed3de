/**
 * Repositories as a build context or as a source of ADD, fetched by the host's own git. The URL and what it leads to are hostile: git may speak http, https and
 * its own protocol only, runs no hook, reads no configuration of the host, asks nobody anything, and gets a home of its own.
 */
import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, messageOf } from '../errors.ts'
import { runProgram } from '../native/programs.ts'

/** As Docker tells them from other URLs: `….git` (with or without `#ref:directory`), `git://`, and the ssh forms, which are refused later. */
export function isRepository(url: string): boolean {
  return (
    /^https?:\/\/[^\s#]+\.git(#.*)?$/i.test(url) || /^(git:\/\/|git@|ssh:\/\/)/i.test(url) || /^github\.com\/[\w.-]+\/[\w.-]+/i.test(url)
  )
}

export interface RepositoryPlace {
  url: string
  /** Branch, tag or commit; '' is what the repository calls its head. */
  ref: string
  /** Below the repository's root; '' is the root. */
  directory: string
}

/** @throws invalid_argument */
export function repositoryPlace(text: string): RepositoryPlace {
  const [before = '', fragment = ''] = splitOnce(text, '#')
  const [ref = '', directory = ''] = splitOnce(fragment, ':')
  const url = /^github\.com\//i.test(before) ? `https://${before}` : before
  if (!/^(https?|git):\/\//i.test(url))
    throw new EngineError(
      'invalid_argument',
      `${before.slice(0, 200)}: repositories are fetched by https, http or git URLs; ssh needs keys that this host has none of`,
    )
  if (!URL.canParse(url)) throw new EngineError('invalid_argument', `${before.slice(0, 200)} is not a URL`)
  if (ref.startsWith('-') || /[\s\0~^:?*[\\]/.test(ref))
    throw new EngineError('invalid_argument', `"${ref.slice(0, 80)}" is not a branch, tag or commit`)
  const parts = directory.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw new EngineError('invalid_argument', `"${directory.slice(0, 80)}" leads out of the repository`)
  return { url, ref, directory: parts.join('/') }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/**
 * Fetches one commit without its history, with its submodules, into `root`, which must not exist; a `#ref:directory` leaves only that directory.
 * @throws invalid_argument, unavailable in git's words, failed_precondition (no git on this host)
 */
export async function fetchRepository(text: string, root: string, options: { keepGit: boolean; signal: AbortSignal }): Promise<void> {
  const place = repositoryPlace(text)
  const clone = `${root}.git`
  await mkdir(clone, { mode: 0o700 })
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: clone,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'http:https:git',
    GIT_LFS_SKIP_SMUDGE: '1',
  }
  const tree = join(clone, 'tree')
  const git = async (...args: string[]) => {
    const { exitCode, stderr } = await runProgram('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'advice.detachedHead=false', ...args], {
      env,
      signal: options.signal,
      allowedExitCodes: [1, 128, 129],
    }).catch((error) => {
      if ((error as { cause?: { code?: string } }).cause?.code === 'ENOENT')
        throw new EngineError(
          'failed_precondition',
          'building from a repository needs git on this host; install it, or send the context as an archive',
        )
      throw error
    })
    if (exitCode !== 0) throw new EngineError('unavailable', `cannot fetch ${place.url}: ${lastLine(stderr)}`)
  }
  try {
    await git('init', '--quiet', tree)
    const fetch = (...depth: string[]) => git('-C', tree, 'fetch', '--quiet', ...depth, '--no-tags', '--', place.url, place.ref || 'HEAD')
    await fetch('--depth', '1').catch((error) => {
      // A repository that is plain files behind a web server can only be fetched whole.
      if (!/shallow|dumb http/i.test(messageOf(error))) throw error
      return fetch()
    })
    await git('-C', tree, 'checkout', '--quiet', 'FETCH_HEAD')
    await git('-C', tree, 'submodule', '--quiet', 'update', '--init', '--recursive', '--depth', '1')
    await take(tree, root, place, options.keepGit)
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
}

/** Moves the wanted directory out of the clone; a link on the way is refused, so that it cannot lead to a directory of the host. */
async function take(tree: string, root: string, { url, directory }: RepositoryPlace, keepGit: boolean): Promise<void> {
  if (!keepGit) await rm(join(tree, '.git'), { recursive: true, force: true })
  let at = tree
  for (const part of directory.split('/').filter(Boolean)) {
    at = join(at, part)
    const stat = await lstat(at).catch(() => null)
    if (!stat?.isDirectory()) throw new EngineError('invalid_argument', `${directory} is not a directory of ${url}`)
  }
  await rename(at, root)
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n')
  return (lines.find((line) => line.startsWith('fatal:')) ?? lines.at(-1) ?? 'git failed').replace(/^fatal: /, '').slice(0, 300)
}
