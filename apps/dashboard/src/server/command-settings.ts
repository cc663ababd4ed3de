import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSettings, type Settings } from './settings.ts'

/**
 * For the commands beside the server: the settings as `npm start` has them, from the environment and from the checkout's `.env` (BERTH_ENV_FILE names another), and where the migrations are.
 * @throws ServerError of loadSettings; the system's error when the file that was named is not there
 */
export function commandSettings(): { settings: Settings; migrations: string } {
  const here = dirname(fileURLToPath(import.meta.url))
  // Bundled to apps/dashboard/dist, run from apps/dashboard/src/server in development.
  const root = here.endsWith('dist') ? join(here, '../../..') : join(here, '../../../..')
  const file = process.env.BERTH_ENV_FILE ?? join(root, '.env')
  if (process.env.BERTH_ENV_FILE || existsSync(file)) process.loadEnvFile(file)
  return { settings: loadSettings(process.env), migrations: join(root, 'prisma/sqlite/migrations') }
}
