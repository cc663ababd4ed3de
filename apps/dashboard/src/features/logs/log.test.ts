import type { LogRecord } from '@berth/contract/log'
import { describe, expect, it } from 'vitest'
import { LogBuffer } from './log-buffer'
import { readLine } from './log-text'

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
    const buffer = new LogBuffer(1, 100)
    buffer.append(0, [record(0, 1), record(10, 2)])
    buffer.append(0, [record(10, 2), record(20, 3)])
    expect(buffer.lines.map((line) => line.record.offset)).toEqual([0, 10, 20])
  })

  it('merges two logs by time and keeps the order within each', () => {
    const buffer = new LogBuffer(2, 100)
    buffer.append(0, [record(0, 1), record(10, 5)])
    buffer.append(1, [record(0, 2), record(10, 6)])
    buffer.append(0, [record(20, 7)])
    expect(buffer.lines.map((line) => `${line.source}:${line.record.offset}`)).toEqual(['0:0', '1:0', '0:10', '1:10', '0:20'])
  })

  it('does not reorder one log when the clock was set back', () => {
    const buffer = new LogBuffer(1, 100)
    buffer.append(0, [record(0, 100)])
    buffer.append(0, [record(10, 5)])
    expect(buffer.lines.map((line) => line.record.offset)).toEqual([0, 10])
  })

  it('fills in what is older, and again after the oldest were dropped', () => {
    const buffer = new LogBuffer(1, 3)
    buffer.append(0, [record(20, 3), record(30, 4)])
    expect(buffer.prepend(0, [record(0, 1), record(10, 2), record(20, 3)])).toBe(2)
    expect(buffer.append(0, [record(40, 5)])).toBe(2)
    expect(buffer.edge(0)).toEqual({ first: 20, next: 50 })
    expect(buffer.prepend(0, [record(10, 2)])).toBe(1)
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
