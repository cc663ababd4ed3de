/** One instruction, understood: its kind and checked arguments, variables replaced. PURE. */
import type { Healthcheck } from '@berth/contract/image'
import { signalNumber } from '../containers/signals.ts'
import { EngineError } from '../errors.ts'
import { type Heredoc, type Instruction, parseError, parseTrigger, withoutHeredocs } from './dockerfile.ts'
import { expandWord, expandWords, jsonWords, type Lookup, splitWords } from './words.ts'

/** `["a"]` or a line for the shell. */
export type CommandForm = { exec: string[] } | { shell: string }

export interface RunMount {
  type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh'
  target: string
  source: string
  from: string
  id: string
  readOnly: boolean
  sharing: 'shared' | 'private' | 'locked'
  mode: number | null
  uid: number
  gid: number
  sizeBytes: number
  required: boolean
  env: string
}

export type Statement =
  | { kind: 'run'; command: CommandForm; heredocs: Heredoc[]; mounts: RunMount[]; network: '' | 'none' | 'host' }
  | {
      kind: 'copy'
      add: boolean
      sources: string[]
      heredocs: Heredoc[]
      target: string
      from: string
      chown: string
      chmod: number | null
      /** ADD of a URL: `sha256:…` that the download must have; '' for any. */
      checksum: string
      /** ADD of a repository keeps its `.git`. */
      keepGitDir: boolean
      /** Sources keep the directories that they are in, from the last `/./` of their path on. */
      parents: boolean
      /** What is left out: patterns of `.dockerignore` for paths below each source. */
      excludes: string[]
    }
  | { kind: 'env'; pairs: [string, string][] }
  | { kind: 'label'; pairs: [string, string][] }
  | { kind: 'arg'; args: { name: string; value: string | null }[] }
  | { kind: 'workdir'; path: string }
  | { kind: 'user'; user: string }
  | { kind: 'expose'; ports: string[]; asWritten: string[] }
  | { kind: 'volume'; paths: string[] }
  | { kind: 'cmd' | 'entrypoint'; command: CommandForm }
  | { kind: 'shell'; shell: string[] }
  | { kind: 'stopsignal'; signal: string }
  | { kind: 'healthcheck'; healthcheck: Healthcheck }
  | { kind: 'onbuild'; trigger: string }
  | { kind: 'maintainer'; name: string }

/** What an instruction's flags may be. */
const allowedFlags: Record<string, string[]> = {
  ADD: ['chown', 'chmod', 'link', 'checksum', 'keep-git-dir', 'exclude'],
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  RUN: ['mount', 'network', 'security'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
  FROM: ['platform'],
}

export function checkFlags({ keyword, flags, line }: Instruction): void {
  for (const { name } of flags)
    if (!allowedFlags[keyword]?.includes(name))
      throw parseError(
        line,
        `unknown flag: --${name.slice(0, 60)} (${keyword} knows ${(allowedFlags[keyword] ?? []).join(', ') || 'none'})`,
      )
}

/**
 * @param lookup value of a variable at this place of the stage
 * @throws invalid_argument with the line
 */
export function understand(instruction: Instruction, lookup: Lookup, escapeChar: string): Statement {
  checkFlags(instruction)
  const reader = readers[instruction.keyword]
  if (!reader) throw parseError(instruction.line, `unknown instruction: ${instruction.keyword}`)
  try {
    return reader(instruction, {
      word: (text) => expandWord(text, lookup, escapeChar),
      words: (text) => expandWords(text, lookup, escapeChar),
      escapeChar,
    })
  } catch (error) {
    if (error instanceof EngineError && !/^(dockerfile parse error|When using|COPY failed|ADD failed)/.test(error.message))
      throw new EngineError(error.code, `dockerfile parse error line ${instruction.line}: ${error.message}`, { cause: error })
    throw error
  }
}

interface Expander {
  word(text: string): string
  words(text: string): string[]
  escapeChar: string
}

const bad = (message: string) => new EngineError('invalid_argument', message)
const commandForm = (text: string): CommandForm => {
  const exec = jsonWords(text)
  return exec ? { exec } : { shell: text }
}
const one = (keyword: string, words: string[]): string => {
  if (words.length !== 1) throw bad(`${keyword} requires exactly one argument`)
  return words[0] as string
}

/** `a=1 b="two"`, or the old `a one value`. */
function pairs(keyword: string, text: string, expand: Expander): [string, string][] {
  const words = splitWords(text, expand.escapeChar)
  const [first = ''] = words
  if (!first.includes('=')) {
    if (words.length < 2) throw bad(`${keyword} must have two arguments`)
    return [[expand.word(first), expand.word(text.slice(text.indexOf(first) + first.length).trim())]]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0) throw bad(`Syntax error - can't find = in "${word.slice(0, 80)}". Must be of the form: name=value`)
    const name = expand.word(word.slice(0, equals))
    if (name === '') throw bad(`${keyword} names can not be blank`)
    return [name, expand.word(word.slice(equals + 1))]
  })
}

const readers: Record<string, (instruction: Instruction, expand: Expander) => Statement> = {
  RUN: ({ rest, heredocs, flags }, expand) => ({
    kind: 'run',
    command: commandForm(rest),
    heredocs,
    mounts: flags.filter(({ name }) => name === 'mount').map(({ value }) => runMount(expand.word(value ?? ''))),
    network: networkOf(flags),
  }),
  COPY: (instruction, expand) => copyStatement(instruction, expand, false),
  ADD: (instruction, expand) => copyStatement(instruction, expand, true),
  ENV: ({ rest }, expand) => ({ kind: 'env', pairs: pairs('ENV', rest, expand) }),
  LABEL: ({ rest }, expand) => ({ kind: 'label', pairs: pairs('LABEL', rest, expand) }),
  ARG: ({ rest }, expand) => ({
    kind: 'arg',
    args: splitWords(rest, expand.escapeChar).map((word) => {
      const equals = word.indexOf('=')
      const name = equals < 0 ? word : word.slice(0, equals)
      if (name === '') throw bad('ARG names can not be blank')
      if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw bad(`ARG name "${name.slice(0, 60)}" is not valid`)
      return { name, value: equals < 0 ? null : expand.word(word.slice(equals + 1)) }
    }),
  }),
  WORKDIR: ({ rest }, expand) => ({ kind: 'workdir', path: expand.word(rest) }),
  USER: ({ rest }, expand) => ({ kind: 'user', user: one('USER', expand.words(rest)) }),
  EXPOSE: ({ rest }, expand) => {
    const asWritten = expand.words(rest)
    return { kind: 'expose', asWritten, ports: asWritten.flatMap(portsOf) }
  },
  VOLUME: ({ rest }, expand) => {
    const paths = jsonWords(rest)?.map((path) => expand.word(path)) ?? expand.words(rest)
    if (paths.length === 0) throw bad('VOLUME requires at least one argument')
    if (paths.some((path) => path.trim() === '')) throw bad('VOLUME specified can not be an empty string')
    return { kind: 'volume', paths }
  },
  CMD: ({ rest }) => ({ kind: 'cmd', command: commandForm(rest) }),
  ENTRYPOINT: ({ rest }) => ({ kind: 'entrypoint', command: commandForm(rest) }),
  SHELL: ({ rest }) => {
    const shell = jsonWords(rest)
    if (!shell) throw bad('SHELL requires the arguments to be in JSON form')
    if (shell.length === 0) throw bad('SHELL requires at least one argument')
    return { kind: 'shell', shell }
  },
  STOPSIGNAL: ({ rest }, expand) => ({ kind: 'stopsignal', signal: signalOf(one('STOPSIGNAL', expand.words(rest))) }),
  HEALTHCHECK: (instruction) => ({ kind: 'healthcheck', healthcheck: healthcheckOf(instruction) }),
  ONBUILD: ({ rest }) => {
    const { keyword } = parseTrigger(rest)
    if (keyword === 'ONBUILD') throw bad("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if (keyword === 'FROM' || keyword === 'MAINTAINER') throw bad(`${keyword} isn't allowed as an ONBUILD trigger`)
    return { kind: 'onbuild', trigger: rest }
  },
  MAINTAINER: ({ rest }) => ({ kind: 'maintainer', name: rest }),
}

function copyStatement({ keyword, rest, flags, heredocs }: Instruction, expand: Expander, add: boolean): Statement {
  const text = withoutHeredocs(rest)
  const words = jsonWords(text)?.map((word) => expand.word(word)) ?? expand.words(text)
  const target = words.pop()
  if (target === undefined || words.length + heredocs.length === 0)
    throw bad(`${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`)
  if (words.length + heredocs.length > 1 && !target.endsWith('/'))
    throw bad(`When using ${keyword} with more than one source file, the destination must be a directory and end with a /`)
  const flag = (name: string) => expand.word(flags.find((candidate) => candidate.name === name)?.value ?? '')
  const checksum = flag('checksum')
  if (checksum && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw bad(`--checksum="${checksum.slice(0, 80)}" is not sha256: and 64 hexadecimal digits`)
  const chmod = flag('chmod')
  if (chmod && !/^[0-7]{1,4}$/.test(chmod))
    throw bad(`invalid chmod parameter: '${chmod.slice(0, 40)}'. it should be octal string and between 0 and 07777`)
  return {
    kind: 'copy',
    add,
    sources: words,
    heredocs: heredocs.map((heredoc) => (heredoc.expand ? { ...heredoc, content: expandLines(heredoc.content, expand) } : heredoc)),
    target,
    from: flag('from'),
    chown: flag('chown'),
    chmod: chmod ? Number.parseInt(chmod, 8) : null,
    checksum,
    keepGitDir: switchOf(flags, 'keep-git-dir'),
    parents: switchOf(flags, 'parents'),
    excludes: flags.filter(({ name }) => name === 'exclude').map(({ value }) => expand.word(value ?? '')),
  }
}

/** A flag that stands alone or has true or false. */
function switchOf(flags: Instruction['flags'], name: string): boolean {
  const flag = flags.find((candidate) => candidate.name === name)
  if (flag && flag.value !== null && !/^(true|false)$/i.test(flag.value))
    throw bad(`--${name}="${flag.value.slice(0, 40)}" is neither true nor false`)
  return flag !== undefined && flag.value?.toLowerCase() !== 'false'
}

/** Variables of a here-document; quotes in it are text. */
function expandLines(content: string, expand: Expander): string {
  return content.replace(/\\\$|\$(?:[A-Za-z_]\w*|\{[^}]*\})/g, (match) => (match === '\\$' ? '$' : expand.word(`"${match}"`)))
}

function networkOf(flags: Instruction['flags']): '' | 'none' | 'host' {
  const security = flags.find(({ name }) => name === 'security')?.value
  if (security && security !== 'sandbox') throw bad(`security mode "${security.slice(0, 40)}" is not allowed`)
  const value = flags.find(({ name }) => name === 'network')?.value ?? 'default'
  if (value === 'default') return ''
  if (value === 'none' || value === 'host') return value
  throw bad(`network mode "${value.slice(0, 40)}" is not one of default, none, host`)
}

const mountNames: Record<string, string> = { dst: 'target', destination: 'target', src: 'source', ro: 'readonly', rw: 'readwrite' }

function runMount(text: string): RunMount {
  const fields: Record<string, string> = {}
  for (const part of text.split(',')) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    fields[mountNames[name] ?? name] = equals < 0 ? 'true' : part.slice(equals + 1).trim()
  }
  const type = (fields.type ?? 'bind') as RunMount['type']
  if (!['bind', 'cache', 'tmpfs', 'secret', 'ssh'].includes(type))
    throw bad(`unsupported mount type "${String(type).slice(0, 40)}"; use bind, cache, tmpfs, secret or ssh`)
  const known = [
    'type',
    'target',
    'source',
    'from',
    'id',
    'readonly',
    'readwrite',
    'sharing',
    'mode',
    'uid',
    'gid',
    'size',
    'required',
    'env',
  ]
  for (const name of Object.keys(fields))
    if (!known.includes(name)) throw bad(`unexpected key '${name.slice(0, 40)}' for mount type '${type}'`)
  const id = fields.id ?? ''
  const target = fields.target ?? (type === 'secret' && !fields.env ? `/run/secrets/${id.split('/').at(-1)}` : '')
  if (target === '' && type !== 'ssh' && !(type === 'secret' && fields.env)) throw bad('target is required for a mount')
  if (type === 'secret' && id === '' && !fields.target) throw bad('a secret needs an id or a target')
  if (type === 'cache' && (fields.from || fields.source)) throw bad('from and source are not supported for a cache mount by this builder')
  const sharing = fields.sharing ?? 'shared'
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked')
    throw bad(`unsupported sharing value "${sharing.slice(0, 40)}"`)
  return {
    type,
    target,
    source: fields.source ?? '',
    from: fields.from ?? '',
    id: id || (type === 'secret' ? (target.split('/').at(-1) ?? '') : target),
    readOnly: type === 'bind' ? fields.readwrite !== 'true' && fields.readonly !== 'false' : fields.readonly === 'true',
    sharing,
    mode: fields.mode === undefined ? null : octal(fields.mode),
    uid: number(fields.uid ?? '0'),
    gid: number(fields.gid ?? '0'),
    sizeBytes: fields.size ? size(fields.size) : 0,
    required: fields.required === 'true',
    env: fields.env ?? '',
  }
}

function octal(text: string): number {
  if (!/^[0-7]{1,5}$/.test(text)) throw bad(`"${text.slice(0, 20)}" is not an octal mode`)
  return Number.parseInt(text, 8)
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw bad(`"${text.slice(0, 20)}" is not a number`)
  return Number(text)
}

function size(text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text)
  if (!match) throw bad(`"${text.slice(0, 20)}" is not a size`)
  return Number(match[1]) * ({ '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(match[2] as string).toLowerCase() as 'k'] ?? 1)
}

function portsOf(text: string): string[] {
  const [, from, to, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const first = Number(from)
  const last = Number(to ?? from)
  if (!(first >= 1 && last >= first && last <= 65535)) throw bad(`invalid containerPort: ${text.slice(0, 40)}`)
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${(protocol ?? 'tcp').toLowerCase()}`)
}

function signalOf(text: string): string {
  signalNumber(text)
  return text
}

function healthcheckOf({ rest, flags }: Instruction): Healthcheck {
  const [, type = '', text = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? []
  if (/^none$/i.test(type)) {
    if (text || flags.length > 0) throw bad('HEALTHCHECK NONE takes no arguments')
    return { test: ['NONE'] }
  }
  if (!/^cmd$/i.test(type)) throw bad(`Unknown type ${JSON.stringify(type.slice(0, 40))} in HEALTHCHECK (try CMD)`)
  if (text === '') throw bad('Missing command after HEALTHCHECK CMD')
  const exec = jsonWords(text)
  const result: Healthcheck = { test: exec ? ['CMD', ...exec] : ['CMD-SHELL', text] }
  const names: Record<string, 'intervalMs' | 'timeoutMs' | 'startPeriodMs' | 'startIntervalMs'> = {
    interval: 'intervalMs',
    timeout: 'timeoutMs',
    'start-period': 'startPeriodMs',
    'start-interval': 'startIntervalMs',
  }
  for (const { name, value } of flags) {
    const key = names[name]
    if (key) result[key] = duration(name, value ?? '')
    else if (!/^\d{1,6}$/.test(value ?? '')) throw bad('--retries must be a number of at least 0')
    else result.retries = Number(value)
  }
  return result
}

/** Go's duration, "1m30s", in milliseconds. */
function duration(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)]
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text)
    throw bad(`--${name}: time: invalid duration ${JSON.stringify(text.slice(0, 40))}; write it like 30s`)
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, ns: 0.000001 }
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number), 0)
  if (ms !== 0 && ms < 1) throw bad(`Interval "--${name}" cannot be less than 1ms`)
  return Math.round(ms)
}
