import { runProgram } from '../native/programs.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { withMountsFile } from './copy-up.ts'
import { accountFileLimitBytes, type ResolvedUser, resolveUser } from './passwd.ts'
import { readFromLayers } from './rootfs-files.ts'

/** User of the first process by the container's own account files. @throws EngineError invalid_argument `unable to find user X: …` */
export async function userOf(context: Context, container: Container): Promise<ResolvedUser> {
  const { effective, options } = container.record
  const active = context.snapshots.active(container.id)
  const directories = active ? [active.upper, ...active.lower] : []
  const [passwd, group] = await Promise.all([
    accountFile(context, container, directories, 'etc/passwd'),
    accountFile(context, container, directories, 'etc/group'),
  ])
  return resolveUser(effective.user, options.groupAdd, passwd, group)
}

async function accountFile(context: Context, container: Container, directories: string[], path: string): Promise<string> {
  const found = await readFromLayers(directories, path, accountFileLimitBytes)
  if (found === 'missing') return ''
  if (found !== 'link') return found.text
  return withMountsFile(context, container.id, (file) => fileOfRoot(context, ['--mounts', file], `/${path}`))
}

/**
 * Text of a small file inside a root, links resolved in the root; '' when it is not there.
 * @param root arguments that name the root to berth-unpack
 */
export async function fileOfRoot(context: Context, root: string[], path: string): Promise<string> {
  const result = await runProgram(context.native.paths.unpack, ['get', ...root, '--path', path, '--follow'], {
    allowedExitCodes: [1],
    maxStdoutBytes: accountFileLimitBytes + 64 * 1024,
  })
  if (result.exitCode !== 0) {
    if (/"code":"not_found"/.test(result.stderr)) return ''
    throw new Error(`${path} cannot be read: ${result.stderr.trim()}`)
  }
  return textOfTar(result.stdout)
}

const block = 512

/** Content of the first regular file of a tar archive that we made ourselves. */
function textOfTar(archive: string): string {
  const bytes = Buffer.from(archive, 'utf8')
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 136), 8) || 0
    const type = String.fromCharCode(bytes[at + 156] ?? 0)
    if (type === '0' || type === '\0') return bytes.toString('utf8', at + block, at + block + size)
    at += block + Math.ceil(size / block) * block
  }
  return ''
}
