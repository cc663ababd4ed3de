import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { migrateSqlite } from '../apps/dashboard/src/server/data/migrate.ts'

/**
 * `npx tsx prisma/new-migration.ts <name>`: writes prisma/sqlite/migrations/<time>_<name>/migration.sql, the difference between the migrations there are
 * and prisma/models. `--check` writes nothing and fails when there is a difference. Needs no network: the schema engine is WebAssembly from npm.
 */
const here = dirname(fileURLToPath(import.meta.url))
const folder = join(here, 'sqlite/migrations')
const models = join(here, 'models')
const name = process.argv[2] ?? ''
if (name !== '--check' && !/^[a-z][a-z0-9_]{2,60}$/.test(name)) {
  console.error('usage: npx tsx prisma/new-migration.ts <name_in_snake_case> | --check')
  process.exit(2)
}

interface SchemaEngine {
  diff(input: object): Promise<{ stdout: string | null }>
}

/** The engine's glue expects a bundler to wire its memory; this is what the bundler would do. */
async function loadEngine(): Promise<{
  SchemaEngine: { new: (options: object, log: (line: string) => void, adapter: unknown) => Promise<SchemaEngine> }
}> {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'))
  const glue = await import(join(packageFolder, 'schema_engine_bg.js'))
  const bytes = readFileSync(join(packageFolder, 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  return glue
}

const scratch = mkdtempSync(join(tmpdir(), 'berth-migration-'))
try {
  const file = join(scratch, 'scratch.db')
  const url = `file:${file}`
  mkdirSync(folder, { recursive: true })
  const adapter = new PrismaBetterSqlite3({ url })
  if (readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory())) migrateSqlite(file, folder)
  else await (await adapter.connect()).dispose()
  const files = [
    { path: join(here, 'sqlite/datasource.prisma'), content: readFileSync(join(here, 'sqlite/datasource.prisma'), 'utf8') },
    ...readdirSync(models).map((one) => ({ path: join(models, one), content: readFileSync(join(models, one), 'utf8') })),
  ]
  const { SchemaEngine } = await loadEngine()
  const engine = await SchemaEngine.new(
    { datamodels: files.map((one) => [one.path, one.content]) },
    () => {},
    bindMigrationAwareSqlAdapterFactory(adapter),
  )
  const filters = { externalTables: ['_prisma_migrations'], externalEnums: [] }
  const { stdout } = await engine.diff({
    from: { tag: 'schemaDatasource', files, configDir: here },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters,
  })
  const sql = (stdout ?? '').trim()
  const empty = sql === '' || sql === '-- This is an empty migration.'
  if (name === '--check') {
    if (!empty) {
      console.error(`prisma/models and the migrations differ; write one with: npx tsx prisma/new-migration.ts <name>\n${sql}`)
      process.exitCode = 1
    }
  } else if (empty) console.log('nothing to do: the migrations give the schema of prisma/models')
  else {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
    const target = join(folder, `${stamp}_${name}`)
    mkdirSync(target)
    writeFileSync(join(target, 'migration.sql'), `${sql}\n`)
    console.log(target)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
