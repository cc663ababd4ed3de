import { defineConfig } from 'vitest/config'

// Integration tests: root, real containers, one file after the other so that machine-wide things (bridges, cgroups) are not fought over.
export default defineConfig({
  test: {
    include: ['agent/**/*.itest.ts', 'apps/**/*.itest.ts', 'native/test/**/*.itest.ts'],
    exclude: ['**/node_modules/**', '**/.next/**', '**/dist/**'],
    fileParallelism: false,
    // A machine that stutters may cost one try. What fails twice is broken.
    retry: process.env.CI ? 1 : 0,
    // A busy machine is slow, not wrong.
    expect: { poll: { timeout: 20_000, interval: 50 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
})
