/**
 * The text of a Dockerfile → its instructions, nothing interpreted yet. PURE. dockerfile-ast finds directives, instructions and here-documents;
 * joining continued lines, flags and errors follow Docker's own reader.
 */
import { DockerfileParser, type Instruction as ParsedInstruction } from 'dockerfile-ast'
import { EngineError } from '../errors.ts'

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
}

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
)
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
  const parsed = DockerfileParser.parse(clean)
  const escapeChar = parsed.getEscapeCharacter()
  const lines = clean.split('\n')
  const instructions = parsed.getInstructions().map((instruction) => toInstruction(instruction, lines, escapeChar))
  if (instructions.length === 0) throw new EngineError('invalid_argument', `the Dockerfile (${name}) cannot be empty`)
  return { instructions, escapeChar }
}

/** One instruction from a single text, for ONBUILD triggers. */
export function parseTrigger(text: string): Instruction {
  const [instruction, ...others] = parseDockerfile(text, 'ONBUILD').instructions
  if (!instruction || others.length > 0) throw new EngineError('invalid_argument', `"${text.slice(0, 100)}" is not one instruction`)
  return instruction
}

function toInstruction(parsed: ParsedInstruction, lines: string[], escapeChar: string): Instruction {
  const { start, end } = parsed.getRange()
  const keyword = parsed.getKeyword()
  const line = start.line + 1
  if (!keywords.has(keyword)) throw parseError(line, `unknown instruction: ${parsed.getInstruction().slice(0, 80)}`)
  const raw = lines.slice(start.line, end.line + 1)
  const { text: header, used } = joinLines(raw, escapeChar)
  const original = header.trim()
  const afterKeyword = original.slice(keyword.length).trim()
  const { flags, rest } = takeFlags(keyword, afterKeyword)
  const heredocs = heredocKeywords.has(keyword) ? readHeredocs(rest, raw.slice(used), line) : []
  if (rest === '' && heredocs.length === 0) throw parseError(line, `${keyword} requires at least one argument`)
  return { keyword, flags, rest, heredocs, line, original }
}

/** Joins lines that end in the escape character; comment lines and empty lines between them do not count. */
function joinLines(lines: string[], escapeChar: string): { text: string; used: number } {
  let text = ''
  let used = 0
  for (const [at, line] of lines.entries()) {
    used = at + 1
    if (at > 0 && /^\s*(#|$)/.test(line)) continue
    const continued = line.trimEnd().endsWith(escapeChar)
    text += continued ? line.trimEnd().slice(0, -1) : line
    if (!continued) break
  }
  return { text, used }
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

const heredocPattern = /(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][\w.-]*)\2(?=\s|$|[;&|)>])/g

function readHeredocs(header: string, body: string[], line: number): Heredoc[] {
  const heredocs: Heredoc[] = []
  let at = 0
  for (const [, dash, quote, name = ''] of header.matchAll(heredocPattern)) {
    const strip = dash === '-'
    const content: string[] = []
    for (;;) {
      const text = body[at]
      if (text === undefined) throw parseError(line, `unterminated heredoc ${name}`)
      at++
      const shown = strip ? text.replace(/^\t+/, '') : text
      if (shown === name) break
      content.push(shown)
    }
    heredocs.push({ name, content: content.map((text) => `${text}\n`).join(''), expand: quote === '' })
  }
  return heredocs
}

/** Takes the here-document words off a COPY or ADD line: its remaining words. */
export function withoutHeredocs(rest: string): string {
  return rest.replace(heredocPattern, ' ').trim()
}
