/**
 * Runs one native program to its end: bytes in, bytes out, and the error convention of native/README.md (exit 0, or exit 1 with one JSON
 * line on stderr) turned into an EngineError. Programs that stay (the monitor) and terminals are other files of this room.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { type Readable, Transform, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type ErrorCode, errorCodes } from '@berth/contract/error'
import { EngineError } from '../errors.ts'

/** Where a program's bytes come from: a stream, bytes at hand, or a descriptor that the program inherits (no copy through Node). */
export type ProgramInput = Readable | Uint8Array | string | { fd: number }
/** Where its output goes; without one the output is captured as text. */
export type ProgramOutput = Writable | { fd: number }

export interface ProgramOptions {
  /** Absent: /dev/null. */
  stdin?: ProgramInput
  stdout?: ProgramOutput
  /** Aborting kills the program with SIGKILL; the call rejects with `cancelled`. */
  signal?: AbortSignal
  /** Open descriptor 3 as a pipe and return what is written there as `answer`. */
  answerFd?: boolean
  env?: Record<string, string>
  cwd?: string
  /** Descriptors inherited as 3, 4, … (with answerFd: 4, 5, …). */
  extraFds?: number[]
  /** Bound of captured stdout; more fails with `resource_exhausted`. Default 64 MiB. */
  maxStdoutBytes?: number
  /** Exit statuses besides 0 that are an answer, not a failure. */
  allowedExitCodes?: number[]
}

export interface ProgramResult {
  /** Captured stdout as text; '' when it was directed elsewhere. */
  stdout: string
  /** What came on descriptor 3; '' without answerFd. */
  answer: string
  /** Text of stderr, its last 64 KiB. */
  stderr: string
  exitCode: number
}

/** A program whose output is read while it runs. */
export interface RunningProgram {
  pid: number | undefined
  /** Its output; destroying it early kills the program. Errors of the program destroy it with the EngineError. */
  stdout: Readable
  /** Settles when the program has ended and its streams are closed. */
  done: Promise<ProgramResult>
}

const stderrLimit = 64 * 1024

/**
 * Runs a program to its end.
 * @param program path of the executable, or a name looked up in PATH
 * @throws the program's own error (its JSON line), `cancelled`, `internal` (missing program, killed by a signal, exit without a JSON line), or the
 *   error of the stdin stream or stdout stream when that failed first; the program is dead by then in every case
 */
export async function runProgram(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const child = launch(program, args, options)
  const capture = options.stdout === undefined ? collect(child.stdout, options.maxStdoutBytes ?? 64 * 1024 * 1024) : null
  const outbound = options.stdout && !('fd' in options.stdout) ? pipeline(child.stdout as Readable, options.stdout) : null
  return settle(program, child, options, capture, outbound)
}

/**
 * Starts a program whose stdout the caller reads as a stream (backup, save, export). The stream ends only after the program has ended well: a reader
 * that sees the end has everything; otherwise the stream fails with the program's error.
 */
export function openProgram(program: string, args: readonly string[], options: Omit<ProgramOptions, 'stdout'> = {}): RunningProgram {
  const child = launch(program, args, options)
  const done = settle(program, child, options, null, null)
  const stdout = new Transform({
    highWaterMark: 256 * 1024,
    transform: (chunk, _encoding, next) => next(null, chunk),
    flush: (next) => {
      done.then(
        () => next(),
        (error) => next(error),
      )
    },
  })
  // A spawn that failed has no output stream that ends; the program's error is then the only news.
  done.catch((error) => stdout.destroy(error))
  child.stdout?.once('error', (error) => stdout.destroy(error))
  child.stdout?.pipe(stdout)
  stdout.once('close', () => {
    if (!stdout.readableEnded) child.kill('SIGKILL')
  })
  return { pid: child.pid, stdout, done }
}

function launch(program: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  if (options.signal?.aborted) throw cancelled(program)
  const { stdin, stdout } = options
  const input = stdin === undefined ? 'ignore' : typeof stdin === 'object' && 'fd' in stdin ? stdin.fd : 'pipe'
  const output = stdout && 'fd' in stdout ? stdout.fd : 'pipe'
  return spawn(program, args as string[], {
    stdio: [input, output, 'pipe', ...(options.answerFd ? (['pipe'] as const) : []), ...(options.extraFds ?? [])],
    // The cast: see monitor.ts.
    env: (options.env ?? {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
    }) as Partial<NodeJS.ProcessEnv> as NodeJS.ProcessEnv,
    cwd: options.cwd ?? '/',
  })
}

async function settle(
  program: string,
  child: ChildProcess,
  options: ProgramOptions,
  capture: Promise<string> | null,
  outbound: Promise<void> | null,
): Promise<ProgramResult> {
  const name = basename(program)
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    child.kill('SIGKILL')
  }
  const onAbort = () => fail(cancelled(program))
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const stderr = tail(child.stderr as Readable)
  const answer = options.answerFd ? collect(child.stdio[3] as Readable, 1024 * 1024) : null
  capture?.catch(fail)
  outbound?.catch(fail)
  const inbound = feed(child, options.stdin).catch(fail)
  try {
    const [exitCode, signal] = await ended(child, program)
    await inbound
    if (failure !== undefined) throw failure
    if (exitCode !== 0 && !(exitCode !== null && options.allowedExitCodes?.includes(exitCode)))
      throw programError(name, exitCode, signal, await stderr)
    await outbound
    return { stdout: (await capture) ?? '', answer: (await answer) ?? '', stderr: await stderr, exitCode: exitCode ?? 0 }
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
  }
}

/** Exit status and signal, after the program's pipes are closed. */
function ended(child: ChildProcess, program: string): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'it is not there; build the native programs with "make -C native"' : error.message
      const code = error.code === 'EAGAIN' || error.code === 'ENOMEM' || error.code === 'EMFILE' ? 'resource_exhausted' : 'internal'
      reject(new EngineError(code, `cannot start ${program}: ${reason}`, { cause: error }))
    })
    child.once('exit', (code, signal) => resolve([code, signal]))
  })
}

/**
 * Writes the input. A program that stops reading early is not an error here: its exit status tells why. Whichever end fails first is to blame, because the
 * pipeline then destroys the other one with an error of its own making.
 */
async function feed(child: ChildProcess, stdin: ProgramInput | undefined): Promise<void> {
  const pipe = child.stdin
  if (!pipe || stdin === undefined || (typeof stdin === 'object' && 'fd' in stdin)) return
  let stoppedReading = false
  let failed: { error: unknown } | null = null
  for (const event of ['error', 'close'] as const)
    pipe.once(event, () => {
      stoppedReading = true
    })
  if (typeof stdin === 'object' && 'pipe' in stdin) {
    if (stdin.errored) throw stdin.errored
    stdin.once('error', (error) => {
      if (!stoppedReading) failed = { error }
    })
  }
  try {
    if (typeof stdin === 'object' && 'pipe' in stdin) await pipeline(stdin, pipe)
    else {
      pipe.end(stdin)
      await finished(pipe, { readable: false })
    }
  } catch (error) {
    // The assertion: the compiler does not see that the listener assigns.
    const source = failed as { error: unknown } | null
    if (source) throw source.error
    if (!stoppedReading) throw error
  }
}

async function collect(stream: Readable | null, limit: number): Promise<string> {
  if (!stream) return ''
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new EngineError('resource_exhausted', `a native program answered with more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function tail(stream: Readable): Promise<string> {
  let text = Buffer.alloc(0)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      text = Buffer.concat([text, chunk])
      if (text.length > stderrLimit) text = text.subarray(text.length - stderrLimit)
    }
  } catch {
    // The pipe broke with the program; what came before is all there is.
  }
  return text.toString('utf8')
}

/** The EngineError of a program's last stderr line; exported for those who read the line elsewhere. */
export function programError(name: string, exitCode: number | null, signal: NodeJS.Signals | null, stderr: string): EngineError {
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  if (last.startsWith('{')) {
    try {
      const line = JSON.parse(last) as { code?: unknown; message?: unknown }
      if (typeof line.message === 'string') {
        const code = errorCodes.includes(line.code as ErrorCode) ? (line.code as ErrorCode) : 'internal'
        return new EngineError(code, line.message)
      }
    } catch {
      // Not the convention's line: the text itself is the best account.
    }
  }
  const how = signal ? `was killed by ${signal}` : `ended with status ${exitCode}`
  // Some give the reason first and good advice last.
  const words = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-4)
    .join(' ')
    .slice(-500)
  return new EngineError('internal', `${name} ${how}${words ? `: ${words}` : ''}`)
}

function cancelled(program: string): EngineError {
  return new EngineError('cancelled', `${basename(program)} was cancelled`)
}
