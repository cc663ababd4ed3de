import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { type ExecOptions, execOptions } from '@berth/contract/exec'
import { readTextIfExists } from '../disk/files.ts'
import { EngineError, messageOf, StartError } from '../errors.ts'
import { afterLong } from '../events/long-timer.ts'
import type { Task } from '../tasks/tasks.ts'
import { now } from './clock.ts'
import { type Container, exitOf } from './container.ts'
import type { Context } from './context.ts'
import { execEvent, execProcess } from './exec-document.ts'
import type { ProbeResult } from './health.ts'
import { linkedEnvironment } from './links.ts'
import type { ResolvedUser } from './passwd.ts'
import { runtimeJson } from './runtime-json.ts'

/** Docker keeps as much of a probe's output. */
const outputLimit = 4096
const sigkill = 9

/**
 * Runs one health check. A probe that cannot be started, or takes too long, is a result (Docker: exit code -1), not an error.
 * @throws EngineError when the signal aborts it
 */
/** As Go prints durations: `50ms`, `1.5s`, `1m30s`. */
function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`
  const minutes = Math.floor(milliseconds / 60_000)
  const hours = Math.floor(minutes / 60)
  const seconds = `${(milliseconds % 60_000) / 1000}s`
  return hours > 0 ? `${hours}h${minutes % 60}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds
}

export async function runProbe(
  context: Context,
  container: Container,
  test: string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const startedAt = now()
  const id = randomBytes(32).toString('hex')
  const directory = context.paths.exec(id)
  const cmd = test[0] === 'CMD-SHELL' ? ['/bin/sh', '-c', test.slice(1).join(' ')] : test.slice(1)
  const options: ExecOptions = execOptions.parse({ cmd })
  let output = Buffer.alloc(0)
  const collect = (bytes: Buffer) => {
    if (output.length < outputLimit) output = Buffer.concat([output, bytes.subarray(0, outputLimit - output.length)])
  }
  const viewer = context.tasks.waitingViewer(
    false,
    { stdin: false, stdout: true, stderr: true, replay: false, flow: { kind: 'drop' } },
    { stdout: collect, stderr: collect, replay: () => {}, replayed: () => {}, resized: () => {}, ended: () => {} },
  )
  let task: Task | null = null
  let timedOut = false
  let cancel = () => {}
  const end = () => task?.signal(sigkill)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const stored = JSON.parse((await readTextIfExists(`${context.paths.run(container.id)}/lease.json`)) ?? 'null') as {
      user: ResolvedUser
    } | null
    if (!stored) throw new EngineError('failed_precondition', `Container ${container.id} is not running`)
    await writeFile(
      `${directory}/process.json`,
      runtimeJson(execProcess(context, container, options, stored.user, null, linkedEnvironment(context, container))),
      { mode: 0o600 },
    )
    context.tell(container, execEvent('exec_create', cmd), { execID: id })
    task = await context.tasks.start(
      {
        version: 1,
        kind: 'exec',
        id,
        containerId: container.id,
        runtime: { path: context.native.paths.runtime, root: context.native.runtimeRoot, args: [] },
        bundle: context.paths.run(container.id),
        stateDir: directory,
        runDir: directory,
        cgroup: context.paths.cgroup(container.id, container.record.options.cgroupParent),
        terminal: null,
        stdin: 'closed',
        log: null,
        replayBytes: 0,
        attachFds: [],
        exec: { processFile: `${directory}/process.json` },
        deleteOnExit: false,
      },
      [viewer],
    )
    context.tell(container, execEvent('exec_start', cmd), { execID: id })
    cancel = afterLong(timeoutMs, () => {
      timedOut = true
      end()
    })
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    const exit = exitOf(await task.ended, task.startedAt)
    context.tell(container, 'exec_die', { execID: id, exitCode: String(exit.exitCode) })
    if (timedOut) return { startedAt, endedAt: now(), exitCode: -1, output: `Health check exceeded timeout (${goDuration(timeoutMs)})` }
    return { startedAt, endedAt: now(), exitCode: exit.exitCode, output: output.toString('utf8') }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return { startedAt, endedAt: now(), exitCode: -1, output: messageOf(error) }
  } finally {
    cancel()
    signal.removeEventListener('abort', end)
    viewer.close()
    await rm(directory, { recursive: true, force: true })
  }
}
