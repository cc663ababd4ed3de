/** The host's policy `bindSources`: which directories of the host may be mounted into containers. Asked at creation and again at every start, because a link may have been put there meanwhile. */
import { realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { EngineError } from '../errors.ts'

/**
 * Where a bind's source really lies: links are followed, and where the path does not exist yet its nearest existing parent's are.
 * @throws permission_denied unless that is below one of `allowed`
 */
export function requireBindSource(source: string, allowed: readonly string[]): string {
  const real = realOf(source)
  if (!allowed.some((base) => isBelow(real, realOf(base))))
    throw new EngineError(
      'permission_denied',
      `this host's policy allows bind mounts only below ${allowed.join(', ') || 'nothing'}; "${source}" is not (agent.json, policy.bindSources)`,
    )
  return real
}

/** Words of mount(8) that turn any type of volume into a view of the host's own files, or of its disks. */
const reachingWords = /^(bind|rbind|move|remount|loop|make-|lowerdir|upperdir|workdir|x-mount|X-mount)/

/**
 * A volume's driver options are a mount(8), which may show a directory or a disk of the host too.
 * @throws permission_denied unless the device is a directory below one of `allowed`, memory, or a server's share
 */
export function requireVolumeDevice(options: Record<string, string>, allowed: readonly string[]): void {
  const { type = '', device, o = '' } = options
  if (device === undefined) return
  const words = o.split(',').filter(Boolean)
  const isBind = words.some((word) => word === 'bind' || word === 'rbind')
  if (isBind && device.startsWith('/')) {
    requireBindSource(device, allowed)
    return
  }
  const reaching = words.find((word) => reachingWords.test(word))
  const harmless = type === 'tmpfs' ? !device.includes('/') : /^(nfs4?|cifs)$/.test(type)
  if (reaching || !harmless)
    throw new EngineError(
      'permission_denied',
      `this host's policy limits what volumes may show of the host, and type "${type}" with device "${device}"${reaching ? ` and option "${reaching}"` : ''} is not a directory below ${allowed.join(', ') || 'nothing'}, tmpfs, nfs or cifs (agent.json, policy.bindSources)`,
    )
}

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith(sep) ? base : base + sep)
}

function realOf(path: string): string {
  let head = resolve(path)
  const tail: string[] = []
  for (;;) {
    try {
      return join(realpathSync(head), ...tail)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'ENOENT' || dirname(head) === head)
        throw new EngineError('permission_denied', `cannot resolve the bind source "${path}": ${code}`)
      tail.unshift(head.slice(dirname(head).length).replace(/^\/+/, ''))
      head = dirname(head)
    }
  }
}
