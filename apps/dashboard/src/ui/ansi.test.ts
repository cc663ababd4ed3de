import { describe, expect, it } from 'vitest'
import { readAnsi, stripAnsi } from './ansi'

const short = (text: string) =>
  readAnsi(text).map(({ text: words, ...look }) => [
    words,
    ...Object.entries(look).flatMap(([key, value]) => (value === null || value === false ? [] : [`${key}:${value}`])),
  ])

describe('readAnsi', () => {
  it('cuts at colours and drops the other sequences', () => {
    expect(short('\u001b[31;1mred\u001b[0m plain\u001b[2K\u001b]0;title\u0007!')).toEqual([
      ['red', 'color:1', 'bold:true'],
      [' plain'],
      ['!'],
    ])
    expect(short('\u001b[?25l\u001b(Bx\u001bPdcs\u001b\\y')).toEqual([['x'], ['y']])
  })

  it('reads 256 colours, true colours and grounds, and takes no number of theirs for another code', () => {
    expect(short('\u001b[38;5;208mo\u001b[38;5;1mr\u001b[38;5;255mw')).toEqual([
      ['o', 'color:#ff8700'],
      ['r', 'color:1'],
      ['w', 'color:#eeeeee'],
    ])
    expect(short('\u001b[38;2;1;4;255mt\u001b[49;39;3mi')).toEqual([
      ['t', 'color:#0104ff'],
      ['i', 'italic:true'],
    ])
    expect(short('\u001b[41;97m ERROR \u001b[m no')).toEqual([[' ERROR ', 'color:15', 'ground:1'], [' no']])
    expect(short('\u001b[7minverse')).toEqual([['inverse', 'color:0', 'ground:7']])
  })

  it('shows what would turn or hide text, and no carriage return of a terminal at the end', () => {
    expect(stripAnsi('a\u202eb\r')).toBe('a⟨U+202E⟩b')
    expect(stripAnsi('50%\r100%')).toBe('50%␍100%')
    expect(stripAnsi('cut \u001b]0;never closed')).toBe('cut ')
  })
})
