import { describe, expect, it } from 'vitest'
import { parseDockerfile, parseTrigger, withoutHeredocs } from './dockerfile.ts'

const parse = (text: string) => parseDockerfile(text).instructions
const rests = (text: string) => parse(text).map(({ keyword, rest }) => `${keyword} ${rest}`)

describe('lines', () => {
  it('warns of empty lines within an instruction, not of comments there', () => {
    expect(parseDockerfile('FROM a\nRUN b \\\n# c\n  d\n').warnings).toEqual([])
    expect(parseDockerfile('FROM a\nRUN b \\\n\n  d\n').warnings).toEqual([
      '[WARNING]: Empty continuation line found in:\n    RUN b   d',
      '[WARNING]: Empty continuation lines will become errors in a future release.',
    ])
  })

  it('are joined at the escape character, comments and empty lines in between left out', () => {
    const text = 'FROM a\nRUN one && \\\n  # a comment\n  two && \\\n\n  three\n# end\ncmd x'
    expect(rests(text)).toEqual(['FROM a', 'RUN one &&   two &&   three', 'CMD x'])
  })

  it('obey the escape directive and Windows line ends', () => {
    expect(rests('# escape=`\r\nFROM a\r\nRUN dir c:\\ `\r\n  more\r\n')).toEqual(['FROM a', 'RUN dir c:\\   more'])
  })

  it('do not go on behind an escaped escape character', () => {
    expect(rests('FROM a\nENV A=b\\\\\nRUN x')).toEqual(['FROM a', 'ENV A=b\\\\', 'RUN x'])
  })

  it('keep a # that is not at the beginning', () => {
    expect(rests('FROM a\nRUN echo # no comment')).toEqual(['FROM a', 'RUN echo # no comment'])
  })

  it('are counted from 1 for messages', () => {
    expect(() => parse('FROM a\n\nFOO bar')).toThrow('dockerfile parse error line 3: unknown instruction: FOO')
    expect(() => parse('FROM a\nUSER')).toThrow('dockerfile parse error line 2: USER requires exactly one argument')
    expect(() => parse('FROM a\nCOPY')).toThrow(
      'dockerfile parse error line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
    )
    expect(() => parse('FROM a\nENV')).toThrow('dockerfile parse error line 2: ENV requires at least one argument')
    expect(() => parse('# only\n\n')).toThrow('the Dockerfile (Dockerfile) cannot be empty')
  })
})

describe('flags', () => {
  it('are taken off the front only', () => {
    const [, run] = parse('FROM a\nRUN --mount=type=cache,target=/c --network=none ls --all')
    expect(run).toMatchObject({
      flags: [
        { name: 'mount', value: 'type=cache,target=/c' },
        { name: 'network', value: 'none' },
      ],
      rest: 'ls --all',
    })
  })
})

describe('here-documents', () => {
  it('are read with their name, tabs stripped on demand, quoted ones not expanded', () => {
    const [, copy] = parse('FROM a\nCOPY <<-"A" <<B /dest/\n\ttabbed $X\nA\ntwo\nB\nRUN x')
    expect(copy?.heredocs).toEqual([
      { name: 'A', content: 'tabbed $X\n', expand: false },
      { name: 'B', content: 'two\n', expand: true },
    ])
    expect(withoutHeredocs(copy?.rest ?? '')).toBe('/dest/')
    expect(parse('FROM a\nCOPY <<-"A" <<B /dest/\n\ttabbed $X\nA\ntwo\nB\nRUN x').map(({ keyword }) => keyword)).toEqual([
      'FROM',
      'COPY',
      'RUN',
    ])
  })

  it('may have a name in quotes, and belong to a trigger', () => {
    expect(parse('FROM a\nCOPY <<"E F" /x\nz\nE F\nRUN y').map(({ keyword }) => keyword)).toEqual(['FROM', 'COPY', 'RUN'])
    const [, trigger, next] = parse('FROM a\nONBUILD RUN <<EOF\necho 1\nEOF\nRUN y')
    expect(parseTrigger(trigger?.rest ?? '').heredocs).toEqual([{ name: 'EOF', content: 'echo 1\n', expand: true }])
    expect(next?.rest).toBe('y')
  })

  it('must end', () => {
    expect(() => parse('FROM a\nRUN <<EOF\necho\n')).toThrow(/line 2: unterminated heredoc EOF/)
  })

  it('are not seen where there are none', () => {
    expect(parse('FROM a\nRUN echo $((1 << 2)) && cat <<< word')[1]?.heredocs).toEqual([])
    expect(parse('FROM a\nENV X="<<EOF"')[1]?.heredocs).toEqual([])
    // Inside quotes they are the shell's own, and what follows is not theirs.
    expect(rests(`FROM a\nRUN sh -c 'cat <<EOF'\nRUN echo "b <<EOF"\nRUN c`)).toEqual([
      'FROM a',
      "RUN sh -c 'cat <<EOF'",
      'RUN echo "b <<EOF"',
      'RUN c',
    ])
  })
})

it('takes many lines', () => {
  expect(parse(`FROM a\n${'RUN x \\\n  y\n'.repeat(100_000)}`)).toHaveLength(100_001)
})

it('refuses what is no text', () => {
  expect(() => parse('FROM a\0b')).toThrow('NUL')
})
