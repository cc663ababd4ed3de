import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Access } from '../access/access.ts'
import { Audit, theDashboard } from '../audit/audit.ts'
import { openAuthority } from '../hosts/authority.ts'
import { makeRequest } from '../hosts/certificate-request.fixture.ts'
import { Enrolment } from '../hosts/enrolment.ts'
import { Hosts } from '../hosts/hosts.ts'
import { ApiTokens } from '../identity/api-tokens.ts'
import { People } from '../identity/people.ts'
import { Sessions } from '../identity/sessions.ts'
import { SignIn } from '../identity/sign-in.ts'
import { accountKey, Throttle } from '../identity/throttle.ts'
import { createLog } from '../log.ts'
import { until } from '../testing/dashboard.fixture.ts'
import type { Data, Database } from './database.ts'
import { createSeal } from './seal.ts'

/**
 * The same models and the same rooms on a real PostgreSQL, which replicas will share: whatever SQLite alone can have fails here. The product uses SQLite; nothing but this test
 * makes a PostgreSQL client.
 */
const root = join(import.meta.dirname, '../../../../..')
const client = join(import.meta.dirname, 'generated', `postgresql-${process.pid}`)
const models = join(root, 'prisma/models')
const folder = mkdtempSync('/tmp/berth-postgresql-')
let stop: () => Promise<void>
let data: Data

beforeAll(async () => {
  const [version] = readdirSync('/usr/lib/postgresql').sort().reverse()
  const program = (name: string) => `/usr/lib/postgresql/${version}/bin/${name}`
  // PostgreSQL refuses to run as root.
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))) as [
    number,
    number,
  ]
  chownSync(folder, uid, gid)
  const place = join(folder, 'data')
  execFileSync(program('initdb'), ['-D', place, '-U', 'berth', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C.UTF-8'], {
    uid,
    gid,
    stdio: 'pipe',
  })
  const server = spawn(program('postgres'), ['-D', place, '-k', folder, '-c', 'listen_addresses=', '-F'], { uid, gid, stdio: 'pipe' })
  let said = ''
  server.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  stop = async () => {
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGINT')
    await gone
  }
  await until(() => said.includes('ready to accept connections'), 'PostgreSQL')

  const schema = join(folder, 'schema')
  mkdirSync(schema)
  const datasource = `datasource db {\n  provider = "postgresql"\n}\ngenerator client {\n  provider = "prisma-client"\n  output = "${client}"\n  compilerBuild = "small"\n  moduleFormat = "esm"\n  importFileExtension = "ts"\n}\n`
  const files = [
    { path: join(schema, 'datasource.prisma'), content: datasource },
    ...readdirSync(models).map((name) => ({ path: join(schema, name), content: readFileSync(join(models, name), 'utf8') })),
  ]
  for (const { path, content } of files) writeFileSync(path, content)
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/prisma/build/index.js'), 'generate', '--schema', schema, '--config', join(root, 'prisma/prisma.config.ts')],
    {
      cwd: root,
      stdio: 'pipe',
    },
  )
  const adapter = new PrismaPg({ host: folder, user: 'berth', database: 'postgres' })
  const { PrismaClient } = (await import(/* @vite-ignore */ join(client, 'client.ts'))) as {
    PrismaClient: new (options: object) => Database
  }
  const database = new PrismaClient({ adapter })
  for (const statement of (await schemaSql(adapter, files)).split(/;\s*$/m))
    if (statement.trim()) await database.$executeRawUnsafe(statement)
  data = { database, seal: createSeal(randomBytes(32)), migrated: [], close: () => database.$disconnect() }
})
afterAll(async () => {
  await data?.close()
  await stop?.()
  rmSync(client, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
})

/** The statements that make the models' tables, by Prisma's own schema engine. */
async function schemaSql(adapter: PrismaPg, files: { path: string; content: string }[]): Promise<string> {
  const engineFolder = join(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'), '..')
  const glue = await import(/* @vite-ignore */ join(engineFolder, 'schema_engine_bg.js'))
  const { instance } = await WebAssembly.instantiate(readFileSync(join(engineFolder, 'schema_engine_bg.wasm')), {
    './schema_engine_bg.js': glue,
  })
  glue.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  const engine = await glue.SchemaEngine.new(
    { datamodels: files.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(adapter),
  )
  const { stdout } = (await engine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    shadowDatabaseUrl: null,
    filters: { externalTables: [], externalEnums: [] },
  })) as { stdout: string }
  return stdout
}

it('carries people, sessions, tokens, invitations and their throttle', async () => {
  const { database } = data
  const access = await Access.open(database)
  const sessions = new Sessions(database, access)
  const throttle = new Throttle(database)
  const people = new People(database, access, sessions, throttle)
  const id = await people.createFirst({ name: 'Ada', email: 'Ada@Example.com', password: 'correct horse battery' })
  const signIn = new SignIn(data, sessions, throttle)
  const client = { from: '192.0.2.1', userAgent: 'test' }
  const { secret } = await signIn.withPassword({ email: 'ada@example.com', password: 'correct horse battery' }, client)
  expect(await sessions.resolve(secret, client.from)).toMatchObject({ personId: id, via: 'session' })
  await expect(signIn.withPassword({ email: 'ada@example.com', password: 'wrong' }, client)).rejects.toThrow('is wrong')
  for (let n = 0; n < 6; n += 1) await throttle.take([accountKey('x')]).catch(() => undefined)
  await expect(throttle.take([accountKey('x')])).rejects.toThrow('wait')
  const tokens = new ApiTokens(database, access)
  const { token } = await tokens.create(id, { name: 'ci', limit: { scope: '*', role: 'viewer' }, days: 1 })
  expect(await tokens.resolve(token, '')).toMatchObject({ via: 'token', limit: { role: 'viewer' } })
  const { secret: link } = await people.invite({
    email: 'lin@example.com',
    grants: [{ scope: '*', role: 'operator' }],
    hours: 1,
    createdBy: 'Ada',
  })
  const { personId } = await people.acceptInvitation(link, { name: 'Lin', password: 'lin has a long secret' }, '')
  await people.setGrants(personId, [{ scope: '*', role: 'viewer' }])
  expect((await people.list()).map((one) => [one.name, one.grants[0]?.role])).toEqual([
    ['Ada', 'admin'],
    ['Lin', 'viewer'],
  ])
  await expect(people.remove(id)).rejects.toThrow('nobody else is Admin')
  await people.remove(personId)
  expect(await sessions.ended([])).toEqual([])
})

it('carries the audit, its chain and its filters, written by two at once, and what a crash left', async () => {
  const log = createLog('silent')
  const [one, two] = [new Audit(data, log), new Audit(data, log)]
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? one : two).append({ actor: theDashboard, action: `a.${n}`, subject: `s${n}`, outcome: 'ok', detail: { n } }),
    ),
  )
  await one.begin({ actor: theDashboard, action: 'b', subject: 'left' })
  expect(await two.settleLeftovers()).toBe(1)
  expect(await two.verify()).toMatchObject({ ok: true, checked: 21 })
  expect((await two.list({ text: 'left', outcome: 'unknown', since: '2020-01-01T00:00:00Z' }, null, 10)).records).toHaveLength(1)
})

it('carries the authority and hosts that join', async () => {
  const authority = await openAuthority(data)
  expect((await openAuthority(data)).fingerprint).toBe(authority.fingerprint)
  const hosts = await Hosts.open(data)
  const enrolment = new Enrolment(data, hosts, authority, new Audit(data, createLog('silent')), new Throttle(data.database))
  const { token } = await enrolment.createToken({ minutes: 5, createdBy: 'test' })
  const { csr } = await makeRequest('pg')
  const body = { token, csr, hostname: 'pg', port: 1, engineId: 'pg', agentVersion: '0', address: '192.0.2.9' }
  const answers = await Promise.allSettled([enrolment.enrol(body, ''), enrolment.enrol({ ...body, engineId: 'pg2' }, '')])
  expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected'])
  const [host] = (await Hosts.open(data)).list()
  expect(host).toMatchObject({ address: '192.0.2.9', revokedAt: null })
  await hosts.seen(host?.id as string, new Date(), null)
  await hosts.revoke(host?.id as string)
  await hosts.remove(host?.id as string)
})
