import { join } from 'node:path'
import { defineConfig } from '@playwright/test'
import { dashboardPort, sessionFile } from './apps/dashboard/e2e/environment-file.ts'

/**
 * The browser tests. One worker, because there is one dashboard with one state: `first` makes the first account and walks the whole path of the product; the
 * others start from its session.
 */
export default defineConfig({
  testDir: 'apps/dashboard/e2e',
  outputDir: 'artifacts/e2e/results',
  workers: 1,
  fullyParallel: false,
  // A machine that stutters may cost one try; a test that needed it is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: process.env.CI ? [['list'], ['json']] : [['list']],
  use: {
    baseURL: `http://localhost:${dashboardPort}`,
    viewport: { width: 1440, height: 900 },
    actionTimeout: 20_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      // Starts it in a network namespace of its own; BERTH_CHROMIUM names another browser.
      executablePath: join(import.meta.dirname, 'apps/dashboard/e2e/chromium'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
    permissions: ['clipboard-read', 'clipboard-write'],
  },
  projects: [
    { name: 'first', testMatch: /first-container\.spec\.ts/ },
    { name: 'pages', testIgnore: /first-container\.spec\.ts/, dependencies: ['first'], use: { storageState: sessionFile } },
  ],
  webServer: {
    command: 'node --import tsx apps/dashboard/e2e/environment.ts',
    url: `http://localhost:${dashboardPort}/sign-in`,
    timeout: 300_000,
    reuseExistingServer: !process.env.CI,
    stdout: 'pipe',
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 60_000 },
  },
})
