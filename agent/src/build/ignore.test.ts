import { describe, expect, it } from 'vitest'
import { parseIgnore } from './ignore.ts'

const ignored = (rules: string, ...paths: string[]) => {
  const parsed = parseIgnore(rules)
  return paths.filter((path) => parsed.ignores(path))
}

describe('.dockerignore', () => {
  it.each([
    ['dir', ['dir', 'dir/x', 'other/dir'], ['dir', 'dir/x']],
    ['*.log', ['a.log', 'd/a.log'], ['a.log']],
    ['**/*.log', ['a.log', 'd/e/a.log', 'a.txt'], ['a.log', 'd/e/a.log']],
    ['d/**', ['d', 'd/x', 'd/y/z'], ['d/x', 'd/y/z']],
    ['*\n!keep', ['keep', 'keep/x', 'gone'], ['gone']],
    ['a\n!a/b\na/b/c', ['a', 'a/x', 'a/b', 'a/b/c', 'a/b/d'], ['a', 'a/x', 'a/b/c']],
    ['file?', ['file1', 'file', 'file12'], ['file1']],
    ['[ab]x', ['ax', 'bx', 'cx'], ['ax', 'bx']],
    ['# comment\n\n  \n/rooted/', ['rooted', '# comment'], ['rooted']],
    ['a\\*b', ['a*b', 'axb'], ['a*b']],
    ['./x/../y', ['y', 'x'], ['y']],
    ['a+(b)', ['a+(b)', 'aab'], ['a+(b)']],
  ])('%j', (rules, paths, expected) => {
    expect(ignored(rules, ...paths)).toEqual(expected)
  })

  it('refuses a pattern that never ends', () => {
    expect(() => parseIgnore('[a')).toThrow('syntax error in pattern')
  })

  it('is quick on a pattern made to be slow', () => {
    expect(ignored(`${'**/'.repeat(12)}x`, `${'a/'.repeat(60)}y`)).toEqual([])
  })
})
