/**
 * The events' memory across restarts: two files of JSON lines, `current` and `previous`, each at most `linesPerFile` long. Written behind the publishers'
 * backs in batches, without flushing to the platter: events are news, the records of the rooms are the truth.
 */
import { appendFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type EngineEvent, engineEvent } from '@berth/contract/event'
import { ensureDirectory, readTextIfExists } from '../disk/files.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'

const batchDelayMs = 200

export interface EventLog {
  /** Events of earlier lives, oldest first. */
  readonly past: EngineEvent[]
  append(event: EngineEvent): void
  /** Writes what is waiting. */
  flush(): Promise<void>
}

export async function openEventLog(directory: string, linesPerFile: number, log?: Logger): Promise<EventLog> {
  await ensureDirectory(directory)
  const current = join(directory, 'current.jsonl')
  const previous = join(directory, 'previous.jsonl')
  const inCurrent = parseLines(await readTextIfExists(current))
  const past = [...parseLines(await readTextIfExists(previous)), ...inCurrent].slice(-linesPerFile)
  let lines = inCurrent.length
  let waiting: string[] = []
  let timer: NodeJS.Timeout | null = null
  let writing = Promise.resolve()
  const write = async () => {
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    try {
      if (lines >= linesPerFile) {
        await rename(current, previous)
        lines = 0
      }
      // A torn last line of a crashed life must not swallow the first of this one: parseLines skips it, the newline in front ends it.
      await appendFile(current, `${lines === inCurrent.length ? '\n' : ''}${batch.join('\n')}\n`, { mode: 0o600 })
      lines += batch.length
    } catch (error) {
      log?.warn({ reason: messageOf(error) }, 'events could not be written to the disk')
    }
  }
  const flush = () => {
    if (timer) clearTimeout(timer)
    timer = null
    writing = writing.then(write)
    return writing
  }
  return {
    past,
    append(event) {
      waiting.push(JSON.stringify(event))
      timer ??= setTimeout(flush, batchDelayMs).unref()
    },
    flush,
  }
}

function parseLines(text: string | null): EngineEvent[] {
  return (text ?? '').split('\n').flatMap((line) => {
    if (!line) return []
    try {
      const parsed = engineEvent.safeParse(JSON.parse(line))
      return parsed.success ? [parsed.data] : []
    } catch {
      return [] // the line that a crash cut
    }
  })
}
