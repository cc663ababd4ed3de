import { stripAnsi } from '../../ui/ansi'

/** How bad a line says it is. */
export type Level = 'error' | 'warn' | 'info' | 'debug' | null

export interface ReadLine {
  level: Level
  /** What to show first: the message of a structured line, else the line itself. */
  message: string
  /** The other fields of a structured line, in their order. */
  fields: readonly (readonly [string, string])[]
  kind: 'json' | 'logfmt' | 'text'
}

const levelWords: Record<string, Level> = {
  emerg: 'error',
  emergency: 'error',
  alert: 'error',
  panic: 'error',
  fatal: 'error',
  crit: 'error',
  critical: 'error',
  err: 'error',
  error: 'error',
  severe: 'error',
  warn: 'warn',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  information: 'info',
  debug: 'debug',
  trace: 'debug',
  verbose: 'debug',
}
const messageKeys = ['message', 'msg', 'log', 'event', 'text']
const levelKeys = ['level', 'lvl', 'severity', 'log.level', 'levelname']
const longest = 32_768

/** Reads one line as JSON, as logfmt, or as plain text with a level word near its beginning. Never throws; a line that is too long is text. */
export function readLine(text: string): ReadLine {
  if (text.length <= longest) {
    const json = readJson(text)
    if (json) return json
    const logfmt = readLogfmt(text)
    if (logfmt) return logfmt
  }
  return { level: plainLevel(text.slice(0, 400)), message: text, fields: [], kind: 'text' }
}

function readJson(text: string): ReadLine | null {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return null
  let value: unknown
  try {
    value = JSON.parse(trimmed)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const entries = Object.entries(value).map(([key, field]): [string, string] => [
    key,
    typeof field === 'string' ? field : JSON.stringify(field),
  ])
  return structured(entries, 'json')
}

/** `key=value key="quoted value"`: at least two pairs and hardly anything else. */
function readLogfmt(text: string): ReadLine | null {
  if (!/^[\w.@/-]+=/.test(text)) return null
  const pairs: [string, string][] = []
  const pattern = /\s*([\w.@/-]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)/y
  let at = 0
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const value = match[2] as string
    pairs.push([match[1] as string, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value])
    at = pattern.lastIndex
  }
  return pairs.length >= 2 && text.slice(at).trim() === '' ? structured(pairs, 'logfmt') : null
}

function structured(entries: [string, string][], kind: 'json' | 'logfmt'): ReadLine {
  const find = (keys: readonly string[]) => entries.find(([key]) => keys.includes(key.toLowerCase()))
  const message = find(messageKeys)
  const level = find(levelKeys)
  return {
    level: level ? levelOf(level[1]) : null,
    message: message?.[1] ?? '',
    fields: entries.filter((entry) => entry !== message && entry !== level),
    kind,
  }
}

/** Words, and the numbers of pino and bunyan (50 is an error) and of syslog (3 is one). */
function levelOf(value: string): Level {
  const number = Number(value)
  if (value !== '' && !Number.isNaN(number)) {
    if (number >= 10) return number >= 50 ? 'error' : number >= 40 ? 'warn' : number >= 30 ? 'info' : 'debug'
    return number <= 3 ? 'error' : number === 4 ? 'warn' : number <= 6 ? 'info' : 'debug'
  }
  return levelWords[value.toLowerCase()] ?? null
}

function plainLevel(text: string): Level {
  const match =
    /(?:^|[\s[(<|:"])(emerg|alert|panic|fatal|crit|critical|err|error|severe|warn|warning|notice|info|debug|trace)(?=$|[\s\])>|:",])/i.exec(
      (text.includes('\u001b') ? stripAnsi(text) : text).slice(0, 120),
    )
  return match ? (levelWords[(match[1] as string).toLowerCase()] ?? null) : null
}
