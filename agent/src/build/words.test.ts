import { describe, expect, it } from 'vitest'
import { expandWord, expandWords, jsonWords, splitWords } from './words.ts'

const values: Record<string, string> = { A: 'a', B: 'two words', EMPTY: '', P: 'dir/file.tar.gz' }
const lookup = (name: string) => values[name]

describe('expandWord', () => {
  it.each([
    ['$A', 'a'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Dockerfile variables, not JavaScript's
    ['x${A}y', 'xay'],
    ["'$A'", '$A'],
    ['"$A b"', 'a b'],
    ['\\$A', '$A'],
    ['"\\$A \\" \\n"', '$A " \\n'],
    ['$NONE', ''],
    ['a$', 'a$'],
    ['$1', ''],
    ['\\', ''],
  ])('%s', (text, expected) => {
    expect(expandWord(text, lookup)).toBe(expected)
  })

  it.each([
    ['NONE:-def', 'def'],
    ['EMPTY:-def', 'def'],
    ['EMPTY-def', ''],
    ['NONE:-$A', 'a'],
    ['NONE:-x{y\\}', 'x{y}'],
    ['A:+set', 'set'],
    ['NONE:+set', ''],
    ['EMPTY+set', 'set'],
    ['P#*/', 'file.tar.gz'],
    ['P%.*', 'dir/file.tar'],
    ['P%%.*', 'dir/file'],
    ['P/file/name', 'dir/name.tar.gz'],
    ['P//r/R', 'diR/file.taR.gz'],
  ])('braces: %s', (inner, expected) => {
    expect(expandWord(`\${${inner.replace('{y\\}', '{y}')}}`, lookup)).toBe(expected)
  })

  it('opens a brace only behind a $ that stands for itself', () => {
    expect(expandWord('$' + '{NONE:-\\$' + '{A}:}', lookup)).toBe('$' + '{A:}')
    expect(expandWord('$' + '{NONE:-$' + '{A}:}', lookup)).toBe('a:')
  })

  it('says what is wrong', () => {
    expect(() => expandWord('"open', lookup)).toThrow('matching double-quote')
    expect(() => expandWord("'open", lookup)).toThrow('matching single-quote')
    expect(() => expandWord('$' + '{A', lookup)).toThrow('missing "}"')
    expect(() => expandWord('$' + '{NONE:?must be set}', lookup)).toThrow('NONE: must be set')
    expect(() => expandWord('$' + '{A!}', lookup)).toThrow('unsupported modifier')
  })
})

describe('words', () => {
  it('are split outside quotes, values too', () => {
    expect(expandWords('a "b c" $B "$B" d\\ e', lookup)).toEqual(['a', 'b c', 'two', 'words', 'two words', 'd e'])
    expect(expandWords('"" x', lookup)).toEqual(['', 'x'])
  })

  it('keep their quotes when asked to', () => {
    expect(splitWords(`a=1 b="x y" c='p q' d=e\\ f`)).toEqual(['a=1', 'b="x y"', "c='p q'", 'd=e\\ f'])
  })

  it('are JSON only if they are strings in an array', () => {
    expect(jsonWords('["a", "b c"]')).toEqual(['a', 'b c'])
    expect(jsonWords("['a']")).toBeNull()
    expect(jsonWords('["a", 1]')).toBeNull()
  })
})
