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
  expression: RegExp
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
  return { negated, text, expression: patternExpression(text) }
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

/** Go's filepath.Match with `**`. @throws invalid_argument for a broken pattern */
export function patternExpression(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string
    if (char === '*' && pattern[at + 1] === '*') {
      at++
      if (pattern[at + 1] === '/') at++
      source += at + 1 >= pattern.length ? '.*' : '(?:.*/)?'
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2)
      if (end < 0) throw new EngineError('invalid_argument', `syntax error in pattern "${pattern.slice(0, 100)}"`)
      source += `[${pattern
        .slice(at + 1, end)
        .replace(/\\(?!.)/g, '')
        .replace(/[[\]]/g, '\\$&')}]`
      at = end
    } else if (char === '\\' && at + 1 < pattern.length) {
      at++
      source += (pattern[at] as string).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    } else source += char.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  }
  try {
    return new RegExp(`^${source}$`, 's')
  } catch (error) {
    throw new EngineError('invalid_argument', `syntax error in pattern "${pattern.slice(0, 100)}"`, { cause: error })
  }
}
