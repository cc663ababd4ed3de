import { errorCodes } from '@berth/contract/error'
import { describe, expect, it } from 'vitest'
import { parseCreate } from './container-config.ts'
import { statusOf } from './failure.ts'
import { instant, parseFilters } from './filters.ts'
import { DetachFilter, frameHeader, parseDetachKeys } from './hijack.ts'
import { parseBind } from './host-config.ts'
import { humanSize } from './progress.ts'
import { routes, splitVersion } from './server.ts'
import { commandText, goFileMode, humanDuration, statusText, untilStatusMoves } from './words.ts'

describe('versions', () => {
  it('takes the version off the path', () => {
    expect(splitVersion('/v1.41/containers/json')).toEqual({ path: '/containers/json', minor: 41 })
    expect(splitVersion('/containers/json')).toEqual({ path: '/containers/json', minor: 50 })
    expect(splitVersion('/volumes/v1.41')).toEqual({ path: '/volumes/v1.41', minor: 50 })
  })
  it('refuses what it does not speak, in Docker’s words', () => {
    expect(() => splitVersion('/v1.99/info')).toThrow('client version 1.99 is too new. Maximum supported API version is 1.50')
    expect(() => splitVersion('/v1.12/info')).toThrow(
      'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    )
  })
  it('translates every code', () => {
    expect(Object.keys(statusOf).sort()).toEqual([...errorCodes].sort())
  })
  it('routes fixed paths before names', () => {
    const first = (method: string, path: string) =>
      routes.find((route) => (route[0] === method || route[0] === '*') && route[1].test(path))?.[2].name
    expect(first('POST', '/containers/prune')).toBe('prune')
    expect(first('GET', '/images/a/b:c/json')).toBe('inspect')
    expect(first('GET', '/images/json')).toBe('list')
    expect(first('GET', '/images/search')).toBe('search')
    expect(first('GET', '/nodes')).toBe('noSwarm')
  })
})

describe('filters', () => {
  it('reads lists and the maps of old clients', () => {
    expect(parseFilters('{"status":["running"]}', ['status'])).toEqual({ status: ['running'] })
    expect(parseFilters('{"status":{"running":true,"paused":false}}', ['status'])).toEqual({ status: ['running'] })
    expect(parseFilters(null, [])).toEqual({})
  })
  it('refuses unknown names and broken JSON', () => {
    expect(() => parseFilters('{"x":["1"]}', ['status'])).toThrow("Invalid filter 'x'")
    expect(() => parseFilters('{', [])).toThrow('invalid filter')
    expect(() => parseFilters('[]', [])).toThrow('invalid filter')
  })
  it('reads moments with nanoseconds', () => {
    expect(instant('1700000000.000000005')).toBe('2023-11-14T22:13:20.000000005Z')
    expect(instant('2023-11-14T22:13:20')).toBe('2023-11-14T22:13:20.000Z')
    expect(() => instant('yesterday')).toThrow('failed to parse')
  })
})

describe('detach keys', () => {
  it('parses names of keys', () => {
    expect(parseDetachKeys('')).toEqual(Buffer.from([0x10, 0x11]))
    expect(parseDetachKeys('ctrl-a,b')).toEqual(Buffer.from([1, 0x62]))
    expect(parseDetachKeys('ctrl-@')).toEqual(Buffer.from([0]))
    expect(parseDetachKeys('ctrl-1')).toBeNull()
  })
  it('finds the sequence across chunks and gives back a broken-off one', () => {
    const filter = new DetachFilter(Buffer.from([0x10, 0x11]))
    expect(filter.push(Buffer.from('a\x10'))).toEqual({ pass: Buffer.from('a'), detached: false })
    expect(filter.push(Buffer.from('b\x10\x10'))).toEqual({ pass: Buffer.from('\x10b\x10'), detached: false })
    expect(filter.push(Buffer.from('\x11rest'))).toEqual({ pass: Buffer.from(''), detached: true })
  })
  it('frames', () => {
    expect(frameHeader(2, 258)).toEqual(Buffer.from([2, 0, 0, 0, 0, 0, 1, 2]))
  })
})

describe('words', () => {
  it('speaks of durations as Docker does', () => {
    const spoken = [500, 1000, 59_000, 60_000, 120_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000, 15 * 86_400_000, 70 * 86_400_000].map(
      humanDuration,
    )
    expect(spoken).toEqual([
      'Less than a second',
      '1 second',
      '59 seconds',
      'About a minute',
      '2 minutes',
      'About an hour',
      '47 hours',
      '2 days',
      '2 weeks',
      '2 months',
    ])
  })
  it('writes the status column', () => {
    const base = {
      exitCode: 3,
      signal: null,
      oomKilled: false,
      error: '',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:01:00Z',
      restartCount: 0,
      pid: 0,
    }
    const now = Date.parse('2026-01-01T00:02:00Z')
    expect(statusText({ ...base, status: 'exited', health: 'none' }, now)).toBe('Exited (3) About a minute ago')
    expect(statusText({ ...base, status: 'running', health: 'starting' }, now)).toBe('Up 2 minutes (health: starting)')
    expect(statusText({ ...base, status: 'paused', health: 'none' }, now)).toBe('Up 2 minutes (Paused)')
    expect(statusText({ ...base, status: 'created', health: 'none' }, now)).toBe('Created')
  })
  it('knows until when a status reads the same', () => {
    const began = Date.parse('2026-01-01T00:00:00Z')
    const base = { exitCode: 0, signal: null, oomKilled: false, error: '', restartCount: 0, pid: 0, health: 'none' as const }
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:00Z' }
    for (const status of ['running', 'paused', 'restarting', 'exited'] as const)
      for (const age of [-5000, 0, 1, 999, 1000, 59_999, 60_000, 119_999, 120_000, 3_599_000, 5_399_000, 90_000_000, 86_400_000 * 800]) {
        const state = { ...base, ...times, status }
        const now = began + age
        const holds = untilStatusMoves(state, now)
        expect(holds).toBeGreaterThan(0)
        for (const later of [0, holds / 2, holds - 1]) expect(statusText(state, now + Math.floor(later))).toBe(statusText(state, now))
      }
    expect(untilStatusMoves({ ...base, ...times, status: 'running' }, began + 119_000)).toBe(1000)
    expect(untilStatusMoves({ ...base, startedAt: null, finishedAt: null, status: 'created' }, began)).toBe(Number.POSITIVE_INFINITY)
  })
  it('quotes arguments with blanks', () => {
    expect(commandText(['sh', '-c', 'echo hi'])).toBe("sh -c 'echo hi'")
  })
  it('writes sizes and file modes as Go does', () => {
    expect([humanSize(0), humanSize(999), humanSize(1500), humanSize(123_456_789)]).toEqual(['0B', '999B', '1.5kB', '123.5MB'])
    expect(goFileMode(0o040755)).toBe(2147484141)
    expect(goFileMode(0o100644)).toBe(0o644)
    expect(goFileMode(0o120777)).toBe(134218239)
  })
})

describe('create', () => {
  it('reads binds', () => {
    expect(parseBind('/a:/b:ro')).toMatchObject({ type: 'bind', source: '/a', target: '/b', readOnly: true, createSource: true })
    expect(parseBind('data:/b:nocopy')).toMatchObject({ type: 'volume', source: 'data', noCopy: true })
    for (const bad of ['/a', '/a:b', '/a:/', 'a b:/c', '/a:/b:xx', '::']) expect(() => parseBind(bad), bad).toThrow()
  })
  it('keeps null and empty apart for command and entrypoint', () => {
    expect(parseCreate({ Image: 'x' }, null)).toMatchObject({ cmd: null, entrypoint: null })
    expect(parseCreate({ Image: 'x', Cmd: [], Entrypoint: ['/a'] }, null)).toMatchObject({ cmd: [], entrypoint: ['/a'] })
  })
  it('reads anonymous volumes unless a bind has the same target', () => {
    const options = parseCreate({ Image: 'x', Volumes: { '/v': {}, '/b': {} }, HostConfig: { Binds: ['/h:/b'] } }, null)
    expect(options.mounts.map((mount) => [mount.type, mount.target])).toEqual([
      ['bind', '/b'],
      ['volume', '/v'],
    ])
  })
  it('refuses wrong kinds in one sentence', () => {
    expect(() => parseCreate({}, null)).toThrow('config cannot be empty')
    expect(() => parseCreate({ Image: 'x', Env: 'A=1', Cmd: [1] }, null)).toThrow('Cmd[0] must be a string')
    expect(() => parseCreate({ Image: 'x', HostConfig: { Memory: '1g' } }, null)).toThrow('HostConfig.Memory must be a number')
    expect(() => parseCreate({ Image: 'x', Env: ['A\0=1'] }, null)).toThrow('NUL')
    expect(() => parseCreate({ Image: 'x', HostConfig: { RestartPolicy: { Name: 'sometimes' } } }, null)).toThrow(
      "invalid restart policy 'sometimes'",
    )
  })
})
