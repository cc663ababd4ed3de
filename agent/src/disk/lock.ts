/**
 * One agent per data root. The lock is an abstract unix socket named by the directory's device and inode: the kernel lets one process bind it and
 * frees it with the process, however that ends, so it can be neither stale nor raced for. Abstract names belong to a network namespace, hence the
 * second look: a file names the holder's pid and start time, for the error message and for agents in another network namespace.
 */
import { readFile, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { ensureDirectory, readTextIfExists, removeFile, writeFileAtomic } from './files.ts'

export interface DataRootLock {
  /** Gives the data root back. Death of the process does the same. */
  release(): Promise<void>
}

interface Holder {
  pid: number
  startTime: string
}

/**
 * Takes the exclusive lock of a data root, creating the directory.
 * @throws failed_precondition naming the other agent's pid
 */
export async function lockDataRoot(dataRoot: string): Promise<DataRootLock> {
  await ensureDirectory(dataRoot, 0o711)
  const path = join(dataRoot, 'agent.lock')
  const { dev, ino } = await stat(dataRoot)
  const server = createServer((socket) => socket.destroy())
  server.unref()
  const bound = await bind(server, `\0berth-data-root-${dev}-${ino}`)
  const holder = await readHolder(path)
  const others = holder && holder.pid !== process.pid && (await startTimeOf(holder.pid)) === holder.startTime ? holder : null
  if (!bound || others) {
    server.close()
    const who = others ? `process ${others.pid}` : 'another process'
    throw new EngineError(
      'failed_precondition',
      `${dataRoot} is in use by another agent (${who}); stop it first or give this one its own BERTH_DATA`,
    )
  }
  const own: Holder = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' }
  await writeFileAtomic(path, `${JSON.stringify(own)}\n`, { mode: 0o644, durable: false })
  return {
    async release() {
      await removeFile(path)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function bind(server: Server, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen(name, () => resolve(true))
  })
}

async function readHolder(path: string): Promise<Holder | null> {
  const text = await readTextIfExists(path)
  try {
    const value = JSON.parse(text ?? 'null') as Partial<Holder> | null
    return typeof value?.pid === 'number' && typeof value.startTime === 'string' ? { pid: value.pid, startTime: value.startTime } : null
  } catch {
    return null // a torn file names nobody; the socket has decided
  }
}

/** Field 22 of /proc/PID/stat, counted behind the parenthesised name; null for no such process. */
export async function startTimeOf(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
