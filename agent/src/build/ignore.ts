/** `.dockerignore`: which paths of a context are left out. PURE. The rules are moby's patternmatcher: last match wins, `!` takes back, `**` any depth. */
import { EngineError } from '../errors.ts'

export interface IgnoreRules {
  /** Whether a path (relative, no slash at either end) is left out. */
  ignores(path: string): boolean
  /** Whether something below an ignored directory may be taken back by a `!` rule. */
  mayKeepBelow(directory: string): boolean
}

interface Rule {
  negated: boolean
  expression: PathPattern
  text: string
}

export function parseIgnore(text: string): IgnoreRules {
  const rules = text.split(/\r?\n/).flatMap((line) => readRule(line) ?? [])
  const negated = rules.filter((rule) => rule.negated)
  return {
    ignores(path) {
      let ignored = false
      for (const rule of rules) if (rule.negated === ignored && matches(rule, path)) ignored = !rule.negated
      return ignored
    },
    // A wildcard may match anywhere below; a plain text only below itself.
    mayKeepBelow: (directory) => negated.some(({ text }) => /[*?[]/.test(text) || text.startsWith(`${directory}/`)),
  }
}

function readRule(line: string): Rule | null {
  const trimmed = line.replace(/^\ufeff/, '').trim()
  if (trimmed === '' || line.startsWith('#')) return null
  const negated = trimmed.startsWith('!')
  const text = clean(negated ? trimmed.slice(1).trim() : trimmed)
  if (text === '' || text === '.') {
    if (negated && text === '') throw new EngineError('invalid_argument', 'illegal exclusion pattern: "!"')
    return null
  }
  return { negated, text, expression: pathPattern(text) }
}

/** Go's filepath.Clean, and no slash at the front. */
function clean(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** The path itself or one of its parents. */
function matches({ expression }: Rule, path: string): boolean {
  for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) if (expression.test(path.slice(0, at))) return true
  return false
}

/** One piece of a pattern. */
type Token =
  | { kind: 'char'; char: string }
  | { kind: 'any' | 'star' | 'globstar' | 'directories' }
  | { kind: 'class'; negated: boolean; ranges: [string, string][] }

/** A compiled pattern. Matching costs pattern × text at most, whatever the pattern: it comes with the context, and that is hostile. */
export interface PathPattern {
  test(text: string): boolean
}

/** Go's filepath.Match with `**`. @throws invalid_argument for a broken pattern */
export function pathPattern(pattern: string): PathPattern {
  const tokens = tokenize(pattern)
  return { test: (text) => matchTokens(tokens, text) }
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string
    if (char === '*' && pattern[at + 1] === '*') {
      at++
      if (pattern[at + 1] === '/' && at + 2 < pattern.length) {
        at++
        tokens.push({ kind: 'directories' })
      } else tokens.push({ kind: 'globstar' })
    } else if (char === '*') tokens.push({ kind: 'star' })
    else if (char === '?') tokens.push({ kind: 'any' })
    else if (char === '[') {
      const { token, end } = readClass(pattern, at)
      tokens.push(token)
      at = end
    } else if (char === '\\' && at + 1 < pattern.length) {
      at++
      tokens.push({ kind: 'char', char: pattern[at] as string })
    } else tokens.push({ kind: 'char', char })
  }
  return tokens
}

function readClass(pattern: string, start: number): { token: Token; end: number } {
  const ranges: [string, string][] = []
  let at = start + 1
  const negated = pattern[at] === '^'
  if (negated) at++
  const next = (): string => {
    if (pattern[at] === '\\') at++
    const char = pattern[at++]
    if (char === undefined) throw new EngineError('invalid_argument', `syntax error in pattern "${pattern.slice(0, 100)}"`)
    return char
  }
  do {
    const from = next()
    let to = from
    if (pattern[at] === '-' && pattern[at + 1] !== ']') {
      at++
      to = next()
    }
    ranges.push([from, to])
  } while (pattern[at] !== ']')
  return { token: { kind: 'class', negated, ranges }, end: at }
}

function accepts(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char
  if (char === '/') return false
  if (token.kind === 'any') return true
  return token.kind === 'class' && token.ranges.some(([from, to]) => char >= from && char <= to) !== token.negated
}

/** Follows all ways through the pattern at once: `reached[i]` says that the tokens so far can take the first i characters. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let reached = new Uint8Array(text.length + 1)
  reached[0] = 1
  for (const token of tokens) {
    const next = new Uint8Array(text.length + 1)
    let open = false
    for (let at = 0; at <= text.length; at++) {
      const before = at > 0 ? (text[at - 1] as string) : ''
      if (token.kind === 'star') next[at] = reached[at] || (at > 0 && next[at - 1] && before !== '/') ? 1 : 0
      else if (token.kind === 'globstar') next[at] = reached[at] || (at > 0 && next[at - 1]) ? 1 : 0
      else if (token.kind === 'directories') {
        next[at] = reached[at] || (open && before === '/') ? 1 : 0
        open ||= reached[at] === 1
      } else if (at > 0 && reached[at - 1] && accepts(token, before)) next[at] = 1
    }
    reached = next
  }
  return reached[text.length] === 1
}
