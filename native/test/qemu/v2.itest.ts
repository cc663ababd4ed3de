/**
 * The native programs on a pure cgroup v2 machine with Debian's own kernel (6.1): their integration tests run once more inside, except those
 * that another file system or kernel would only repeat. One boot for all; what fails inside is printed by name.
 */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from 'tinyglobby'
import { expect, it } from 'vitest'
import { runInGuest } from './machine.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Test names that are run inside, by file; null: none; a file that is not listed is run whole. */
const chosen: Record<string, string | null> = {
  'monitor.itest.ts': 'a process and its end|an exec|out of memory|rotates|echoes',
  'monitor-network.itest.ts': 'give the container|ports',
  'monitor-failure.itest.ts': null,
  'runtime-clients.itest.ts': null,
  'runtime.itest.ts': 'the life|exec|pause|namespaces|file system',
  'runtime-security.itest.ts': 'the runtime itself|null device|privileges|ENOSYS',
  'unpack.itest.ts': 'same view again, none|whiteouts|stopped|running process|what changed|without what is mounted',
  'unpack-hostile.itest.ts': 'does not follow|setuid|absurd times',
}

function files(): string[] {
  return globSync('native/test/*.itest.ts', { cwd: repository }).sort()
}

it('passes its own tests under pure cgroup v2 on kernel 6.1', { timeout: 330_000 }, async () => {
  //  expect(existsSync(join(repository, 'native/build/bin/berth-runtime')), 'native programs are not built: make -C native').toBe(true)
  const calls = files().flatMap((file) => {
    const names = chosen[basename(file)]
    if (names === null) return []
    const words = ['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.integration.config.ts', '--reporter=tap-flat', file]
    if (names) words.push('-t', names)
    return words.map((word) => `'${word}'`).join(' ')
  })
  const script = `test "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs || exit 99; failed=0; ${calls.map((call) => `${call} || failed=1`).join('; ')}; exit $failed`
  const result = await runInGuest(['bash', '-c', script], { repository, cwd: repository, timeoutMs: 310_000 })
  const failures = result.output.split('\n').filter((line) => line.startsWith('not ok') || line.startsWith('Bail out'))
  const passes = result.output.split('\n').filter((line) => /^ok \d+ (?!.*# SKIP)/.test(line))
  expect(failures, result.output).toEqual([])
  expect(result.exitCode, result.output).toBe(0)
  expect(passes.length, result.output).toBeGreaterThan(20)
})
