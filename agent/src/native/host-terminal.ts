/** A shell on the host itself, for the host console: a pty by node-pty, which is loaded with the first console and never before. */
import type { IPty } from 'node-pty'
import { EngineError } from '../errors.ts'

export interface HostTerminal {
  readonly pid: number
  write(bytes: Uint8Array): void
  resize(cols: number, rows: number): void
  /** Stops reading the pty, so that the shell waits; resume() goes on. */
  pause(): void
  resume(): void
  /** SIGHUP, as when a terminal is closed. */
  close(): void
}

export interface HostTerminalOptions {
  /** Program and arguments; the shell of root by default. */
  command?: string[]
  cols: number
  rows: number
  cwd?: string
  data(bytes: Buffer): void
  exit(exitCode: number, signal: number | null): void
}

/** Opens a login shell on the host. Who may is the caller's question. @throws EngineError `internal` when no pty or process could be made */
export async function openHostTerminal(options: HostTerminalOptions): Promise<HostTerminal> {
  const { spawn } = await import('node-pty')
  const [file, ...args] = options.command ?? [process.env.SHELL ?? '/bin/bash', '-l']
  let pty: IPty
  try {
    pty = spawn(file as string, args, {
      name: 'xterm-256color',
      cols: options.cols,
      rows: options.rows,
      cwd: options.cwd ?? '/root',
      env: { ...cleanEnvironment(), TERM: 'xterm-256color' },
      encoding: null,
    })
  } catch (error) {
    throw new EngineError('internal', `cannot open a terminal on the host: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  pty.onData((data) => options.data(data as unknown as Buffer))
  pty.onExit(({ exitCode, signal }) => options.exit(exitCode, signal || null))
  return {
    pid: pty.pid,
    write: (bytes) => pty.write(Buffer.from(bytes)),
    resize: (cols, rows) => pty.resize(Math.max(1, cols), Math.max(1, rows)),
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    close: () => {
      try {
        pty.kill('SIGHUP')
      } catch (error) {
        // ESRCH: it ended by itself a moment ago, which is what was wanted.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    },
  }
}

/** The agent's environment without its own settings: a shell has no business with them. */
function cleanEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !name.startsWith('BERTH_') && !name.startsWith('NODE_')) kept[name] = value
  return kept
}
