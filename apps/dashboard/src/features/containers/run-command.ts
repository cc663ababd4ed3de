import type { ContainerOptions, Limits } from '@berth/contract/container'
import { quoteWord } from '../../ui/shell-words'
import { blankOptions, flagNamed, limitFlags, runFlags, type Writable, writeRestart } from './run-flags'
import type { Argument } from './run-places'

/** Every flag of the `docker run` (or `create`) line that makes the same container, by its long name. */
export function runArguments(options: Writable): Argument[] {
  return runFlags.flatMap((flag) => flag.write(options))
}

/** As one types it: `-p 80:80`, `--memory 1g`, `--init=false`. */
function spell([name, value]: Argument): string {
  const flag = flagNamed(name)
  const dashed = flag?.short && flag.name !== 'hostname' && shortIsUsual.has(flag.short) ? `-${flag.short}` : `--${name}`
  if (value === undefined) return dashed
  return flag?.flip ? `${dashed}=${value}` : `${dashed} ${quoteWord(value)}`
}
/** The others are better read when they are written out. */
const shortIsUsual = new Set(['e', 'i', 'p', 'P', 't', 'v'])

/** `docker run …` as one would type it, one option per line when it is long. `verb` `create` makes it without starting. */
export function runCommand(
  name: string | undefined,
  options: ContainerOptions,
  { verb = 'run', pull = 'missing' }: { verb?: 'run' | 'create'; pull?: 'always' | 'missing' | 'never' } = {},
): string {
  const both = options.openStdin && options.terminal
  const words = runArguments(options)
    .filter(([flag]) => !(both && (flag === 'tty' || flag === 'interactive')))
    .map(spell)
  const front = [pull === 'missing' ? '' : `--pull ${pull}`, name ? `--name ${quoteWord(name)}` : '', both ? '-it' : '']
  const tail = [options.image || 'IMAGE', ...(options.entrypoint?.slice(1) ?? []), ...(options.cmd ?? [])].map(quoteWord).join(' ')
  const parts = [verb === 'run' ? 'docker run -d' : 'docker create', ...front.filter(Boolean), ...words, tail]
  const line = parts.join(' ')
  return line.length > 76 ? parts.join(' \\\n  ') : line
}

/**
 * `docker update …` for changed limits. @returns null when no command line says it: docker reads 0 and '' as "leave it as it is", so a limit that is taken
 * away has none
 */
export function updateCommand(
  name: string,
  limits: Partial<Limits>,
  restart?: { name: ContainerOptions['restart']['name']; maximumRetryCount: number },
): string | null {
  if (Object.values(limits).some((value) => value === 0 || value === '')) return null
  const words = limitFlags.flatMap((flag) => flag.write({ ...blankOptions(), limits })).map(spell)
  if (restart) words.push(`--restart ${writeRestart(restart)}`)
  return ['docker update', ...words, quoteWord(name)].join(' ')
}
