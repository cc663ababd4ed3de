/**
 * The local driver's `type`, `o` and `device`: a mount(8) on the volume's directory. It is made when a container first needs it and stays until the volume
 * is removed or the agent ends without anybody using it.
 */
import { readFile } from 'node:fs/promises'
import { EngineError, messageOf } from '../errors.ts'
import { runProgram } from '../native/programs.ts'

export interface MountOptions {
  type?: string
  o?: string
  device?: string
}

const known = ['type', 'o', 'device']

/** Checks the driver options of a new volume. @throws invalid_argument with Docker's words */
export function checkOptions(options: Record<string, string>): void {
  const names = Object.keys(options)
  for (const name of names) {
    if (name === 'size')
      throw new EngineError('invalid_argument', 'quota size requested but no quota support: leave the option "size" away')
    if (!known.includes(name))
      throw new EngineError('invalid_argument', `invalid option: "${name.slice(0, 80)}"; the local driver knows type, o and device`)
    if (options[name]?.includes('\0')) throw new EngineError('invalid_argument', `option "${name}" contains a NUL byte`)
  }
  if (names.length === 0) return
  for (const name of ['device', 'type']) if (!options[name]) throw new EngineError('invalid_argument', `missing required option: "${name}"`)
}

/** Whether something is mounted on exactly this directory. */
export async function isMounted(directory: string): Promise<boolean> {
  const escaped = directory.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table.split('\n').some((line) => line.split(' ')[4] === escaped)
}

/** @throws failed_precondition with mount's own words */
export async function mountOn(directory: string, name: string, options: MountOptions): Promise<void> {
  if (await isMounted(directory)) return
  const { type, device, o } = withServer(options)
  const words = (o ?? '').split(',').filter(Boolean)
  const isBind = words.includes('bind') || words.includes('rbind')
  const args = [
    '-t',
    isBind ? 'none' : (type as string),
    ...(words.length ? ['-o', words.join(',')] : []),
    '--',
    device as string,
    directory,
  ]
  try {
    await runProgram('mount', args)
  } catch (error) {
    throw new EngineError('failed_precondition', `failed to mount local volume ${name}: ${wordsOfMount(error)}`, { cause: error })
  }
}

/** mount(8) ends with a hint at dmesg(1), which nobody here can follow. */
function wordsOfMount(error: unknown): string {
  return messageOf(error)
    .replace(/^mount ended with status \d+: /, '')
    .replace(/ *dmesg\(1\) may have more information.*$/, '')
}

export async function unmountFrom(directory: string): Promise<void> {
  while (await isMounted(directory)) await runProgram('umount', ['--', directory])
}

/** Docker writes NFS as `device=:/path` with the server in `o=addr=…`; mount(8) wants them together. */
function withServer(options: MountOptions): MountOptions {
  if (!/^(nfs4?|cifs)$/.test(options.type ?? '') || !options.device?.startsWith(':')) return options
  const words = (options.o ?? '').split(',')
  const address = words.find((word) => word.startsWith('addr='))?.slice('addr='.length)
  if (!address) return options
  const server = address.includes(':') ? `[${address}]` : address
  return { ...options, device: `${server}${options.device}`, o: words.filter((word) => !word.startsWith('addr=')).join(',') }
}
