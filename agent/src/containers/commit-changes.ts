/** Pure: Dockerfile instructions of `docker commit --change`, applied to an image configuration. */
import type { ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import { mergeEnvironment } from './effective.ts'

/** @throws EngineError invalid_argument naming the instruction */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  return changes
    .map((change) => change.trim())
    .filter(Boolean)
    .reduce(applyChange, config)
}

function applyChange(config: ImageConfig, change: string): ImageConfig {
  const match = /^(\w+)\s+([\s\S]+)$/.exec(change)
  if (!match)
    throw new EngineError('invalid_argument', `the change ${JSON.stringify(change)} is not a Dockerfile instruction with an argument`)
  const instruction = (match[1] as string).toUpperCase()
  const written = (match[2] as string).trim()
  const argument = expanding.has(instruction) ? expand(written, config.env) : written
  switch (instruction) {
    case 'CMD':
      return { ...config, cmd: commandOf(argument) }
    case 'ENTRYPOINT':
      return { ...config, entrypoint: commandOf(argument) }
    case 'ENV': {
      const added = pairsOf(argument)
      return {
        ...config,
        // In place where it is there already, as in Docker.
        env: mergeEnvironment(
          config.env,
          Object.entries(added).map(([name, value]) => `${name}=${value}`),
        ),
      }
    }
    case 'LABEL':
      return { ...config, labels: { ...config.labels, ...pairsOf(argument) } }
    case 'EXPOSE':
      return {
        ...config,
        exposedPorts: [
          ...new Set([...config.exposedPorts, ...argument.split(/\s+/).map((port) => (port.includes('/') ? port : `${port}/tcp`))]),
        ],
      }
    case 'VOLUME':
      return { ...config, volumes: [...new Set([...config.volumes, ...(jsonList(argument) ?? argument.split(/\s+/))])] }
    case 'USER':
      return { ...config, user: argument }
    case 'WORKDIR':
      return { ...config, workingDir: argument.startsWith('/') ? argument : `${config.workingDir.replace(/\/$/, '')}/${argument}` }
    case 'STOPSIGNAL':
      return { ...config, stopSignal: argument }
    case 'ONBUILD':
      return { ...config, onBuild: [...config.onBuild, argument] }
    case 'HEALTHCHECK':
      return { ...config, healthcheck: healthcheckOf(argument) }
    default:
      throw new EngineError('invalid_argument', `${instruction} is not a valid change command`)
  }
}

/** Instructions in whose arguments a Dockerfile replaces variables. */
const expanding = new Set(['ENV', 'LABEL', 'EXPOSE', 'VOLUME', 'USER', 'WORKDIR', 'STOPSIGNAL'])

/** `$NAME` and `${NAME}` by the environment so far; not behind a backslash, not in single quotes. Unknown names are nothing. */
function expand(text: string, env: readonly string[]): string {
  return text.replace(/\\.|'[^']*'|\$(?:\{(\w+)\}|(\w+))/g, (all, braced?: string, plain?: string) => {
    const name = braced ?? plain
    if (name === undefined) return all
    return env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
  })
}

function jsonList(text: string): string[] | null {
  if (!text.startsWith('[')) return null
  try {
    const list = JSON.parse(text) as unknown
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : null
  } catch {
    return null
  }
}

function commandOf(argument: string): string[] {
  return jsonList(argument) ?? ['/bin/sh', '-c', argument]
}

function unquoted(raw: string): string {
  if (raw.startsWith("'")) return raw.slice(1, -1)
  return (raw.startsWith('"') ? raw.slice(1, -1) : raw).replace(/\\(.)/g, '$1')
}

/** `A=1 B="two words"`, or the old `A one value`. */
function pairsOf(argument: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  if (!/^(?:"(?:[^"\\]|\\.)*"|[^\s=]+)=/.test(argument)) {
    const [name, ...rest] = argument.split(/\s+/)
    return { [name as string]: rest.join(' ') }
  }
  for (const match of argument.matchAll(/("(?:[^"\\]|\\.)*"|[^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s\\])*)/g)) {
    pairs[unquoted(match[1] as string)] = unquoted(match[2] as string)
  }
  return pairs
}

function durationMs(text: string): number {
  const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  let total = 0
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(match[1]) * (units[match[2] as string] as number)
  return Math.round(total)
}

function healthcheckOf(argument: string): ImageConfig['healthcheck'] {
  const options: Record<string, string> = {}
  let rest = argument
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(rest); match; match = /^--([a-z-]+)=(\S+)\s+/.exec(rest)) {
    options[match[1] as string] = match[2] as string
    rest = rest.slice(match[0].length)
  }
  if (rest === 'NONE') return { test: ['NONE'] }
  if (!rest.startsWith('CMD')) throw new EngineError('invalid_argument', `unknown type in HEALTHCHECK (try CMD): ${rest}`)
  const command = rest.slice(3).trim()
  const list = jsonList(command)
  return {
    test: list ? ['CMD', ...list] : ['CMD-SHELL', command],
    ...(options.interval ? { intervalMs: durationMs(options.interval) } : {}),
    ...(options.timeout ? { timeoutMs: durationMs(options.timeout) } : {}),
    ...(options['start-period'] ? { startPeriodMs: durationMs(options['start-period']) } : {}),
    ...(options['start-interval'] ? { startIntervalMs: durationMs(options['start-interval']) } : {}),
    ...(options.retries ? { retries: Number(options.retries) } : {}),
  }
}
