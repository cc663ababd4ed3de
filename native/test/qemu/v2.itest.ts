/**
 * The native programs on a pure cgroup v2 machine with Debian's own kernel (6.1): those of their integration tests that another kernel and another cgroup
 * version can change run once more inside. One boot for all; what fails inside is printed by name.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runInGuest } from './machine.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Test names that are run inside, by file; no other file is. */
const chosen: Record<string, string> = {
  'runtime.itest.ts':
    'created, started|by name, by name|runs with the status|freezes|limits at create|unified|the listed devices|maps users|executes in a user',
  'runtime-callers.itest.ts': 'below the container are joined|where systemd would|decide the processors|with their owners',
  'runtime-security.itest.ts': 'the runtime itself|null device|privileges|ENOSYS',
  'monitor.itest.ts': 'answers, writes the log|tells a signal|an exec|out of memory|echoes',
  'monitor-network.itest.ts': 'give the container|relay TCP',
  'unpack.itest.ts': 'same view again, none|whiteouts|stopped|running process',
  'unpack-hostile.itest.ts': 'setuid',
}

// Software emulation on a busy machine is slow; the limit only ends a guest that hangs.
const guestTimeoutMs = 900_000

it('passes its own tests under pure cgroup v2 on kernel 6.1', { timeout: guestTimeoutMs + 30_000 }, async () => {
  expect(existsSync(join(repository, 'native/build/bin/berth-runtime')), 'native programs are not built: make -C native').toBe(true)
  const files = Object.keys(chosen).map((name) => `native/test/${name}`)
  const words = [
    'node',
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'vitest.integration.config.ts',
    '--reporter=tap-flat',
    '--retry=1',
  ]
  const call = [...words, ...files, '-t', Object.values(chosen).join('|')].map((word) => `'${word}'`).join(' ')
  const script = `test "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs || exit 99; ${call}`
  const result = await runInGuest(['bash', '-c', script], { repository, cwd: repository, timeoutMs: guestTimeoutMs })
  const failures = result.output.split('\n').filter((line) => line.startsWith('not ok') || line.startsWith('Bail out'))
  const passes = result.output.split('\n').filter((line) => /^ok \d+ (?!.*# SKIP)/.test(line))
  expect(failures, result.output).toEqual([])
  expect(result.exitCode, result.output).toBe(0)
  expect(passes.length, result.output).toBeGreaterThan(15)
})
