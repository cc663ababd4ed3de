import { defineConfig } from 'vitest/config'

// Unit tests: beside the source, seconds, no root.
export default defineConfig({
  test: {
    include: ['agent/**/*.test.ts', 'apps/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.next/**', '**/dist/**'],
    passWithNoTests: false,
  },
})
