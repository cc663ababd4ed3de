/** Containers on a machine whose clock is set by hours, in one boot of a machine of its own. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runInGuest } from '../../native/test/qemu/machine.ts'
import { bundleAgent } from './agent-process.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
// Software emulation on a busy machine is slow; the limit only ends a guest that hangs.
const guestTimeoutMs = 600_000

it('logs, health checks, restarts, statistics and events bear a clock that is set', { timeout: guestTimeoutMs + 30_000 }, async () => {
  const bundle = await bundleAgent('clock-guest.ts')
  try {
    const result = await runInGuest(['node', bundle.path], { repository, cwd: repository, timeoutMs: guestTimeoutMs })
    expect(result.output.split('\n').filter((line) => line.startsWith('ok ')).length, result.output).toBe(7)
    expect(result.output.split('\n'), result.output).toContain('done')
    expect(result.exitCode, result.output).toBe(0)
  } finally {
    bundle.remove()
  }
})
