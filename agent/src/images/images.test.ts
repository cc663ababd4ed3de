import { describe, expect, it } from 'vitest'
import { emptyImageConfig } from '../oci/image-config.ts'
import { applyChanges } from './changes.ts'
import { globMatcher } from './glob.ts'
import { untilTime } from './listing.ts'
import { eachLimited, PartProgress } from './progress.ts'

describe('globMatcher', () => {
  it.each([
    ['redis', 'redis', true],
    ['re*', 'redis:7', true],
    ['*/app', 'team/app', true],
    ['*', 'team/app', false],
    ['r?dis', 'redis', true],
    ['[a-f]*', 'gamma', false],
    ['[^a-f]*', 'gamma', true],
    ['a*b*c', 'aXbYbZc', true],
    ['\\*', '*', true],
    ['', '', true],
  ])('%s against %s', (pattern, text, expected) => {
    expect(globMatcher(pattern)(text)).toBe(expected)
  })

  it('stays quick on a pattern made to be slow', () => {
    expect(globMatcher(`${'a*'.repeat(400)}b`)('a'.repeat(20_000))).toBe(false)
  })

  it('refuses an open class', () => {
    expect(() => globMatcher('[ab')).toThrow('not closed')
  })
})

describe('applyChanges', () => {
  const apply = (...lines: string[]) => applyChanges(emptyImageConfig(), lines)

  it('takes each instruction', () => {
    expect(apply('CMD echo hi').cmd).toEqual(['/bin/sh', '-c', 'echo hi'])
    expect(apply('entrypoint ["a","b"]').entrypoint).toEqual(['a', 'b'])
    expect(apply('CMD []').cmd).toBeNull()
    expect(apply('ENV A=1', "ENV A=2 B='x y'", 'ENV OLD some words').env).toEqual(['A=2', 'B=x y', 'OLD=some words'])
    expect(apply('EXPOSE 80 90-91/udp').exposedPorts).toEqual(['80/tcp', '90/udp', '91/udp'])
    expect(apply('VOLUME /a /b', 'VOLUME ["/b","/c d"]').volumes).toEqual(['/a', '/b', '/c d'])
    expect(apply('WORKDIR /a', 'WORKDIR b').workingDir).toBe('/a/b')
    expect(apply('LABEL a="1 2" b=3').labels).toEqual({ a: '1 2', b: '3' })
    expect(apply('HEALTHCHECK --interval=5s --retries=2 CMD ["x"]').healthcheck).toEqual({
      test: ['CMD', 'x'],
      intervalMs: 5000,
      retries: 2,
    })
    expect(apply('HEALTHCHECK NONE').healthcheck).toEqual({ test: ['NONE'] })
    expect(apply('STOPSIGNAL SIGINT', 'USER a:b', 'ONBUILD RUN x')).toMatchObject({ stopSignal: 'SIGINT', user: 'a:b', onBuild: ['RUN x'] })
  })

  it.each(['RUN x', 'CMD', '', 'EXPOSE 0', 'EXPOSE 99999', 'EXPOSE x', 'ENV A=1 =2', 'HEALTHCHECK x', 'USER a\0'])(
    'refuses "%s"',
    (line) => {
      expect(() => apply(line)).toThrow()
    },
  )
})

describe('progress', () => {
  it('is thinned, but a new word is always shown', () => {
    const lines: (string | undefined)[] = []
    const progress = new PartProgress({ progress: (line) => lines.push(`${line.status} ${line.currentBytes}`) }, 'x')
    for (let at = 1; at <= 100; at++) progress.show('Downloading', at, 100)
    progress.show('Pull complete')
    expect(lines).toEqual(['Downloading 1', 'Downloading 100', 'Pull complete undefined'])
  })

  it('runs a few at once and stops at the first failure', async () => {
    let running = 0
    let most = 0
    const begun: number[] = []
    const work = eachLimited([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running -= 1
      if (item === 3) throw new Error('third')
    })
    await expect(work).rejects.toThrow('third')
    expect([most, running, begun.includes(6)]).toEqual([2, 0, false])
  })
})

it('reads until as a duration, a date and seconds', () => {
  expect(untilTime('1h30m', 10_000_000)).toBe(10_000_000 - 5_400_000)
  expect(untilTime('2026-01-01')).toBe(Date.parse('2026-01-01'))
  expect(untilTime('1700000000')).toBe(1_700_000_000_000)
  expect(() => untilTime('long ago')).toThrow('is not a time')
})
