import type { ContainerOptions } from '@berth/contract/container'
import { shellOperator, splitWords } from '../../ui/shell-words'
import { blankOptions, type Draft, flagNamed, idleSwitches, idleValued, longNameOf } from './run-flags'
import { applyNetwork } from './run-places'

/** What a pasted line says. `ignored` names what has no meaning here (`--cidfile`, `--sig-proxy`); nothing is left out in silence. */
export interface ParsedRun {
  name: string | undefined
  options: ContainerOptions
  pull: 'always' | 'missing' | 'never'
  ignored: string[]
}

export interface RunDraft {
  /** `flag` without its dashes; switches take no value. @throws Error one sentence that names the flag */
  apply: (flag: string, value?: string) => void
  end: (image: string, entrypointRest: string[], command: string[]) => ParsedRun
}

/**
 * Reads a `docker run` or `docker create` line (also `podman`, `nerdctl`, with `sudo` before it). Options that mean nothing in a browser are named in `ignored`.
 * @throws Error one sentence that names the flag and what is wrong with it
 */
export function parseRunCommand(line: string): ParsedRun {
  const text = line
    .replaceAll('\r\n', '\n')
    .trim()
    .replace(/^[$#]\s+/, '')
  const operator = shellOperator(text)
  if (operator) throw new Error(`the line holds more than one command ("${operator}"); paste the docker run part alone`)
  const words = splitWords(text)
  if (words[0] === 'sudo') words.shift()
  if (!/^(docker|podman|nerdctl)$/.test(words[0]?.split('/').pop() ?? '')) throw new Error('the line must begin with "docker run"')
  words.shift()
  if (words[0] === 'container') words.shift()
  if (words[0] !== 'run' && words[0] !== 'create') throw new Error('the line must begin with "docker run" or "docker create"')
  words.shift()
  const draft = emptyDraft()
  const isFlag = (word: string | undefined): word is string => word !== undefined && word.length > 1 && word.startsWith('-')
  while (isFlag(words.at(0))) {
    const word = words.shift() as string
    if (word === '--') break
    if (word.startsWith('--')) takeWord(draft, word, words)
    else takeShort(draft, word, words)
  }
  const image = words.shift()
  if (!image) throw new Error('the line names no image')
  leaveOutUnset(draft)
  return finish(draft, image, [], words)
}

/** Begins an empty set of options that flags are applied to one by one: what the create form does. */
export function beginRun(): RunDraft {
  const draft = emptyDraft()
  return {
    apply: (flag, value) => takeLong(draft, flag, value, []),
    end: (image, entrypointRest, command) => finish(draft, image, entrypointRest, command),
  }
}

function emptyDraft(): Draft {
  return { pull: 'missing', options: blankOptions(), aliases: [], linkLocal: [], networks: [], health: {}, ignored: [] }
}

function takeWord(draft: Draft, word: string, rest: string[]): void {
  const at = word.indexOf('=')
  takeLong(draft, at < 0 ? word.slice(2) : word.slice(2, at), at < 0 ? undefined : word.slice(at + 1), rest)
}

/** `-it`, `-p 80:80`, `-p80:80`, `-eA=b`. */
function takeShort(draft: Draft, word: string, rest: string[]): void {
  for (let at = 1; at < word.length; at += 1) {
    const name = longNameOf(word[at] as string)
    if (!name) throw new Error(`-${word[at]} is not an option of docker run`)
    if (flagNamed(name)?.flip || idleSwitches.has(name)) {
      takeLong(draft, name, undefined, rest)
      continue
    }
    const glued = word.slice(at + 1).replace(/^=/, '')
    takeLong(draft, name, glued || undefined, rest)
    return
  }
}

function takeLong(draft: Draft, name: string, given: string | undefined, rest: string[]): void {
  const flag = flagNamed(name)
  if (flag?.flip || idleSwitches.has(name)) {
    if (given !== undefined && given !== 'true' && given !== 'false') throw new Error(`--${name}: "${given}" is neither true nor false`)
    if (!flag) {
      if (given !== 'false' && name !== 'detach') draft.ignored.push(`--${name}`)
    } else if (given !== 'false' || name === 'init') flag.read(draft, given ?? '')
    return
  }
  if (!flag && !idleValued.has(name)) throw new Error(`--${name} is not an option of docker run that is known here`)
  const value = given ?? rest.shift()
  if (value === undefined) throw new Error(`--${name} needs a value`)
  if (flag) flag.read(draft, value)
  else draft.ignored.push(`--${name} ${value}`)
}

/** `-e NAME` takes its value from the shell that the line is typed into; there is none here. */
function leaveOutUnset(draft: Draft): void {
  const unset = draft.options.env.filter((variable) => !variable.includes('='))
  draft.options.env = draft.options.env.filter((variable) => variable.includes('='))
  draft.ignored.push(...unset.map((name) => `--env ${name}`))
}

/** What several flags say together: the command, networks with their addresses, health. */
function finish(draft: Draft, image: string, entrypointRest: string[], command: string[]): ParsedRun {
  const { options } = draft
  options.image = image
  options.cmd = options.entrypoint ? [...entrypointRest, ...command] : command.length > 0 ? command : null
  for (const [index, word] of draft.networks.entries()) applyNetwork(options, word, index === 0)
  if (draft.aliases.length || draft.linkLocal.length || draft.ip4 || draft.ip6) {
    const name = options.networkMode || 'bridge'
    const before = options.networks[name]
    options.networks[name] = {
      links: [],
      ...before,
      aliases: [...(before?.aliases ?? []), ...draft.aliases],
      ipv4: draft.ip4 ?? before?.ipv4,
      ipv6: draft.ip6 ?? before?.ipv6,
      ...(draft.linkLocal.length ? { linkLocal: [...(before?.linkLocal ?? []), ...draft.linkLocal] } : {}),
    }
  }
  const { cmd, none, ...times } = draft.health
  if (none) options.healthcheck = { test: ['NONE'] }
  else if (cmd !== undefined || Object.keys(times).length > 0)
    options.healthcheck = { test: cmd === undefined ? [] : ['CMD-SHELL', cmd], ...times }
  return { name: draft.name, options, pull: draft.pull, ignored: draft.ignored }
}
