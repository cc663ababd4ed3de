/** The engine on a pure cgroup v2 machine (Debian's kernel 6.1, software emulation): what differs from version 1, in one boot. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runInGuest } from '../../native/test/qemu/machine.ts'
import { bundleAgent } from './agent-process.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
// Software emulation on a busy machine is slow; the limit only ends a guest that hangs.
const guestTimeoutMs = 600_000

it('limits, measures, updates, freezes and stops by the unified hierarchy', { timeout: guestTimeoutMs + 30_000 }, async () => {
  const bundle = await bundleAgent('cgroup-v2-guest.ts')
  try {
    const result = await runInGuest(['node', bundle.path], { repository, cwd: repository, timeoutMs: guestTimeoutMs })
    expect(result.output.split('\n').filter((line) => line.startsWith('ok ')).length, result.output).toBe(9)
    expect(result.output.split('\n'), result.output).toContain('done')
    expect(result.exitCode, result.output).toBe(0)
  } finally {
    bundle.remove()
  }
})
