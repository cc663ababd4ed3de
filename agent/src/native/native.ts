import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { EngineError } from '../errors.ts'
import { type HostTerminal, type HostTerminalOptions, openHostTerminal } from './host-terminal.ts'
import { startMonitor } from './monitor.ts'
import { connectMonitor } from './monitor-connection.ts'
import type { MonitorDocument, StartedMonitor } from './monitor-document.ts'
import { runProgram } from './programs.ts'

/** The native programs, as this host has them. */
export interface Native {
  readonly paths: { monitor: string; runtime: string; unpack: string; init: string }
  /** State of the OCI runtime (`--root`). */
  readonly runtimeRoot: string
  /** See startMonitor. `greet` sends the first HELLO on each socket. */
  startMonitor(document: MonitorDocument, socketCount: number, greet: (sockets: Duplex[]) => void): Promise<StartedMonitor>
  /** @throws EngineError `not_found` when no monitor listens there */
  connectMonitor(socketPath: string): Promise<Duplex>
  /** One verb of the OCI runtime to its end. @throws EngineError with the runtime's own words */
  runtime(args: string[], options?: { input?: string; signal?: AbortSignal }): Promise<string>
  openHostTerminal(options: HostTerminalOptions): Promise<HostTerminal>
}

/**
 * @param options.nativeDir directory of the four programs
 * @param options.runtimePath another OCI runtime; '' = berth-runtime in nativeDir
 * @param options.runtimeRoot volatile directory for the runtime's own state
 */
export function createNative(options: { nativeDir: string; runtimePath: string; runtimeRoot: string }): Native {
  const program = (name: string) => join(options.nativeDir, name)
  const paths = {
    monitor: program('berth-monitor'),
    runtime: options.runtimePath || program('berth-runtime'),
    unpack: program('berth-unpack'),
    init: program('berth-init'),
  }
  return {
    paths,
    runtimeRoot: options.runtimeRoot,
    startMonitor: (document, socketCount, greet) => startMonitor(paths.monitor, document, socketCount, greet),
    connectMonitor,
    async runtime(args, { input, signal } = {}) {
      const result = await runProgram(paths.runtime, ['--root', options.runtimeRoot, '--log-format', 'json', ...args], {
        stdin: input,
        signal,
        allowedExitCodes: Array.from({ length: 256 }, (_, status) => status),
      })
      if (result.exitCode === 0) return result.stdout
      throw runtimeError(args[0] as string, result.stderr)
    },
    openHostTerminal,
  }
}

/** A runtime's last stderr line: runc's JSON log (`msg`), or plain text. */
function runtimeError(verb: string, stderr: string): EngineError {
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  let message = last
  try {
    message = (JSON.parse(last) as { msg?: string }).msg ?? last
  } catch {
    // Plain text: said as it is.
  }
  const code = /does not exist/.test(message)
    ? 'not_found'
    : /not running|not paused|cannot .* container in state/i.test(message)
      ? 'failed_precondition'
      : 'internal'
  return new EngineError(code, message || `the runtime's ${verb} failed without a word`)
}
