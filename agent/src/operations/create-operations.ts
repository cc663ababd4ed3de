import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Operation, type OperationProgress, operation as operationSchema } from '@berth/contract/operation'
import { openRecords, type Records } from '../disk/records.ts'
import { codeOf, EngineError, messageOf } from '../errors.ts'
import type { Events } from '../events/events.ts'
import type { Logger } from '../log.ts'
import type { Operations } from './operations.ts'
import { ProgressLog } from './progress-log.ts'

const keptFinished = 200

export interface OperationStore extends Operations {
  /** Cancels what runs and waits until it has ended, at most `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>
}

interface Running {
  about: Omit<Operation, 'progress'>
  progress: ProgressLog
  controller: AbortController
  listeners: Set<Parameters<Operations['watch']>[1]>
  ended: Promise<unknown>
}

/** Opens the store. What was running when the last agent died is shown as failed from now on. */
export async function createOperations(options: { dataRoot: string; events: Events; log?: Logger }): Promise<OperationStore> {
  const { events, log } = options
  const records = await openRecords<Operation>(join(options.dataRoot, 'operations'), {
    parse: (value) => operationSchema.parse(value),
    durable: false, // history for the activity page; what operations did is durable in the rooms that did it
    log,
  })
  for (const lost of records.values().filter((record) => record.state === 'running')) await records.put(lost.id, asLost(lost))
  const running = new Map<string, Running>()

  const snapshot = (entry: Running): Operation => ({ ...entry.about, progress: entry.progress.list() })
  const save = (operation: Operation) =>
    records.put(operation.id, operation).catch((error) => log?.warn({ reason: messageOf(error) }, 'an operation could not be recorded'))
  const inspect = (id: string): Operation => {
    const entry = running.get(id)
    const found = entry ? snapshot(entry) : records.get(id)
    if (!found) throw new EngineError('not_found', `no such operation: ${id}`)
    return found
  }
  const tell = (operation: Operation) => {
    const { id, kind, subject, state, startedBy } = operation
    events.publish({
      type: 'operation',
      action: state === 'running' ? 'start' : state,
      actorId: id,
      attributes: { kind, subject, startedBy },
    })
  }
  const finish = async (entry: Running, end: Pick<Operation, 'state' | 'error' | 'result'>) => {
    Object.assign(entry.about, end, { endedAt: new Date().toISOString() })
    const operation = snapshot(entry)
    // The record first, so that whoever hears of the end and asks again finds it.
    const saved = save(operation)
    await saved
    running.delete(operation.id)
    for (const listener of entry.listeners) guard(log, () => listener.state(operation))
    tell(operation)
    await forgetOldest(records, running)
  }

  return {
    start(about, run) {
      const id = randomBytes(16).toString('hex')
      const controller = new AbortController()
      const entry: Running = {
        about: { ...about, id, state: 'running', startedAt: new Date().toISOString(), endedAt: null, error: null, result: null },
        progress: new ProgressLog(),
        controller,
        listeners: new Set(),
        ended: Promise.resolve(),
      }
      running.set(id, entry)
      void save(snapshot(entry))
      tell(snapshot(entry))
      const progress = (line: OperationProgress) => {
        if (entry.about.state !== 'running') return
        entry.progress.add(line)
        for (const listener of entry.listeners) guard(log, () => listener.progress(line))
      }
      const done = (async () => {
        try {
          const result = await run({ id, signal: controller.signal, progress })
          await finish(entry, { state: 'succeeded', error: null, result: result ?? null })
          return result
        } catch (error) {
          const ended = asEngineError(error, controller.signal, about.subject)
          if (ended.code === 'internal') log?.error({ operation: id, kind: about.kind, error: messageOf(error) }, 'an operation failed')
          const state = ended.code === 'cancelled' ? 'cancelled' : 'failed'
          await finish(entry, { state, error: { code: ended.code, message: ended.message }, result: null })
          throw ended
        }
      })()
      entry.ended = done.catch(() => {})
      return { operation: snapshot(entry), done }
    },
    inspect,
    list: () => {
      const finished = records.values().filter((record) => !running.has(record.id))
      return [...finished, ...[...running.values()].map(snapshot)].sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    },
    cancel(id) {
      inspect(id)
      running.get(id)?.controller.abort(new EngineError('cancelled', 'the operation was cancelled'))
    },
    watch(id, listener) {
      const entry = running.get(id)
      if (entry) {
        entry.listeners.add(listener)
        return () => void entry.listeners.delete(listener)
      }
      const finished = inspect(id)
      let left = false
      queueMicrotask(() => left || guard(log, () => listener.state(finished)))
      return () => {
        left = true
      }
    },
    async close(timeoutMs = 5000) {
      for (const entry of running.values()) entry.controller.abort(new EngineError('cancelled', 'the agent is shutting down'))
      const all = Promise.all([...running.values()].map((entry) => entry.ended))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([all, new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)))])
      clearTimeout(timer)
    },
  }
}

function asLost(record: Operation): Operation {
  const message = 'the agent stopped while this was running; start it again'
  return { ...record, state: 'failed', endedAt: new Date().toISOString(), error: { code: 'unavailable', message } }
}

/** After a cancel whatever was thrown is the cancel's doing. */
function asEngineError(error: unknown, signal: AbortSignal, subject: string): EngineError {
  if (signal.aborted && signal.reason instanceof EngineError) return signal.reason
  if (error instanceof EngineError) return error
  const code = codeOf(error)
  return new EngineError(code, code === 'cancelled' ? `${subject}: cancelled` : messageOf(error), { cause: error })
}

async function forgetOldest(records: Records<Operation>, running: Map<string, Running>): Promise<void> {
  if (records.size <= keptFinished + running.size) return
  const finished = records.values().filter((record) => !running.has(record.id))
  finished.sort((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? ''))
  for (const old of finished.slice(0, Math.max(0, finished.length - keptFinished))) await records.remove(old.id)
}

function guard(log: Logger | undefined, call: () => void): void {
  try {
    call()
  } catch (error) {
    log?.error({ reason: messageOf(error) }, 'a viewer of an operation failed')
  }
}
