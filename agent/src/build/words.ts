/** Words and variables of Dockerfile instructions: quotes, escapes, `$name`, `${name:-word}` and its kin, as Docker's own lexer has them. PURE. */
import { EngineError } from '../errors.ts'

export type Lookup = (name: string) => string | undefined

/** Quotes are taken off and variables replaced; the result is one word. @throws invalid_argument */
export function expandWord(text: string, lookup: Lookup, escapeChar = '\\'): string {
  return new Lexer(text, lookup, escapeChar).all().word
}

/** The same, split at white space outside quotes; a variable's value is split too unless quoted. */
export function expandWords(text: string, lookup: Lookup, escapeChar = '\\'): string[] {
  return new Lexer(text, lookup, escapeChar).all().words
}

class Lexer {
  private at = 0
  private readonly words: string[] = []
  private current = ''
  private open = false
  private whole = ''
  constructor(
    private readonly text: string,
    private readonly lookup: Lookup,
    private readonly escapeChar: string,
  ) {}

  all(): { word: string; words: string[] } {
    while (this.at < this.text.length) this.step()
    if (this.open) this.words.push(this.current)
    return { word: this.whole, words: this.words }
  }

  private add(part: string): void {
    this.current += part
    this.whole += part
    this.open = true
  }

  /** Unquoted text: white space ends the word. */
  private addSplitting(part: string): void {
    this.whole += part
    for (const piece of part.split(/(\s+)/)) {
      if (piece === '') continue
      if (/^\s/.test(piece)) {
        if (this.open) this.words.push(this.current)
        this.current = ''
        this.open = false
      } else {
        this.current += piece
        this.open = true
      }
    }
  }

  private step(): void {
    const char = this.text[this.at] as string
    if (char === "'") this.single()
    else if (char === '"') this.double()
    else if (char === '$') this.addSplitting(this.variable())
    else if (char === this.escapeChar) {
      this.at++
      const next = this.text[this.at++]
      if (next !== undefined) this.add(next)
    } else {
      this.at++
      if (/\s/.test(char)) this.addSplitting(char)
      else this.add(char)
    }
  }

  private single(): void {
    const end = this.text.indexOf("'", this.at + 1)
    if (end < 0) throw this.fail('unexpected end of statement while looking for matching single-quote')
    this.add(this.text.slice(this.at + 1, end))
    this.at = end + 1
  }

  private double(): void {
    this.at++
    this.add('')
    for (;;) {
      const char = this.text[this.at]
      if (char === undefined) throw this.fail('unexpected end of statement while looking for matching double-quote')
      if (char === '"') {
        this.at++
        return
      }
      if (char === '$') this.add(this.variable())
      else if (char === this.escapeChar) {
        const next = this.text[this.at + 1]
        this.at += 2
        if (next === '"' || next === '$' || next === this.escapeChar) this.add(next)
        else this.add(char + (next ?? ''))
      } else {
        this.at++
        this.add(char)
      }
    }
  }

  /** At a `$`. */
  private variable(): string {
    const rest = this.text.slice(this.at + 1)
    const plain = /^(?:[A-Za-z_]\w*|[0-9@*#])/.exec(rest)?.[0]
    if (plain) {
      this.at += 1 + plain.length
      return this.lookup(plain) ?? ''
    }
    if (!rest.startsWith('{')) {
      this.at++
      return '$'
    }
    const end = this.closing(this.at + 1)
    const inner = this.text.slice(this.at + 2, end)
    this.at = end + 1
    return this.braced(inner)
  }

  private closing(from: number): number {
    let depth = 0
    let escaped = -1
    for (let at = from; at < this.text.length; at++) {
      const char = this.text[at]
      if (char === this.escapeChar) escaped = ++at
      // A brace opens only behind a `$` that stands for itself.
      else if (char === '{' && (at === from || (this.text[at - 1] === '$' && escaped !== at - 1))) depth++
      else if (char === '}' && --depth === 0) return at
    }
    throw this.fail('syntax error: missing "}"')
  }

  private braced(inner: string): string {
    const [, name, colon, operator, word = ''] = /^([A-Za-z_]\w*|[0-9@*#])(?:(:?)(-|\+|\?)([\s\S]*)|$)/.exec(inner) ?? []
    if (name === undefined) return this.patterned(inner)
    const value = this.lookup(name)
    if (!operator) return value ?? ''
    const present = value !== undefined && !(colon === ':' && value === '')
    const expanded = () => expandWord(word, this.lookup, this.escapeChar)
    if (operator === '-') return present ? (value as string) : expanded()
    if (operator === '+') return present ? expanded() : ''
    if (!present) throw this.fail(`${name}: ${expanded() || 'is not allowed to be unset'}`)
    return value as string
  }

  /** `${name#pattern}`, `##`, `%`, `%%`, `/from/to`, `//from/to`. */
  private patterned(inner: string): string {
    const [, name = '', operator = '', word = ''] = /^([A-Za-z_]\w*)(##|#|%%|%|\/\/|\/)([\s\S]*)$/.exec(inner) ?? []
    if (name === '') throw this.fail(`unsupported modifier (${/:(.?)/s.exec(inner)?.[1] ?? ''}) in substitution`)
    const value = this.lookup(name) ?? ''
    const expanded = expandWord(word, this.lookup, this.escapeChar)
    if (operator.startsWith('/')) {
      const slash = expanded.indexOf('/')
      const [from, to] = slash < 0 ? [expanded, ''] : [expanded.slice(0, slash), expanded.slice(slash + 1)]
      return value.replace(new RegExp(globSource(from, true), operator === '//' ? 'g' : ''), () => to)
    }
    return trimmed(value, expanded, operator)
  }

  private fail(message: string): EngineError {
    return new EngineError('invalid_argument', `failed to process ${JSON.stringify(this.text.slice(0, 200))}: ${message}`)
  }
}

/** Shell pattern as a regular expression's source: `*`, `?`, everything else literal. */
function globSource(pattern: string, greedy: boolean): string {
  return pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, greedy ? '[\\s\\S]*' : '[\\s\\S]*?')
    .replace(/\?/g, '[\\s\\S]')
}

function trimmed(value: string, pattern: string, operator: string): string {
  const whole = new RegExp(`^(?:${globSource(pattern, true)})$`)
  const lengths = Array.from({ length: value.length + 1 }, (_, at) => at)
  if (operator === '#' || operator === '##') {
    const length = (operator === '#' ? lengths : lengths.reverse()).find((at) => whole.test(value.slice(0, at)))
    return length === undefined ? value : value.slice(length)
  }
  const start = (operator === '%%' ? lengths : lengths.reverse()).find((at) => whole.test(value.slice(at)))
  return start === undefined ? value : value.slice(0, start)
}

/** Splits at white space outside quotes and keeps quotes and escapes as they are, for `name=value` lists. */
export function splitWords(text: string, escapeChar = '\\'): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char === escapeChar && quote !== "'") {
      word += char + (text[at + 1] ?? '')
      at++
    } else if (quote !== '') {
      word += char
      if (char === quote) quote = ''
    } else if (/\s/.test(char)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      if (char === '"' || char === "'") quote = char
      word += char
    }
  }
  if (word !== '') words.push(word)
  return words
}

/** `["a", "b"]` as its strings; null when the text is no such list (then it is the shell form). */
export function jsonWords(text: string): string[] | null {
  if (!text.startsWith('[')) return null
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : null
  } catch {
    return null
  }
}
