import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'prisma/config'

/**
 * Prisma's command line wants a native schema engine and downloads one unless a path is given. `generate`, `validate` and `format` never start it, so any
 * file will do; migrations are written with `prisma/new-migration.ts` and applied by the dashboard itself (src/server/data/migrate.ts).
 */
const here = dirname(fileURLToPath(import.meta.url))
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= join(here, 'no-schema-engine.sh')

export default defineConfig({ schema: join(here, 'sqlite'), migrations: { path: join(here, 'sqlite/migrations') } })
