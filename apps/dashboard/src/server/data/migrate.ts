import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ServerError } from '../errors.ts'

/**
 * Brings a SQLite database to the newest schema: applies `<folder>/<name>/migration.sql` in order of name, each in its own transaction, and writes the
 * same rows of `_prisma_migrations` that Prisma's own tools read. Two processes that start together are safe: the second waits and finds nothing to do.
 *
 * @returns the names that were applied now
 * @throws ServerError `failed_precondition` when the database is newer than this program, when an applied migration was edited, or when one was left half done;
 *   `data_loss` when a migration leaves a foreign key without its row. The failing migration leaves nothing behind.
 */
export function migrateSqlite(file: string, folder: string): string[] {
  const wanted = readMigrations(folder)
  const database = new Database(file)
  try {
    database.pragma('busy_timeout = 10000')
    database.pragma('journal_mode = WAL')
    // Prisma rebuilds a table by dropping it, which would cascade to its children. The pragma is a no-op inside a transaction, so it stands before it.
    database.pragma('foreign_keys = OFF')
    const applied: string[] = []
    for (const migration of wanted) if (applyOne(database, migration, wanted)) applied.push(migration.name)
    if (wanted.length === 0) throw new ServerError('internal', `there are no migrations in ${folder}`)
    return applied
  } finally {
    database.close()
  }
}

interface Migration {
  name: string
  sql: string
  checksum: string
}

function readMigrations(folder: string): Migration[] {
  if (!existsSync(folder)) throw new ServerError('internal', `the folder of migrations ${folder} is missing`)
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

const recordTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" ("id" TEXT PRIMARY KEY NOT NULL, "checksum" TEXT NOT NULL, "finished_at" DATETIME,
  "migration_name" TEXT NOT NULL, "logs" TEXT, "rolled_back_at" DATETIME, "started_at" DATETIME NOT NULL DEFAULT current_timestamp, "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0)`

/** False: it had been applied. Holds the database's only write lock while it looks and applies. */
function applyOne(database: Database.Database, migration: Migration, all: readonly Migration[]): boolean {
  database.exec('BEGIN EXCLUSIVE')
  try {
    database.exec(recordTable)
    const rows = database
      .prepare('SELECT migration_name AS name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL')
      .all() as {
      name: string
      checksum: string
      finished_at: unknown
    }[]
    checkHistory(rows, all)
    if (rows.some((row) => row.name === migration.name)) {
      database.exec('COMMIT')
      return false
    }
    database.exec(migration.sql)
    const broken = database.pragma('foreign_key_check') as unknown[]
    if (broken.length > 0)
      throw new ServerError(
        'data_loss',
        `migration ${migration.name} would leave ${broken.length} rows without what they belong to; nothing was changed`,
      )
    const now = Date.now()
    database
      .prepare(
        'INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name, started_at, applied_steps_count) VALUES (?, ?, ?, ?, ?, 1)',
      )
      .run(randomUUID(), migration.checksum, now, migration.name, now)
    database.exec('COMMIT')
    return true
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    if (error instanceof ServerError) throw error
    throw new ServerError('internal', `migration ${migration.name} failed and was undone: ${(error as Error).message}`, { cause: error })
  }
}

function checkHistory(rows: readonly { name: string; checksum: string; finished_at: unknown }[], all: readonly Migration[]): void {
  for (const row of rows) {
    const known = all.find((one) => one.name === row.name)
    if (!known)
      throw new ServerError(
        'failed_precondition',
        `the database was written by a newer version (it has migration ${row.name}); start that version, or restore a backup`,
      )
    if (known.checksum !== row.checksum)
      throw new ServerError('failed_precondition', `migration ${row.name} is not the one that was applied; its file must never be edited`)
    if (row.finished_at === null)
      throw new ServerError('failed_precondition', `migration ${row.name} was left half done by another tool; restore a backup`)
  }
}
