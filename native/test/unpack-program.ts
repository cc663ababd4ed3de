/** Calls of berth-unpack for its tests: synchronous, bytes in, bytes out, the error line parsed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from 'vitest'

/** Directory of the programs; a build with sanitizers is tested by pointing this at `native/build/san/bin`. */
export const programs = process.env.BERTH_NATIVE_BIN ?? fileURLToPath(new URL('../build/bin', import.meta.url))

export interface UnpackCall {
  status: number | null
  stdout: Buffer
  /** What came on descriptor 3. */
  answer: string
  stderr: string
  /** The JSON error line, if it failed. */
  error: { step: string; path: string; code: string; message: string } | null
}

export function unpack(args: string[], input: Buffer | string = ''): UnpackCall {
  const result = spawnSync(join(programs, 'berth-unpack'), args, {
    input,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 30,
    timeout: 30_000,
  })
  const stderr = result.stderr.toString()
  return {
    status: result.status,
    stdout: result.stdout,
    answer: result.output[3]?.toString() ?? '',
    stderr,
    error: result.status === 1 && stderr.startsWith('{') ? JSON.parse(stderr) : null,
  }
}

/** Like unpack, but a failure is the test's failure; the answer is stdout as JSON lines. */
export function answer(args: string[], input: Buffer | string = ''): Record<string, unknown>[] {
  const result = unpack(args, input)
  if (result.status !== 0) throw new Error(`berth-unpack ${args.join(' ')}: ${result.status} ${result.stderr}`)
  const text = result.stdout.toString().trim()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line))
}

/** Runs a program of the system; throws with its stderr. */
export function run(program: string, ...args: string[]): string {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.status} ${result.error ?? result.stderr}`)
  return result.stdout
}

/** A directory per test, removed afterwards. */
export function useDirectory(): () => string {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync('/var/tmp/berth-unpack-')
  })
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return () => directory
}
