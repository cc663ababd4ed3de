import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backUp, restore } from './backup.ts'
import { openData } from './database.ts'
import { holdData } from './hold.ts'
import { migrateSqlite } from './migrate.ts'
import { createSeal, readOrCreateMasterKey } from './seal.ts'

// Key derivation, certificates and synced writes on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const root = join(import.meta.dirname, '../../../../..')
const migrations = join(root, 'prisma/sqlite/migrations')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function migration(name: string, sql: string): void {
  mkdirSync(join(folder, 'm', name), { recursive: true })
  writeFileSync(join(folder, 'm', name, 'migration.sql'), sql)
}

it('gives by its migrations the schema of prisma/models', () => {
  execFileSync(process.execPath, ['--import', 'tsx', join(root, 'prisma/new-migration.ts'), '--check'], { cwd: root, stdio: 'pipe' })
})

it('applies what is new, once, in order', () => {
  const file = join(folder, 'x.db')
  migration('1_a', 'CREATE TABLE a (id INTEGER PRIMARY KEY);')
  expect(migrateSqlite(file, join(folder, 'm'))).toEqual(['1_a'])
  migration('2_b', 'INSERT INTO a VALUES (7);')
  expect(migrateSqlite(file, join(folder, 'm'))).toEqual(['2_b'])
  expect(migrateSqlite(file, join(folder, 'm'))).toEqual([])
})

it('keeps the children of a table that a migration rebuilds', () => {
  const file = join(folder, 'x.db')
  migration(
    '1_a',
    'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id) ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1);',
  )
  migration(
    '2_rebuild',
    'PRAGMA foreign_keys=OFF; CREATE TABLE n (id INTEGER PRIMARY KEY, extra TEXT); INSERT INTO n (id) SELECT id FROM p; DROP TABLE p; ALTER TABLE n RENAME TO p; PRAGMA foreign_keys=ON;',
  )
  migrateSqlite(file, join(folder, 'm'))
  const database = new SqliteDatabase(file)
  expect(database.prepare('SELECT count(*) AS n FROM c').get()).toEqual({ n: 1 })
  database.close()
})

it('undoes a migration that fails, and refuses one that would orphan rows, an edited one, and a newer database', () => {
  const file = join(folder, 'x.db')
  migration(
    '1_a',
    'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p(id)); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);',
  )
  migrateSqlite(file, join(folder, 'm'))
  migration('2_bad', 'CREATE TABLE b (id INTEGER); SELECT nonsense FROM nowhere;')
  expect(() => migrateSqlite(file, join(folder, 'm'))).toThrow(/2_bad failed and was undone/)
  rmSync(join(folder, 'm/2_bad'), { recursive: true })
  migration('2_orphan', 'DELETE FROM p;')
  expect(() => migrateSqlite(file, join(folder, 'm'))).toThrow(/nothing was changed/)
  rmSync(join(folder, 'm/2_orphan'), { recursive: true })
  expect(migrateSqlite(file, join(folder, 'm'))).toEqual([])
  writeFileSync(join(folder, 'm/1_a/migration.sql'), '-- edited')
  expect(() => migrateSqlite(file, join(folder, 'm'))).toThrow(/must never be edited/)
  rmSync(join(folder, 'm/1_a'), { recursive: true })
  migration('0_other', 'CREATE TABLE z (id INTEGER);')
  expect(() => migrateSqlite(file, join(folder, 'm'))).toThrow(/newer version/)
})

it('says in one sentence what is wrong with the key: missing, short, of another database', async () => {
  const live = join(folder, 'live')
  const data = await openData(live, migrations)
  const { openAuthority } = await import('../hosts/authority.ts')
  await openAuthority(data)
  await data.close()
  const key = readFileSync(join(live, 'master.key'))
  rmSync(join(live, 'master.key'))
  await expect(openData(live, migrations)).rejects.toThrow(/master\.key is missing but the database exists; restore the key from a backup/)
  expect(existsSync(join(live, 'master.key'))).toBe(false)
  writeFileSync(join(live, 'master.key'), 'c2hvcnQ=')
  await expect(openData(live, migrations)).rejects.toThrow(/does not hold a key of 32 bytes; restore it from a backup/)
  writeFileSync(join(live, 'master.key'), Buffer.alloc(32, 7).toString('base64'))
  const wrong = await openData(live, migrations)
  await expect(openAuthority(wrong)).rejects.toThrow(
    /cannot be opened: the master key is not the one it was sealed with; restore the key file/,
  )
  await wrong.close()
  writeFileSync(join(live, 'master.key'), key)
  const right = await openData(live, migrations)
  expect((await openAuthority(right)).fingerprint).toMatch(/^sha256:/)
  await right.close()
})

it('brings the database of the first version forward, with everything in it', async () => {
  const live = join(folder, 'live')
  const first = join(folder, 'first')
  mkdirSync(live)
  for (const name of readdirSync(migrations).sort().slice(0, 2)) cpSync(join(migrations, name), join(first, name), { recursive: true })
  readOrCreateMasterKey(join(live, 'master.key'), true)
  expect(migrateSqlite(join(live, 'dashboard.db'), first)).toHaveLength(2)
  const old = new SqliteDatabase(join(live, 'dashboard.db'))
  old.exec(
    `INSERT INTO "Person" (id, email, name, passwordHash) VALUES ('p', 'ada@example.com', 'Ada', 'x'); INSERT INTO "Grant" VALUES ('p', '*', 'admin')`,
  )
  old.close()
  const data = await openData(live, migrations)
  expect(data.migrated.length).toBe(readdirSync(migrations).length - 2)
  expect(await data.database.person.findMany({ include: { grants: true } })).toMatchObject([{ name: 'Ada', grants: [{ role: 'admin' }] }])
  expect(await data.database.auditIntent.count()).toBe(0)
  await data.close()
})

it('seals for one key and one place', () => {
  const seal = createSeal(readOrCreateMasterKey(join(folder, 'k'), true))
  const sealed = seal.seal('secret', 'totp:1')
  expect(sealed).not.toContain('secret')
  expect(seal.open(sealed, 'totp:1')).toBe('secret')
  expect(() => seal.open(sealed, 'totp:2')).toThrow(/cannot be opened/)
  expect(() => createSeal(readOrCreateMasterKey(join(folder, 'k2'), true)).open(sealed, 'totp:1')).toThrow(/cannot be opened/)
  // A letter in the middle: the last one may carry bits that are not decoded.
  const at = Math.floor(sealed.length / 2)
  const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
  expect(() => seal.open(changed, 'totp:1')).toThrow(/cannot be opened/)
  expect(statSync(join(folder, 'k')).mode & 0o777).toBe(0o600)
  expect(() => readOrCreateMasterKey(join(folder, 'gone'), false)).toThrow(/missing/)
})

it('holds no secret in the clear', async () => {
  const data = await openData(join(folder, 'd'), migrations)
  const { openAuthority } = await import('../hosts/authority.ts')
  const authority = await openAuthority(data)
  await data.close()
  const bytes = readdirSync(join(folder, 'd'))
    .filter((file) => file.startsWith('dashboard.db'))
    .map((file) => readFileSync(join(folder, 'd', file)).toString('latin1'))
    .join('')
  expect(bytes).not.toContain('PRIVATE KEY')
  expect(authority.certificate).toContain('CERTIFICATE')
})

it('is backed up while it is used, and restored with its secrets; what was there is kept', async () => {
  const live = join(folder, 'live')
  const data = await openData(live, migrations)
  await data.database.secret.create({ data: { name: 'n', sealed: data.seal.seal('first', 'n') } })
  await backUp(live, join(folder, 'backup'))
  await data.database.secret.update({ where: { name: 'n' }, data: { sealed: data.seal.seal('second', 'n') } })
  await expect(backUp(live, join(folder, 'backup'))).rejects.toThrow(/exists already/)
  const letGo = holdData(live)
  expect(() => restore(live, join(folder, 'backup'))).toThrow(/is running/)
  expect(() => holdData(live)).toThrow(/another dashboard is running on .*live; stop it first/)
  letGo()
  await data.close()
  const kept = restore(live, join(folder, 'backup'))
  expect(kept && existsSync(join(kept, 'dashboard.db'))).toBe(true)
  const again = await openData(live, migrations)
  const row = await again.database.secret.findUniqueOrThrow({ where: { name: 'n' } })
  expect(again.seal.open(row.sealed, 'n')).toBe('first')
  await again.close()
})

it('is not restored from what is not whole', async () => {
  const data = await openData(join(folder, 'live'), migrations)
  await data.database.secret.create({ data: { name: 'n', sealed: data.seal.seal('first', 'n') } })
  await data.close()
  await backUp(join(folder, 'live'), join(folder, 'good'))
  cpSync(join(folder, 'good'), join(folder, 'wrong-key'), { recursive: true })
  chmodSync(join(folder, 'wrong-key/master.key'), 0o600)
  writeFileSync(join(folder, 'wrong-key/master.key'), Buffer.alloc(32, 1).toString('base64'))
  expect(() => restore(join(folder, 'live'), join(folder, 'wrong-key'))).toThrow(/master key/)
  expect(() => restore(join(folder, 'live'), join(folder, 'nowhere'))).toThrow(/is no backup/)
  expect(existsSync(join(folder, 'live/dashboard.db'))).toBe(true)
})
