import { EngineError } from '../errors.ts'

type Token = '*' | ((character: string) => boolean)

/**
 * Shell patterns as Go's `path.Match` reads them: `*` and `?` stop at a slash, `[a-z]`, `[^a]`, `\x`. In time pattern × text, whatever the pattern.
 * @throws invalid_argument
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const segments = pattern.slice(0, 1024).split('/').map(tokens)
  return (text) => {
    const parts = text.split('/')
    return parts.length === segments.length && segments.every((segment, at) => matches(segment, parts[at] as string))
  }
}

function tokens(segment: string): Token[] {
  const list: Token[] = []
  for (let at = 0; at < segment.length; at++) {
    const character = segment[at] as string
    if (character === '*') list.push('*')
    else if (character === '?') list.push(() => true)
    else if (character === '[') {
      const end = segment.indexOf(']', at + 2)
      if (end < 0) throw new EngineError('invalid_argument', `"${segment.slice(0, 80)}" is not a pattern: "[" is not closed`)
      list.push(characterClass(segment.slice(at + 1, end)))
      at = end
    } else {
      const literal = character === '\\' && at + 1 < segment.length ? (segment[++at] as string) : character
      list.push((other) => other === literal)
    }
  }
  return list
}

function characterClass(text: string): (character: string) => boolean {
  const negated = text.startsWith('^') || text.startsWith('!')
  const ranges = [...(negated ? text.slice(1) : text).matchAll(/(.)-(.)|(.)/gs)].map(
    ([, from, to, one]) => [from ?? one, to ?? one] as [string, string],
  )
  return (character) => ranges.some(([from, to]) => character >= from && character <= to) !== negated
}

/** Goes back to the last star only: enough for wildcards, and never exponential. */
function matches(pattern: Token[], text: string): boolean {
  let p = 0
  let star = -1
  let resume = 0
  for (let t = 0; t < text.length; ) {
    const token = pattern[p]
    if (token === '*') {
      star = p++
      resume = t
    } else if (token?.(text[t] as string)) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resume
    } else return false
  }
  return pattern.slice(p).every((token) => token === '*')
}
