import { describe, expect, it } from 'vitest'
import { parseDockerfile } from './dockerfile.ts'
import { planStages } from './stage-plan.ts'

const plan = (text: string, target = '', buildArgs: Record<string, string | null> = {}) =>
  planStages(parseDockerfile(text), { target, buildArgs, platformArgs: { TARGETARCH: 'amd64' } })

describe('stages', () => {
  const text = `ARG V=1
FROM base:$V AS one
FROM two-base AS two
RUN x
FROM one AS three
COPY --from=two /a /b
RUN --mount=type=bind,from=one,target=/m y
FROM unused`

  it('are those that the target needs', () => {
    const { stages, target } = plan(text, 'three')
    expect(stages.map(({ name, base, needs }) => [name, base, needs])).toEqual([
      ['one', 'base:1', []],
      ['two', 'two-base', []],
      ['three', 'one', [0, 1]],
    ])
    expect(target.name).toBe('three')
    expect(plan(text).stages.map(({ base }) => base)).toEqual(['unused'])
    expect(() => plan(text, '1')).toThrow('failed to reach build target 1 in Dockerfile')
  })

  it('take build arguments in FROM', () => {
    expect(plan('ARG V=1\nFROM a:$V', '', { V: '2' }).target.base).toBe('a:2')
    expect(plan('FROM a:$TARGETARCH').target.base).toBe('a:amd64')
  })

  it('are checked before the first step is done, as far as no variable is needed', () => {
    expect(() => plan('FROM a\nRUN x\nCOPY y')).toThrow('dockerfile parse error line 3: COPY requires at least two arguments')
    expect(() => plan('FROM a\nEXPOSE $P\nFROM a\nLABEL x')).toThrow('dockerfile parse error line 4: LABEL must have two arguments')
  })

  it('say what is wrong', () => {
    expect(() => plan('RUN x')).toThrow('no build stage in current context')
    expect(() => plan('FROM a', 'nope')).toThrow('failed to reach build target nope in Dockerfile')
    expect(() => plan('FROM a b')).toThrow('FROM requires either one argument, or three')
    expect(() => plan('FROM $EMPTY')).toThrow('should not be blank')
    expect(() => plan('FROM a AS 1x')).toThrow("name can't start with a number")
    expect(() => plan('FROM --wrong=1 a')).toThrow('unknown flag: --wrong')
  })
})
