/**
 * The layer between an image and a container's writable one (Docker's word: init layer): the places that every container has something mounted on, and what
 * programs look for to know that they are in a container. They are neither the image's nor the container's, so what is told or taken of the writable layer
 * (diff, commit) has nothing of them. One per image: only what the image lacks is in it, and a directory that the image has keeps its mode and owner.
 *
 * Not flushed: a directory carries the boot in its name and is made anew after the next one.
 */
import type { Stats } from 'node:fs'
import { chmod, chown, lstat, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, isMissing, namesIn } from '../disk/files.ts'
import { type Digest, hexOf } from '../oci/digest.ts'
import { freshName } from './names.ts'
import type { Trash } from './trash.ts'

const directories = ['dev', 'dev/pts', 'dev/shm', 'proc', 'sys']
const files = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf']
const links = [{ path: 'etc/mtab', target: '/proc/mounts' }]

export interface InitLayers {
  /** Where the one of a stack is, or will be. */
  directory(chainId: Digest | null): string
  /** Makes it if it is not there. @param lower directories of the stack, topmost first */
  ensure(chainId: Digest | null, lower: readonly string[]): Promise<void>
  /** Removes those whose stack is not in `chains`. */
  sweep(chains: ReadonlySet<Digest>): Promise<void>
}

export async function openInitLayers({ root, trash }: { root: string; trash: Trash }): Promise<InitLayers> {
  const places = join(root, 'i')
  const unfinished = join(root, 'tmp')
  await ensureDirectory(places, 0o711)
  await ensureDirectory(unfinished)
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).slice(0, 8)
  const nameOf = (chainId: Digest | null) => `${boot}-${chainId === null ? 'scratch' : hexOf(chainId).slice(0, 24)}`
  const present = new Set(await namesIn(places))
  for (const name of [...present]) if (!name.startsWith(`${boot}-`)) await discard(name)
  const making = new Map<string, Promise<void>>()

  async function discard(name: string): Promise<void> {
    present.delete(name)
    await trash.discard(join(places, name))
  }

  async function make(name: string, lower: readonly string[]): Promise<void> {
    const directory = join(unfinished, freshName())
    try {
      await mkdir(directory, { mode: 0o755 })
      await fill(directory, lower)
      await rename(directory, join(places, name))
    } catch (error) {
      await trash.discard(directory)
      throw error
    }
    present.add(name)
  }

  return {
    directory: (chainId) => join(places, nameOf(chainId)),
    async ensure(chainId, lower) {
      const name = nameOf(chainId)
      if (present.has(name)) return
      const made = making.get(name) ?? make(name, lower).finally(() => making.delete(name))
      making.set(name, made)
      await made
    },
    async sweep(chains) {
      const kept = new Set([nameOf(null), ...[...chains].map(nameOf)])
      for (const name of [...present]) if (!kept.has(name)) await discard(name)
    },
  }
}

async function fill(layer: string, lower: readonly string[]): Promise<void> {
  for (const path of directories) if (await isFree(layer, lower, path)) await mkdir(join(layer, path), { mode: 0o755 })
  for (const path of files) if (await isFree(layer, lower, path)) await writeFile(join(layer, path), '', { mode: 0o755 })
  for (const { path, target } of links) if (await isFree(layer, lower, path)) await symlink(target, join(layer, path))
}

/** Whether the image lacks the path; its directory is then in the layer, as the image has it. Nothing is made where a link or a file is on the way. */
async function isFree(layer: string, lower: readonly string[], path: string): Promise<boolean> {
  const [first, second] = path.split('/') as [string, string | undefined]
  const above = await topmost(lower, first)
  if (second === undefined) return above === null
  if (above && !above.isDirectory()) return false
  if (above && (await topmost(lower, first, second))) return false
  const directory = join(layer, first)
  await mkdir(directory, { mode: 0o755 }).catch((error) => {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  })
  if (above) {
    await chown(directory, above.uid, above.gid)
    await chmod(directory, above.mode & 0o7777)
  }
  return true
}

/** What the image shows at a path of one or two names, whiteouts minded; null for nothing. Opaque directories are not: what they hide counts as there, which only leaves it to the runtime. */
async function topmost(lower: readonly string[], first: string, second?: string): Promise<Stats | null> {
  for (const directory of lower) {
    const above = await lstatOrNull(join(directory, first))
    if (!above) continue
    if (isWhiteout(above)) return null
    if (second === undefined || !above.isDirectory()) return above
    const found = await lstatOrNull(join(directory, first, second))
    if (found) return isWhiteout(found) ? null : found
  }
  return null
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
