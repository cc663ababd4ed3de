/** Checks of the agent inside the small QEMU machine: a program of TypeScript is bundled here, and run there by plain node. */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runInGuest } from '../../native/test/qemu/machine.ts'
import { bundleAgent } from './agent-process.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
// Software emulation on a busy machine is slow; the limit only ends a guest that hangs.
const guestTimeoutMs = 600_000
/** Of a test that calls `expectGuestChecks`: the guest's own limit, and the time to bundle and to clean up. */
export const guestTestTimeoutMs = guestTimeoutMs + 30_000

/** Boots once, runs `program` (a file of this folder) and expects so many lines `ok …`, then `done`, and exit status 0; all that it said stands in the failure. */
export async function expectGuestChecks(program: string, checks: number): Promise<void> {
  const bundle = await bundleAgent(program)
  try {
    const result = await runInGuest(['node', bundle.path], { repository, cwd: repository, timeoutMs: guestTimeoutMs })
    expect(result.output.split('\n').filter((line) => line.startsWith('ok ')).length, result.output).toBe(checks)
    expect(result.output.split('\n'), result.output).toContain('done')
    expect(result.exitCode, result.output).toBe(0)
  } finally {
    bundle.remove()
  }
}
