import type { LogRecord } from '@berth/contract/log'
import { describe, expect, it } from 'vitest'
import { LogBuffer } from './log-buffer'
import { lineTest } from './log-search'
import { readLine } from './log-text'
import { lineAddress, logsAddress, momentOf } from './moment'

const record = (offset: number, second: number, text = `line ${offset}`): LogRecord => ({
  offset,
  next: offset + 10,
  at: new Date(second * 1000).toISOString(),
  stream: 'stdout',
  partial: false,
  text,
})

describe('LogBuffer', () => {
  it('takes each record once, whatever is sent twice', () => {
    const buffer = new LogBuffer(1)
    buffer.append(0, [record(0, 1), record(10, 2)])
    buffer.append(0, [record(10, 2), record(20, 3)])
    expect(buffer.lines.map((line) => line.record.offset)).toEqual([0, 10, 20])
  })

  it('merges two logs by time and keeps the order within each', () => {
    const buffer = new LogBuffer(2)
    buffer.append(0, [record(0, 1), record(10, 5)])
    buffer.append(1, [record(0, 2), record(10, 6)])
    buffer.append(0, [record(20, 7)])
    expect(buffer.lines.map((line) => `${line.source}:${line.record.offset}`)).toEqual(['0:0', '1:0', '0:10', '1:10', '0:20'])
  })

  it('does not reorder one log when the clock was set back', () => {
    const buffer = new LogBuffer(1)
    buffer.append(0, [record(0, 100)])
    buffer.append(0, [record(10, 5)])
    expect(buffer.lines.map((line) => line.record.offset)).toEqual([0, 10])
  })

  it('fills in what is older, and again after the oldest were dropped', () => {
    const buffer = new LogBuffer(1)
    buffer.append(0, [record(20, 3), record(30, 4)])
    buffer.prepend(0, [record(0, 1), record(10, 2), record(20, 3)])
    buffer.append(0, [record(40, 5)])
    expect([...buffer.dropFirst(3)]).toEqual([0])
    expect(buffer.edge(0)).toMatchObject({ first: 20, next: 50 })
    buffer.prepend(0, [record(10, 2)])
    expect(buffer.lines.map((line) => line.record.offset)).toEqual([10, 20, 30, 40])
  })

  it('takes the newest away from whoever reads far up, and takes them up again', () => {
    const buffer = new LogBuffer(2)
    buffer.append(0, [record(0, 1), record(10, 4)])
    buffer.append(1, [record(0, 2), record(10, 3), record(20, 5)])
    expect([...buffer.dropLast(2)].sort()).toEqual([0, 1])
    expect(buffer.edge(0).next).toBe(10)
    expect(buffer.edge(1).next).toBe(10)
    buffer.append(1, [record(10, 3), record(20, 5)])
    buffer.append(0, [record(10, 4)])
    expect(buffer.lines.map((line) => line.key)).toEqual(['0:0', '1:0', '1:10', '0:10', '1:20'])
  })

  it('shows of merged logs only the span in which each has been read', () => {
    const buffer = new LogBuffer(2)
    buffer.append(0, [record(100, 10), record(110, 11)])
    buffer.append(1, [record(0, 1), record(10, 5), record(20, 12)])
    const keys = (before: boolean[], after = [false, false]) => buffer.whole({ before, after }).map((line) => line.key)
    // The first may have lines of second 5 that have not been read.
    expect(keys([true, true])).toEqual(['0:100', '0:110', '1:20'])
    expect(keys([false, true])).toEqual(['1:0', '1:10', '0:100', '0:110', '1:20'])
    expect(keys([false, false], [true, false])).toEqual(['1:0', '1:10', '0:100', '0:110'])
  })
})

describe('readLine', () => {
  it('reads JSON, logfmt and words', () => {
    expect(readLine('{"level":"warn","msg":"slow","ms":12}')).toEqual({
      level: 'warn',
      message: 'slow',
      fields: [['ms', '12']],
      kind: 'json',
    })
    expect(readLine('{"level":50,"msg":"x"}').level).toBe('error')
    expect(readLine('level=info msg="ready to go" port=80')).toEqual({
      level: 'info',
      message: 'ready to go',
      fields: [['port', '80']],
      kind: 'logfmt',
    })
    expect(readLine('2026-01-01 [ERROR] boom').level).toBe('error')
    expect(readLine('\u001b[33mWARN\u001b[0m slow').level).toBe('warn')
    expect(readLine('a=b').kind).toBe('text')
    expect(readLine('{broken').kind).toBe('text')
    expect(readLine('terror is not an error word').level).toBe('error')
    expect(readLine('terrors').level).toBe(null)
  })
})

describe('the address of a log', () => {
  const sources = ['a', 'b', 'c'].map((name) => ({ hostId: `host-${name}`, container: `id-${name}`, name }))
  it('names a moment by a line or by a time, and nothing else', () => {
    expect(momentOf('120')).toEqual({ source: 0, offset: 120 })
    expect(momentOf('2026-01-02T03:04:05Z')).toEqual({ time: '2026-01-02T03:04:05.000Z' })
    expect(momentOf('soon')).toBeNull()
    expect(momentOf(null)).toBeNull()
  })
  it('is that of the container whose line it is, merged with the others', () => {
    expect(logsAddress(sources.slice(0, 1))).toBe('/h/host-a/containers/id-a?tab=logs')
    expect(lineAddress(sources, { source: 1, record: record(70, 1) })).toBe(
      '/h/host-b/containers/id-b?tab=logs&with=host-a/id-a,host-c/id-c&at=70',
    )
  })
})

describe('lineTest', () => {
  const search = { text: 'a.b', regex: false, invert: false, ignoreCase: true }
  it('asks what the agent is asked', () => {
    expect(lineTest(search)({ text: 'xA.Bx' })).toBe(true)
    expect(lineTest(search)({ text: 'acb' })).toBe(false)
    expect(lineTest({ ...search, regex: true })({ text: 'acb' })).toBe(true)
    expect(lineTest({ ...search, ignoreCase: false })({ text: 'A.B' })).toBe(false)
    expect(lineTest({ ...search, invert: true })({ text: 'a.b' })).toBe(false)
    expect(lineTest({ ...search, text: '([', regex: true })({ text: '([' })).toBe(false)
  })
  it('finds every line, one after the other', () => {
    const fits = lineTest(search)
    expect(['a.b', 'a.b', 'a.b'].every((text) => fits({ text }))).toBe(true)
  })
})
