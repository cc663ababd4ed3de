import { defineConfig } from 'vitest/config'

// Unit tests: beside the source, seconds, no root.
export default defineConfig({
  test: {
    include: ['agent/**/*.test.ts', 'apps/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.next/**', '**/dist/**'],
    passWithNoTests: false,
    // Loading the modules anew for every file took three times what the tests take. So each worker runs many files: what a test changes of the world (clock, environment), it puts back.
    pool: 'forks',
    isolate: false,
    // Every core: the default leaves one of two idle.
    maxWorkers: '100%',
    // A busy machine is slow, not wrong.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
})
