/**
 * Starts monitors: the one spawn that a container or an exec costs. The direct child ends when it has answered; the parent of the process is a grandchild
 * in a session of its own, which neither our exit nor our death touches.
 */
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import type { Duplex, Readable } from 'node:stream'
import { type ErrorCode, errorCodes } from '@berth/contract/error'
import { EngineError, StartError } from '../errors.ts'
import type { MonitorDocument, StartedMonitor } from './monitor-document.ts'

/** argv[0] of the monitor of a process. */
export function monitorTitle(id: string): string {
  return `berth-monitor ${id}`
}

/** Whether a monitor for this id is alive, come up or not. Looks through /proc: for the boot of the agent, not for every day. */
export async function hasMonitor(id: string): Promise<boolean> {
  const title = `${monitorTitle(id)}\0`
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      if ((await readFile(`/proc/${name}/cmdline`, 'utf8')) === title) return true
    } catch {
      // It ended while we looked.
    }
  }
  return false
}

/** Above the 5 s that a monitor waits for late HELLOs, and the slowest sane mount or hook. */
const answerTimeoutMs = 60_000
const answerLimitBytes = 1024 * 1024

interface Answer {
  ok: boolean
  monitorPid?: number
  pid?: number
  startTime?: string
  startedAt?: string
  step?: string
  code?: string
  message?: string
  exitStatus?: number
}

/**
 * Spawns berth-monitor with `socketCount` connected sockets as descriptors 3, 4, … and waits for its answer.
 * `greet` is called with our ends before the document is written, so that each HELLO is there when the monitor looks.
 * @throws StartError when the monitor says no (nothing is left), EngineError `internal`/`resource_exhausted` when it could not run or did not answer
 */
export async function startMonitor(
  program: string,
  document: MonitorDocument,
  socketCount: number,
  greet: (sockets: Duplex[]) => void,
): Promise<StartedMonitor> {
  const child = launch(program, document.id, socketCount)
  const sockets = child.stdio.slice(3) as unknown as Duplex[]
  // A monitor that dies at once resets these; each later owner listens for itself.
  for (const socket of sockets) {
    // Else the socket of a container that runs for months keeps the ChildProcess and its three pipes in memory (it counts closed streams for a `close` event
    // that nobody here waits for).
    socket?.removeAllListeners('close')
    socket?.on('error', ignore)
  }
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(spawnError(program, error)))
    child.once('exit', (code, signal) => resolve(signal ? `was killed by ${signal}` : `ended with status ${code}`))
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), answerTimeoutMs)
  try {
    if (child.pid === undefined) await ended
    greet(sockets)
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify({ ...document, attachFds: sockets.map((_, index) => 3 + index) }))
    const [line, errorText, how] = await Promise.all([readAll(child.stdout), readAll(child.stderr), ended])
    const answer = parseAnswer(line) ?? parseErrorLine(errorText)
    if (!answer)
      throw new EngineError('internal', `berth-monitor ${how} without an answer${errorText ? `: ${errorText.trim().slice(-500)}` : ''}`)
    if (!answer.ok) throw refusal(answer)
    return {
      monitorPid: answer.monitorPid as number,
      pid: answer.pid as number,
      startTime: String(answer.startTime),
      startedAt: answer.startedAt as string,
      sockets,
    }
  } catch (error) {
    for (const socket of sockets) socket?.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Not written where it is used: a function made there would keep the ChildProcess and its three pipes alive for as long as the socket, 6 KB for each container. */
function ignore(): void {}

function launch(program: string, id: string, socketCount: number) {
  try {
    return spawn(program, [], {
      stdio: ['pipe', 'pipe', 'pipe', ...Array.from({ length: socketCount }, () => 'pipe' as const)],
      // The cast is for the dashboard, which reads these types beside Next.js's: there NODE_ENV is required of every environment.
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } as Partial<NodeJS.ProcessEnv> as NodeJS.ProcessEnv,
      cwd: '/',
      // What ps shows, and how an agent that was killed meanwhile finds a monitor that is still coming up (hasMonitor).
      argv0: monitorTitle(id),
    })
  } catch (error) {
    // Some shortages are thrown, others come as an event.
    throw spawnError(program, error as NodeJS.ErrnoException)
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= answerLimitBytes) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseAnswer(text: string): Answer | null {
  try {
    const answer = JSON.parse(text) as Answer
    return typeof answer.ok === 'boolean' ? answer : null
  } catch {
    return null
  }
}

/** Before the monitor has understood its document it speaks the common error convention: one JSON line on stderr. */
function parseErrorLine(text: string): Answer | null {
  try {
    const line = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Answer
    return typeof line.message === 'string' ? { ...line, ok: false } : null
  } catch {
    return null
  }
}

function refusal(answer: Answer): StartError {
  const code = errorCodes.includes(answer.code as ErrorCode) ? (answer.code as ErrorCode) : 'internal'
  return new StartError(code, answer.message ?? 'the monitor gave no reason', answer.step ?? '', answer.exitStatus ?? null)
}

function spawnError(program: string, error: NodeJS.ErrnoException): EngineError {
  const short = error.code === 'EAGAIN' || error.code === 'ENOMEM' || error.code === 'EMFILE' || error.code === 'ENFILE'
  const reason = error.code === 'ENOENT' ? 'it is not there; build the native programs with "make -C native"' : error.message
  return new EngineError(short ? 'resource_exhausted' : 'internal', `cannot start ${program}: ${reason}`, { cause: error })
}
