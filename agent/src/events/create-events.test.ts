import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineEvent } from '@berth/contract/event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEvents } from './create-events.ts'
import { parseTime, rfc3339 } from './time.ts'

let dataRoot: string
beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), 'berth-events-'))
})
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }))

const start = (actorId: string) => ({ type: 'container', action: 'start', actorId }) as const

describe('createEvents', () => {
  it('numbers events and delivers them to every listener, even behind one that throws', async () => {
    const events = await createEvents({ dataRoot })
    const seen: EngineEvent[] = []
    events.subscribe(() => {
      throw new Error('bad listener')
    })
    const leave = events.subscribe((event) => seen.push(event))
    events.publish(start('a'))
    events.publish(start('b'))
    leave()
    events.publish(start('c'))
    expect(seen.map((event) => [event.sequence, event.actorId])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
    expect(BigInt(seen[1]?.timeNano ?? 0) > BigInt(seen[0]?.timeNano ?? 0)).toBe(true)
    await events.close()
  })

  it('replays behind a cursor, and resets for another epoch, a too old or a future cursor', async () => {
    const events = await createEvents({ dataRoot })
    for (let i = 0; i < 40000; i++) events.publish(start(String(i)))
    const cursor = events.cursor()
    const seen: number[] = []
    const reset = vi.fn()
    events.subscribe((event) => seen.push(event.sequence), { cursor: { ...cursor, sequence: cursor.sequence - 4096 }, reset })
    expect([seen.length, seen[0], seen.at(-1)]).toEqual([4096, 40000 - 4095, 40000])
    expect(reset).not.toHaveBeenCalled()
    for (const bad of [
      { epoch: 'other', sequence: 40000 },
      { ...cursor, sequence: 1 },
      { ...cursor, sequence: 40001 },
    ])
      events.subscribe(() => {}, { cursor: bad, reset })
    expect(reset).toHaveBeenCalledTimes(3)
    await events.close()
  })

  it('answers for earlier lives, past a line that a crash cut', async () => {
    const first = await createEvents({ dataRoot })
    for (let i = 0; i < 1500; i++) first.publish(start(`old${i}`))
    await first.close()
    appendFileSync(join(dataRoot, 'events', 'current.jsonl'), '{"sequence":7,"epo')
    const second = await createEvents({ dataRoot })
    second.publish(start('cut-neighbour'))
    await second.close()
    const third = await createEvents({ dataRoot })
    third.publish(start('new'))
    const found = third.query({})
    expect(found.at(-1)?.actorId).toBe('new')
    expect(found.at(-2)?.actorId).toBe('cut-neighbour')
    expect(found.length).toBeGreaterThanOrEqual(1000)
    const last = found.at(-1) as EngineEvent
    expect(third.query({ since: last.at }).map((event) => event.actorId)).toEqual(['new'])
    expect(third.query({ until: last.at, limit: 2 }).map((event) => event.actorId)).toEqual(['cut-neighbour', 'new'])
    expect(third.query({ until: '5.5' })).toEqual([])
    await third.close()
  })
})

describe('parseTime', () => {
  it('takes seconds with a fraction and RFC 3339', () => {
    expect(parseTime('1.5')).toBe(1_500_000_000n)
    expect(parseTime('1700000000.123456789')).toBe(1_700_000_000_123_456_789n)
    expect(rfc3339(parseTime('2026-11-21T04:11:57.123456789+01:00'))).toBe('2026-11-21T03:11:57.123456789Z')
    expect(rfc3339(parseTime('2026-11-21'))).toBe('2026-11-21T00:00:00.000000000Z')
    expect(() => parseTime('yesterday')).toThrow('is not a time')
  })
})
