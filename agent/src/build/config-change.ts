/** What an instruction that makes no files does to the image's configuration, and how history tells it. PURE. */
import type { Healthcheck, ImageConfig } from '@berth/contract/image'
import type { CommandForm, Statement } from './statement.ts'

export const defaultShell: readonly string[] = ['/bin/sh', '-c']

/** What RUN finds programs by when the base image says nothing. */
export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export const emptyConfig: ImageConfig = {
  user: '',
  exposedPorts: [],
  env: [defaultPath],
  entrypoint: null,
  cmd: null,
  volumes: [],
  workingDir: '',
  labels: {},
  stopSignal: null,
  shell: null,
  healthcheck: null,
  onBuild: [],
}

export function shellOf(config: ImageConfig): readonly string[] {
  return config.shell?.length ? config.shell : defaultShell
}

export function commandOf(command: CommandForm, config: ImageConfig): string[] {
  return 'exec' in command ? command.exec : [...shellOf(config), command.shell]
}

/** Path of WORKDIR seen from the working directory before it. */
export function resolveWorkdir(before: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${before || '/'}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** WORKDIR as the image tells it: Docker leaves an absolute one as it was written. */
const writtenWorkdir = (before: string, path: string) => (path.startsWith('/') ? path : resolveWorkdir(before, path))

export interface ConfigState {
  config: ImageConfig
  author: string
  /** CMD was given in this stage: ENTRYPOINT keeps it then. */
  cmdSet: boolean
}

function setEnv(env: readonly string[], [name, value]: [string, string]): string[] {
  const entry = `${name}=${value}`
  const at = env.findIndex((other) => other.startsWith(`${name}=`))
  return at < 0 ? [...env, entry] : env.with(at, entry)
}

const union = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])]

/** The configuration after a statement; run, copy and arg change none. */
export function changeConfig(state: ConfigState, statement: Statement): ConfigState {
  const { config } = state
  const to = (change: Partial<ImageConfig>): ConfigState => ({ ...state, config: { ...config, ...change } })
  switch (statement.kind) {
    case 'env':
      return to({ env: statement.pairs.reduce(setEnv, config.env) })
    case 'label':
      return to({ labels: { ...config.labels, ...Object.fromEntries(statement.pairs) } })
    case 'workdir':
      return to({ workingDir: writtenWorkdir(config.workingDir, statement.path) })
    case 'user':
      return to({ user: statement.user })
    case 'expose':
      return to({ exposedPorts: union(config.exposedPorts, statement.ports).sort() })
    case 'volume':
      return to({ volumes: union(config.volumes, statement.paths) })
    case 'cmd': {
      const cmd = commandOf(statement.command, config)
      return { ...to({ cmd }), cmdSet: cmd.length > 0 || state.cmdSet }
    }
    case 'entrypoint': {
      const entrypoint = commandOf(statement.command, config)
      return to({ entrypoint: entrypoint.length > 0 ? entrypoint : null, cmd: state.cmdSet ? config.cmd : null })
    }
    case 'shell':
      return to({ shell: statement.shell })
    case 'stopsignal':
      return to({ stopSignal: statement.signal })
    case 'healthcheck':
      return to({ healthcheck: statement.healthcheck })
    case 'onbuild':
      return to({ onBuild: [...config.onBuild, statement.trigger] })
    case 'maintainer':
      return { ...state, author: statement.name }
    case 'run':
    case 'copy':
    case 'arg':
      return state
  }
}

const quoted = (words: readonly string[]) => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`

/** Go's way of printing the struct. */
function healthText({ test, intervalMs = 0, timeoutMs = 0, startPeriodMs = 0, retries = 0 }: Healthcheck): string {
  const code = retries.toString(16).padStart(2, '0')
  return `&{${quoted(test)} "${goDuration(intervalMs)}" "${goDuration(timeoutMs)}" "${goDuration(startPeriodMs)}" '\\x${code}'}`
}

function goDuration(ms: number): string {
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000]
  if (ms > 0 && ms < 1000) return `${ms}ms`
  return `${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${seconds}s`
}

/** The instruction as `docker history` shows it, without the shell in front. */
export function historyText(statement: Statement, config: ImageConfig): string {
  switch (statement.kind) {
    case 'env':
      return ` ENV ${statement.pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`
    case 'label':
      return ` LABEL ${statement.pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`
    case 'arg':
      return ` ARG ${statement.args.map(({ name, value }) => (value === null ? name : `${name}=${value}`)).join(' ')}`
    case 'workdir':
      return `WORKDIR ${writtenWorkdir(config.workingDir, statement.path)}`
    case 'user':
      return ` USER ${statement.user}`
    case 'expose':
      return ` EXPOSE ${[...statement.asWritten].sort().join(' ')}`
    case 'volume':
      return ` VOLUME [${statement.paths.join(' ')}]`
    case 'cmd':
      return ` CMD ${quoted(commandOf(statement.command, config))}`
    case 'entrypoint':
      return ` ENTRYPOINT ${quoted(commandOf(statement.command, config))}`
    case 'shell':
      return ` SHELL [${statement.shell.join(' ')}]`
    case 'stopsignal':
      return ` STOPSIGNAL ${statement.signal}`
    case 'healthcheck':
      return ` HEALTHCHECK ${healthText(statement.healthcheck)}`
    case 'onbuild':
      return ` ONBUILD ${statement.trigger}`
    case 'maintainer':
      return ` MAINTAINER ${statement.name}`
    case 'run':
    case 'copy':
      return ''
  }
}
