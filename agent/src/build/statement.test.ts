import { describe, expect, it } from 'vitest'
import { type ConfigState, changeConfig, emptyConfig, resolveWorkdir } from './config-change.ts'
import { parseDockerfile } from './dockerfile.ts'
import { understand } from './statement.ts'

const values: Record<string, string> = { V: 'val' }
const read = (text: string) => {
  const { instructions } = parseDockerfile(`FROM x\n${text}`)
  return understand(instructions[1] as (typeof instructions)[0], (name) => values[name], '\\')
}
const apply = (...lines: string[]) => {
  const begin: ConfigState = { config: { ...emptyConfig, cmd: ['inherited'] }, author: '', cmdSet: false }
  return lines.reduce((state, line) => changeConfig(state, read(line)), begin).config
}

describe('statements', () => {
  const understood: [string, Record<string, unknown>][] = [
    [
      'ENV A=$V B="x y"',
      {
        pairs: [
          ['A', 'val'],
          ['B', 'x y'],
        ],
      },
    ],
    ['ENV OLD the $V  way', { pairs: [['OLD', 'the val  way']] }],
    [
      'ARG A B=$V',
      {
        args: [
          { name: 'A', value: null },
          { name: 'B', value: 'val' },
        ],
      },
    ],
    ['EXPOSE 80 53/udp 1-2', { ports: ['80/tcp', '53/udp', '1/tcp', '2/tcp'] }],
    ['VOLUME ["/a b", "/$V"]', { paths: ['/a b', '/val'] }],
    ['CMD echo $V', { command: { shell: 'echo $V' } }],
    [
      'HEALTHCHECK --interval=1m30s --retries=2 CMD curl x',
      { healthcheck: { test: ['CMD-SHELL', 'curl x'], intervalMs: 90000, retries: 2 } },
    ],
    ['HEALTHCHECK NONE', { healthcheck: { test: ['NONE'] } }],
    ['COPY --from=a --chown=$V --chmod=644 x y /d/', { from: 'a', chown: 'val', chmod: 0o644, sources: ['x', 'y'], target: '/d/' }],
    ['COPY ["a b", "c d"]', { sources: ['a b'], target: 'c d' }],
    [
      'RUN --mount=type=secret,id=k --mount=target=/m,rw ls',
      {
        mounts: [
          { type: 'secret', target: '/run/secrets/k', id: 'k' },
          { type: 'bind', readOnly: false },
        ],
      },
    ],
  ]
  it.each(understood)('%s', (text, expected) => {
    expect(read(text)).toMatchObject(expected)
  })

  it.each([
    ['COPY a b /c', 'must be a directory and end with a /'],
    ['COPY --chmod=999 a b', 'invalid chmod parameter'],
    ['ADD --parents a b', 'unknown flag: --parents'],
    ['COPY --parents=maybe a b', 'is neither true nor false'],
    ['EXPOSE 99999', 'invalid containerPort'],
    ['SHELL sh', 'JSON form'],
    ['HEALTHCHECK FOO x', 'Unknown type "FOO"'],
    ['HEALTHCHECK --interval=fast CMD x', 'time: invalid duration "fast"'],
    ['SHELL []', 'SHELL requires at least one argument'],
    ['VOLUME []', 'VOLUME requires at least one argument'],
    ['ENV A="b', 'failed to process "\\"b": unexpected end of statement while looking for matching double-quote'],
    ['ONBUILD ONBUILD RUN x', 'Chaining ONBUILD'],
    ['ONBUILD FROM x', "FROM isn't allowed"],
    ['RUN --mount=type=gpg x', 'unsupported mount type'],
    ['STOPSIGNAL SIGNOPE', 'Invalid signal: SIGNOPE'],
    ['ARG =x', 'ARG names can not be blank'],
    ['ADD --checksum=md5:1 http://x/y /z', 'is not sha256:'],
    ['RUN --mount=type=cache,target=/x,foo=1 x', "unexpected key 'foo'"],
    ['RUN --security=insecure x', 'not allowed'],
    ['USER a b', 'exactly one argument'],
    ['ENV =x', 'can not be blank'],
  ])('refuses %s', (text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})

describe('configuration', () => {
  it('is changed as Docker does', () => {
    expect(apply('ENV A=1', 'ENV A=2 B=3').env).toContain('A=2')
    expect(apply('ENTRYPOINT ["e"]')).toMatchObject({ entrypoint: ['e'], cmd: null })
    expect(apply('CMD c', 'ENTRYPOINT ["e"]').cmd).toEqual(['/bin/sh', '-c', 'c'])
    expect(apply('SHELL ["/bin/bash", "-c"]', 'CMD c').cmd).toEqual(['/bin/bash', '-c', 'c'])
    expect(apply('WORKDIR /a', 'WORKDIR b', 'WORKDIR ../c').workingDir).toBe('/a/c')
    expect(apply('EXPOSE 80', 'EXPOSE 80 81').exposedPorts).toEqual(['80/tcp', '81/tcp'])
  })

  it('never leaves the root', () => {
    expect(resolveWorkdir('/a', '../../../x')).toBe('/x')
  })
})
