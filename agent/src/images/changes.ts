import type { ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'

/**
 * Applies `--change` lines (Dockerfile instructions, one each) of `commit` and `import` to a configuration. Pure.
 * @throws invalid_argument naming the line
 */
export function applyChanges(config: ImageConfig, lines: readonly string[]): ImageConfig {
  return lines.reduce((current, line) => applyChange(current, line.trim()), config)
}

const instructions: Record<string, (config: ImageConfig, rest: string) => ImageConfig> = {
  CMD: (config, rest) => ({ ...config, cmd: command(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, entrypoint: command(rest) }),
  ENV: (config, rest) => ({ ...config, env: pairs(rest).reduce(setEnv, config.env) }),
  LABEL: (config, rest) => ({ ...config, labels: { ...config.labels, ...Object.fromEntries(pairs(rest)) } }),
  EXPOSE: (config, rest) => ({ ...config, exposedPorts: union(config.exposedPorts, words(rest).flatMap(ports)) }),
  VOLUME: (config, rest) => ({ ...config, volumes: union(config.volumes, jsonWords(rest) ?? words(rest)) }),
  USER: (config, rest) => ({ ...config, user: rest }),
  WORKDIR: (config, rest) => ({ ...config, workingDir: rest.startsWith('/') ? rest : `${config.workingDir.replace(/\/$/, '')}/${rest}` }),
  STOPSIGNAL: (config, rest) => ({ ...config, stopSignal: rest }),
  ONBUILD: (config, rest) => ({ ...config, onBuild: [...config.onBuild, rest] }),
  HEALTHCHECK: (config, rest) => ({ ...config, healthcheck: healthcheck(rest) }),
}

function applyChange(config: ImageConfig, line: string): ImageConfig {
  const [, name = '', rest = ''] = /^([A-Za-z]+)\s+([\s\S]+)$/.exec(line) ?? []
  const instruction = instructions[name.toUpperCase()]
  if (!instruction || line.includes('\0')) {
    throw new EngineError(
      'invalid_argument',
      `"${line.slice(0, 100)}" is not a valid change; use one of ${Object.keys(instructions).join(' ')} with its arguments`,
    )
  }
  return instruction(config, rest.trim())
}

function jsonWords(text: string): string[] | null {
  if (!text.startsWith('[')) return null
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : null
  } catch {
    return null
  }
}

/** Exec form as it is, shell form through the shell. */
function command(text: string): string[] | null {
  const list = jsonWords(text) ?? ['/bin/sh', '-c', text]
  return list.length ? list : null
}

/** Words with shell quotes taken off. */
function words(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)].map(([word]) =>
    word.replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs,
      (_all, double, single, escaped) => single ?? escaped ?? String(double).replace(/\\(["\\$])/g, '$1'),
    ),
  )
}

/** `A=1 B="two words"`, or the old `A one value`. */
function pairs(text: string): [string, string][] {
  const [first = '', ...others] = words(text)
  if (!first.includes('=')) return [[first, text.slice(text.indexOf(first) + first.length).trim() || others.join(' ')]]
  return [first, ...others].map((word) => {
    const equals = word.indexOf('=')
    if (equals <= 0) throw new EngineError('invalid_argument', `"${word.slice(0, 80)}" must be name=value`)
    return [word.slice(0, equals), word.slice(equals + 1)]
  })
}

function setEnv(env: string[], [name, value]: [string, string]): string[] {
  const entry = `${name}=${value}`
  const at = env.findIndex((other) => other.startsWith(`${name}=`))
  return at < 0 ? [...env, entry] : env.with(at, entry)
}

function ports(text: string): string[] {
  const [, from, to, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const first = Number(from)
  const last = Number(to ?? from)
  if (!(first >= 1 && last >= first && last <= 65535))
    throw new EngineError('invalid_argument', `invalid containerPort: ${text.slice(0, 40)}`)
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${(protocol ?? 'tcp').toLowerCase()}`)
}

function union(a: string[], b: string[]): string[] {
  return [...new Set([...a, ...b])]
}

function healthcheck(text: string): ImageConfig['healthcheck'] {
  if (/^none$/i.test(text)) return { test: ['NONE'] }
  const durations: Record<string, string> = {
    interval: 'intervalMs',
    timeout: 'timeoutMs',
    'start-period': 'startPeriodMs',
    'start-interval': 'startIntervalMs',
  }
  const options: Record<string, number> = {}
  let rest = text
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(rest); match; match = /^--([a-z-]+)=(\S+)\s+/.exec(rest)) {
    const [all, name = '', value = ''] = match
    const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value)
    if (name === 'retries' && /^\d{1,6}$/.test(value)) options.retries = Number(value)
    else if (durations[name] && duration)
      options[durations[name]] = Math.round(
        Number(duration[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[duration[2] as string] as number),
      )
    else throw new EngineError('invalid_argument', `"--${name}=${value.slice(0, 40)}" is not an option of HEALTHCHECK`)
    rest = rest.slice(all.length)
  }
  const test = /^CMD\s+([\s\S]+)$/i.exec(rest)?.[1]
  if (!test) throw new EngineError('invalid_argument', 'HEALTHCHECK needs CMD and a command, or NONE')
  const exec = jsonWords(test.trim())
  return { test: exec ? ['CMD', ...exec] : ['CMD-SHELL', test.trim()], ...options }
}
