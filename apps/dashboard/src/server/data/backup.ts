import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { ServerError } from '../errors.ts'
import { databaseFileName, masterKeyFileName } from './database.ts'
import { holdData } from './hold.ts'
import { createSeal, readOrCreateMasterKey } from './seal.ts'

/**
 * Copies the dashboard's data to a new folder (0700): the database as it is at this instant, also while the dashboard runs, and the master key, without which its
 * secrets cannot be read. Whoever has the folder has everything: keep it as you keep the machine.
 * @throws ServerError `already_exists`, `not_found`. On failure the target is not there
 */
export async function backUp(dataRoot: string, target: string): Promise<void> {
  const source = join(dataRoot, databaseFileName)
  if (!existsSync(source))
    throw new ServerError('not_found', `there is no dashboard data in ${dataRoot}; set BERTH_DASHBOARD_DATA or BERTH_DATA`)
  if (existsSync(target)) throw new ServerError('already_exists', `${target} exists already; name a folder that does not`)
  mkdirSync(dirname(target), { recursive: true })
  const fresh = mkdtempSync(`${target}.part-`)
  try {
    const database = new SqliteDatabase(source, { readonly: true })
    try {
      await database.backup(join(fresh, databaseFileName))
    } finally {
      database.close()
    }
    copyFileSync(join(dataRoot, masterKeyFileName), join(fresh, masterKeyFileName))
    requireWhole(fresh)
    renameSync(fresh, target)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
}

/**
 * Puts a backup in place of the dashboard's data; what was there is kept beside it as `<dataRoot>.before-restore-<time>`. The dashboard must not be running.
 * @throws ServerError `failed_precondition` while it runs, `data_loss` when the backup is not whole. Nothing is changed then
 * @returns where the data from before is, null when there was none
 */
export function restore(dataRoot: string, backup: string): string | null {
  requireWhole(backup)
  const present = existsSync(join(dataRoot, databaseFileName))
  if (present) requireStopped(dataRoot)
  mkdirSync(dirname(dataRoot), { recursive: true })
  const fresh = mkdtempSync(`${dataRoot}.part-`)
  let kept: string | null = null
  try {
    for (const file of [databaseFileName, masterKeyFileName]) copyFileSync(join(backup, file), join(fresh, file))
    if (existsSync(dataRoot)) {
      if (readdirSync(dataRoot).length > 0) {
        kept = `${dataRoot}.before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
        renameSync(dataRoot, kept)
      } else rmSync(dataRoot, { recursive: true })
    }
    renameSync(fresh, dataRoot)
    return kept
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (kept && !existsSync(dataRoot)) renameSync(kept, dataRoot)
    throw error
  }
}

/** A database that is in order, and the key that opens its secrets. */
function requireWhole(folder: string): void {
  const file = join(folder, databaseFileName)
  if (!existsSync(file) || !existsSync(join(folder, masterKeyFileName)))
    throw new ServerError('not_found', `${folder} is no backup: it must hold ${databaseFileName} and ${masterKeyFileName}`)
  const seal = createSeal(readOrCreateMasterKey(join(folder, masterKeyFileName), false))
  const database = new SqliteDatabase(file, { readonly: true })
  try {
    const [{ integrity_check: verdict } = { integrity_check: '' }] = database.pragma('integrity_check') as { integrity_check: string }[]
    if (verdict !== 'ok') throw new ServerError('data_loss', `the database in ${folder} is damaged: ${verdict}`)
    for (const { name, sealed } of database.prepare('SELECT name, sealed FROM "Secret"').all() as { name: string; sealed: string }[])
      seal.open(sealed, name)
  } finally {
    database.close()
  }
}

/** @throws ServerError `failed_precondition` */
function requireStopped(dataRoot: string): void {
  try {
    holdData(dataRoot)()
  } catch (cause) {
    throw new ServerError('failed_precondition', 'the dashboard is running on this data; stop it first, then restore', { cause })
  }
}
