import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { ServerError } from '../errors.ts'
import { PrismaClient } from './generated/sqlite/client.ts'
import { migrateSqlite } from './migrate.ts'
import { createSeal, readOrCreateMasterKey, type Seal } from './seal.ts'

export type Database = PrismaClient

export interface Data {
  database: Database
  seal: Seal
  /** Names of the migrations that this start applied. */
  migrated: string[]
  close(): Promise<void>
}

export const databaseFileName = 'dashboard.db'
export const masterKeyFileName = 'master.key'

/**
 * Opens the dashboard's data below `dataRoot`, making it on the first start. One process writes it.
 * @param migrations folder of the provider's migrations
 * @throws ServerError of migrateSqlite and readOrCreateMasterKey; `not_found` when it may not be made
 */
export async function openData(dataRoot: string, migrations: string, options: { create: boolean } = { create: true }): Promise<Data> {
  if (!options.create && !existsSync(join(dataRoot, databaseFileName)))
    throw new ServerError('not_found', `there is no dashboard data in ${dataRoot}; set BERTH_DASHBOARD_DATA or BERTH_DATA`)
  mkdirSync(dataRoot, { recursive: true, mode: 0o700 })
  chmodSync(dataRoot, 0o700)
  const file = join(dataRoot, databaseFileName)
  const seal = createSeal(readOrCreateMasterKey(join(dataRoot, masterKeyFileName), !existsSync(file)))
  const migrated = migrateSqlite(file, migrations)
  const database = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) })
  await database.$queryRawUnsafe('PRAGMA busy_timeout = 5000')
  return { database, seal, migrated, close: () => database.$disconnect() }
}
