/**
 * The text of a Dockerfile → its instructions, nothing interpreted yet. PURE. Written here because the libraries take `'cat <<EOF'` inside quotes for a
 * here-document and swallow what follows without a word.
 */
import { EngineError } from '../errors.ts'
import { splitWords } from './words.ts'

export interface Heredoc {
  name: string
  content: string
  /** `<<EOF`, not `<<"EOF"`: variables in it are expanded (COPY and ADD; of RUN the shell does it). */
  expand: boolean
}

export interface Instruction {
  /** Upper case. */
  keyword: string
  flags: { name: string; value: string | null }[]
  /** What follows keyword and flags, lines joined, comments in between left out, here-document bodies not included. */
  rest: string
  heredocs: Heredoc[]
  /** First line, counted from 1. */
  line: number
  /** For `Step N/M : …`. */
  original: string
}

export interface ParsedDockerfile {
  instructions: Instruction[]
  escapeChar: string
  /** What is read but should be mended, in Docker's words, one line or more each. */
  warnings: string[]
}

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
)
/** What an instruction without arguments lacks, where it is not "at least one argument". */
const required: Record<string, string> = {
  FROM: 'either one or three arguments',
  ADD: 'at least two arguments, but only one was provided. Destination could not be determined',
  COPY: 'at least two arguments, but only one was provided. Destination could not be determined',
  MAINTAINER: 'exactly one argument',
  STOPSIGNAL: 'exactly one argument',
  USER: 'exactly one argument',
  WORKDIR: 'exactly one argument',
}
const heredocKeywords = new Set(['RUN', 'COPY', 'ADD'])
const maxBytes = 4 * 1024 * 1024

export function parseError(line: number, message: string): EngineError {
  return new EngineError('invalid_argument', `dockerfile parse error line ${line}: ${message}`)
}

/** @throws invalid_argument `dockerfile parse error line N: …` */
export function parseDockerfile(text: string, name = 'Dockerfile'): ParsedDockerfile {
  if (text.length > maxBytes) throw new EngineError('invalid_argument', `the Dockerfile (${name}) is larger than ${maxBytes} bytes`)
  if (text.includes('\0')) throw new EngineError('invalid_argument', `the Dockerfile (${name}) contains a NUL byte; it is not a text file`)
  const clean = text.replace(/^\ufeff/, '').replace(/\r\n/g, '\n')
  const lines = clean.split('\n')
  const escapeChar = readEscape(lines)
  const instructions: Instruction[] = []
  const warnings: string[] = []
  for (let at = 0; at < lines.length; ) {
    if (isSkipped(lines[at] as string)) {
      at++
      continue
    }
    const { text: header, used, hasEmptyLine } = joinLines(lines, at, escapeChar)
    if (hasEmptyLine) warnings.push(`[WARNING]: Empty continuation line found in:\n    ${header.trim()}`)
    const { instruction, bodyLines } = toInstruction(header.trim(), lines, at + used, { line: at + 1, escapeChar })
    instructions.push(instruction)
    at += used + bodyLines
  }
  if (instructions.length === 0)
    throw new EngineError('invalid_argument', `the Dockerfile (${name}) cannot be empty: file with no instructions`)
  if (warnings.length > 0) warnings.push('[WARNING]: Empty continuation lines will become errors in a future release.')
  return { instructions, escapeChar, warnings }
}

const isSkipped = (line: string): boolean => /^\s*(#|$)/.test(line)

/** Directives are the comments `# name=value` in front of everything else; of them `escape` changes how the rest is read. */
function readEscape(lines: string[]): string {
  let found: string | null = null
  for (const [at, line] of lines.entries()) {
    const [, name, value = ''] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? []
    if (name === undefined) break
    if (name.toLowerCase() !== 'escape') continue
    if (found !== null) throw parseError(at + 1, 'only one escape parser directive can be used')
    if (value !== '\\' && value !== '`') throw parseError(at + 1, `invalid ESCAPE '${value.slice(0, 20)}'. Must be \` or \\`)
    found = value
  }
  return found ?? '\\'
}

/** One instruction from a single text, for ONBUILD triggers. */
export function parseTrigger(text: string): Instruction {
  const [instruction, ...others] = parseDockerfile(text, 'ONBUILD').instructions
  if (!instruction || others.length > 0) throw new EngineError('invalid_argument', `"${text.slice(0, 100)}" is not one instruction`)
  return instruction
}

function toInstruction(
  original: string,
  lines: string[],
  /** Where here-documents would begin. */
  below: number,
  { line, escapeChar }: { line: number; escapeChar: string },
): { instruction: Instruction; bodyLines: number } {
  const word = /^\S+/.exec(original)?.[0] ?? ''
  const keyword = word.toUpperCase()
  if (!keywords.has(keyword)) throw parseError(line, `unknown instruction: ${word.slice(0, 80)}`)
  const { flags, rest } = takeFlags(keyword, original.slice(word.length).trim())
  const trigger = keyword === 'ONBUILD' ? (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase() : keyword
  const { heredocs, used } = heredocKeywords.has(trigger)
    ? readHeredocs(rest, lines, below, { line, escapeChar })
    : { heredocs: [], used: 0 }
  if (rest === '') throw parseError(line, `${keyword} requires ${required[keyword] ?? 'at least one argument'}`)
  // A trigger is kept as text and read again when it is pulled: with its here-documents.
  const instruction =
    keyword === 'ONBUILD'
      ? { keyword, flags, rest: [rest, ...lines.slice(below, below + used)].join('\n'), heredocs: [], line, original }
      : { keyword, flags, rest, heredocs, line, original }
  return { instruction, bodyLines: used }
}

/** Joins lines that end in the escape character; comment lines and empty lines between them do not count. */
function joinLines(lines: string[], from: number, escapeChar: string): { text: string; used: number; hasEmptyLine: boolean } {
  let text = ''
  let hasEmptyLine = false
  let at = from
  while (at < lines.length) {
    const line = lines[at++] as string
    if (at - 1 > from && isSkipped(line)) {
      hasEmptyLine ||= line.trim() === '' && at < lines.length
      continue
    }
    // The escape character itself, escaped, ends nothing.
    const bare = line.trimEnd()
    const continued = bare.endsWith(escapeChar) && !bare.endsWith(escapeChar + escapeChar)
    text += continued ? bare.slice(0, -1) : line
    if (!continued) break
  }
  return { text, used: at - from, hasEmptyLine }
}

function takeFlags(keyword: string, text: string): { flags: Instruction['flags']; rest: string } {
  const flags: Instruction['flags'] = []
  let rest = text
  if (!['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN'].includes(keyword)) return { flags, rest }
  for (let match = /^--(\S*)\s*/.exec(rest); match; match = /^--(\S*)\s*/.exec(rest)) {
    rest = rest.slice(match[0].length)
    const word = match[1] as string
    if (word === '') break
    const equals = word.indexOf('=')
    flags.push(equals < 0 ? { name: word, value: null } : { name: word.slice(0, equals), value: word.slice(equals + 1) })
  }
  return { flags, rest }
}

const heredocPattern = /^\d*<<(-?)(?:(["'])(.+?)\2|([A-Za-z_][\w.-]*))(?=$|[;&|)>])/

interface HeredocWord {
  word: string
  name: string
  strip: boolean
  expand: boolean
}

/** The words of a line that begin a here-document: words of the shell, so nothing inside quotes. */
function heredocWords(text: string, escapeChar = '\\'): HeredocWord[] {
  if (!text.includes('<<')) return []
  return splitWords(text, escapeChar).flatMap((word) => {
    const [, dash, quote, quoted, plain] = heredocPattern.exec(word) ?? []
    const name = quoted ?? plain
    return name === undefined ? [] : [{ word, name, strip: dash === '-', expand: quote === undefined }]
  })
}

function readHeredocs(
  header: string,
  lines: string[],
  below: number,
  { line, escapeChar }: { line: number; escapeChar: string },
): { heredocs: Heredoc[]; used: number } {
  const heredocs: Heredoc[] = []
  let at = below
  for (const { name, strip, expand } of heredocWords(header, escapeChar)) {
    const content: string[] = []
    for (;;) {
      const text = lines[at]
      if (text === undefined) throw parseError(line, `unterminated heredoc ${name.slice(0, 80)}`)
      at++
      const shown = strip ? text.replace(/^\t+/, '') : text
      if (shown === name) break
      content.push(shown)
    }
    heredocs.push({ name, content: content.map((text) => `${text}\n`).join(''), expand })
  }
  return { heredocs, used: at - below }
}

/** Takes the here-document words off a COPY or ADD line: its remaining words. */
export function withoutHeredocs(rest: string): string {
  return heredocWords(rest)
    .reduce((text, { word }) => text.replace(word, () => ''), rest)
    .trim()
}
