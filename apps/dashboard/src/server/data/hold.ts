import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { ServerError } from '../errors.ts'

export const lockFileName = 'dashboard.lock'

/**
 * Makes this process the only dashboard on its data until it ends, however it ends: roles and hosts are kept in memory, and a second dashboard would go on with what the first took away.
 * The lock is SQLite's own on an empty database beside the real one, which the kernel lets go with the process; commands that only look do not take it.
 * @returns the function that lets go
 * @throws ServerError `failed_precondition`
 */
export function holdData(dataRoot: string): () => void {
  mkdirSync(dataRoot, { recursive: true, mode: 0o700 })
  const lock = new SqliteDatabase(join(dataRoot, lockFileName), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new ServerError(
      'failed_precondition',
      `another dashboard is running on ${dataRoot}; stop it first, or give this one its own BERTH_DASHBOARD_DATA`,
      { cause },
    )
  }
  return () => lock.close()
}
