/**
 * The integration tests on the programs of `make -C native SAN=1`: `npx vitest run --config native/test/sanitizer.config.ts`. Whatever a sanitizer reports,
 * in whichever process, fails the test that it happened in (`sanitizer-reports.ts`).
 *
 * Not run again: other people's clients, which start the runtime with an environment of their own, and the cgroup v2 machine, which would take half an hour.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, mergeConfig } from 'vitest/config'
import integration from '../../vitest.integration.config.ts'

const programs = join(import.meta.dirname, '../build/san/bin')
const reports = join(import.meta.dirname, '../build/san/reports')
execFileSync('make', ['-s', '-C', join(import.meta.dirname, '..'), '-j2', 'SAN=1', 'all'], { stdio: 'inherit' })
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })

export default mergeConfig(
  integration,
  defineConfig({
    test: {
      root: join(import.meta.dirname, '../..'),
      exclude: ['**/node_modules/**', 'agent/**', 'apps/**', 'native/test/runtime-clients.itest.ts', 'native/test/qemu/**'],
      setupFiles: ['native/test/sanitizer-reports.ts'],
      // A report is no bad luck.
      retry: 0,
      env: {
        BERTH_NATIVE_BIN: programs,
        BERTH_RUNTIME: join(programs, 'berth-runtime'),
        BERTH_TEST_RUNTIME: join(programs, 'berth-runtime'),
        BERTH_INIT: join(programs, 'berth-init'),
        BERTH_SANITIZER_REPORTS: reports,
        ASAN_OPTIONS: `log_path=${reports}/asan:detect_leaks=1`,
        UBSAN_OPTIONS: `log_path=${reports}/ubsan:print_stacktrace=1`,
      },
    },
  }),
)
