import { readFile, realpath } from 'node:fs/promises'
import { EngineError } from '../errors.ts'
import type { PlacedMount } from './spec-mounts.ts'

/** Docker: a shared bind needs a shared root mount, a slave one at least a slave; else the runtime's private stays. */
export function maskedRootPropagation(mounts: readonly PlacedMount[]): string {
  if (mounts.some((mount) => mount.propagation === 'shared' || mount.propagation === 'rshared')) return 'shared'
  if (mounts.some((mount) => mount.propagation === 'slave' || mount.propagation === 'rslave')) return 'rslave'
  return ''
}

/**
 * What is mounted in a bind that shall be shared reaches the host only if the host's own mount there is shared; a slave hears only of one that is shared or a
 * slave itself.
 * @throws EngineError failed_precondition in Docker's words
 */
export async function checkPropagation(mounts: readonly PlacedMount[]): Promise<void> {
  const wanted = mounts.filter(({ type, propagation }) => type === 'bind' && /^r?(shared|slave)$/.test(propagation))
  if (wanted.length === 0) return
  const table = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  for (const { source, propagation } of wanted) {
    const path = await realpath(source)
    const held = table
      .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
      .reduce((best, one) => (one.point.length >= best.point.length ? one : best), { point: '', shared: false, slave: false })
    if (propagation.endsWith('shared') ? held.shared : held.shared || held.slave) continue
    const kind = propagation.endsWith('shared') ? 'shared' : 'shared or slave'
    throw new EngineError('failed_precondition', `path ${source} is mounted on ${held.point} but it is not a ${kind} mount`)
  }
}

interface MountLine {
  point: string
  shared: boolean
  slave: boolean
}

/** Places and propagation of /proc/self/mountinfo, proc(5). */
function parseMounts(text: string): MountLine[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const fields = line.split(' ')
      const optional = fields.slice(6, fields.indexOf('-', 6))
      return {
        // Blanks and backslashes are written in octal.
        point: (fields[4] as string).replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
        shared: optional.some((field) => field.startsWith('shared:')),
        slave: optional.some((field) => field.startsWith('master:')),
      }
    })
}
