import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Operation, OperationProgress } from '@berth/contract/operation'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineError } from '../errors.ts'
import { createEvents } from '../events/create-events.ts'
import { createOperations } from './create-operations.ts'
import { ProgressLog } from './progress-log.ts'

let dataRoot: string
beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), 'berth-operations-'))
})
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }))

const about = { kind: 'pull', subject: 'redis:7', startedBy: 'ann' } as const
async function open() {
  const events = await createEvents({ dataRoot })
  return { events, operations: await createOperations({ dataRoot, events }) }
}

describe('createOperations', () => {
  it('runs, shows progress to a watcher, and keeps the result', async () => {
    const { operations, events } = await open()
    let go = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const { operation, done } = operations.start(about, async ({ progress }) => {
      await gate
      progress({ id: 'a', status: 'Downloading' })
      progress({ id: 'b', status: 'Waiting' })
      progress({ id: 'a', status: 'Pull complete' })
      return { digest: 'sha256:1' }
    })
    const lines: OperationProgress[] = []
    const states: Operation[] = []
    operations.watch(operation.id, { progress: (line) => lines.push(line), state: (state) => states.push(state) })
    go()
    expect(await done).toEqual({ digest: 'sha256:1' })
    expect(lines.length).toBe(3)
    expect(states).toMatchObject([{ state: 'succeeded', result: { digest: 'sha256:1' } }])
    expect(operations.inspect(operation.id).progress).toEqual([
      { id: 'a', status: 'Pull complete' },
      { id: 'b', status: 'Waiting' },
    ])
    expect(events.query({}).map((event) => event.action)).toEqual(['start', 'succeeded'])
  })

  it('cancels, and tells failures apart', async () => {
    const { operations } = await open()
    const { operation, done } = operations.start(
      about,
      ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('torn')))),
    )
    operations.cancel(operation.id)
    await expect(done).rejects.toMatchObject({ code: 'cancelled' })
    expect(operations.inspect(operation.id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } })
    operations.cancel(operation.id)
    const failed = operations.start(about, async () => {
      throw new EngineError('not_found', 'no such thing')
    })
    await expect(failed.done).rejects.toThrow('no such thing')
    expect(operations.inspect(failed.operation.id)).toMatchObject({
      state: 'failed',
      error: { code: 'not_found', message: 'no such thing' },
    })
    const late: Operation[] = []
    operations.watch(failed.operation.id, { progress: () => {}, state: (state) => late.push(state) })
    await Promise.resolve()
    expect(late.length).toBe(1)
    expect(() => operations.inspect('nope')).toThrow('no such operation: nope')
  })

  it('keeps the last 200, and shows what a dead agent left as failed', async () => {
    const first = await open()
    for (let i = 0; i < 210; i++) await first.operations.start(about, async () => i).done
    const open1 = first.operations.start(about, () => new Promise(() => {}))
    await expect.poll(() => existsSync(join(dataRoot, 'operations', `${open1.operation.id}.json`))).toBe(true)
    const second = await open()
    expect(second.operations.inspect(open1.operation.id)).toMatchObject({ state: 'failed', error: { code: 'unavailable' } })
    expect(second.operations.list().length).toBe(201)
    expect(readdirSync(join(dataRoot, 'operations')).length).toBe(201)
  })

  it('cancels what runs when it closes', async () => {
    const { operations } = await open()
    const { done } = operations.start(
      about,
      ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason))),
    )
    await Promise.all([operations.close(), expect(done).rejects.toThrow('shutting down')])
  })
})

describe('ProgressLog', () => {
  it('bounds text', () => {
    const log = new ProgressLog()
    for (let i = 0; i < 10000; i++) log.add({ text: `line ${i}` })
    log.add({ id: 'x', status: 's' })
    expect(log.list().length).toBe(2001)
    expect(log.list().at(-2)).toEqual({ text: 'line 9999' })
    for (let i = 0; i < 100; i++) log.add({ text: 'x'.repeat(100_000) })
    expect(log.list().length).toBeLessThan(10)
  })
})
