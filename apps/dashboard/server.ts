import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDashboard } from './src/server/start.ts'

/**
 * The dashboard's one process: Next.js, the API, the socket gateway and the links to the agents. `--dev` serves uncompiled pages.
 * Ends with 0 at SIGTERM or SIGINT, with 1 and one sentence when it cannot start.
 */
const here = dirname(fileURLToPath(import.meta.url))
// Bundled to dist/server.js, run from source in development: either way the application's folder is the one with messages/ in it.
const applicationRoot = here.endsWith('dist') ? join(here, '..') : here
process.chdir(applicationRoot)

try {
  const dashboard = await startDashboard({ applicationRoot, development: process.argv.includes('--dev') })
  let ending = false
  const end = (): void => {
    if (ending) return
    ending = true
    dashboard.close().then(
      () => process.exit(0),
      (error) => {
        console.error(`dashboard: could not end cleanly: ${error instanceof Error ? error.message : error}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  // A bug in one corner must not take everybody's pages away.
  process.on('unhandledRejection', (error) => dashboard.rooms.log.error({ err: error }, 'a promise was rejected and nobody listened'))
  process.on('SIGINT', end)
} catch (error) {
  console.error(`dashboard: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
