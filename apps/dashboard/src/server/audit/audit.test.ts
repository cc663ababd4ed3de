import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Data, openData } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { createLog } from '../log.ts'
import { Audit, theDashboard, verifyChain } from './audit.ts'
import { redact } from './redact.ts'

// Key derivation, certificates and synced writes on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const migrations = join(import.meta.dirname, '../../../../../prisma/sqlite/migrations')
let folder: string
let data: Data
let audit: Audit

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-audit-'))
  data = await openData(folder, migrations)
  audit = new Audit(data, createLog('silent'))
})
afterEach(async () => {
  await data.close()
  rmSync(folder, { recursive: true, force: true })
})

const sql = (text: string) => data.database.$executeRawUnsafe(text)

describe('the chain', () => {
  it('is whole after many lines at once, and when it is empty', async () => {
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 0 })
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => audit.append({ actor: theDashboard, action: `a.${n}`, outcome: 'ok', detail: { n } })),
    )
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 40 })
  })

  it('cannot be changed through the database as it is', async () => {
    await audit.append({ actor: theDashboard, action: 'a', outcome: 'ok' })
    await expect(sql(`UPDATE "AuditRecord" SET outcome = 'no'`)).rejects.toThrow(/never changed/)
    await expect(sql('DELETE FROM "AuditRecord"')).rejects.toThrow(/never removed/)
  })

  it.each([
    ['a changed line', `UPDATE "AuditRecord" SET subject = 'other' WHERE sequence = 2`, 2, /line 2 was changed/],
    ['a removed line', 'DELETE FROM "AuditRecord" WHERE sequence = 2', 2, /line 2 is missing/],
    ['a cut end', 'DELETE FROM "AuditRecord" WHERE sequence >= 3', 3, /ends at line 2, but the sealed head is line 4/],
    ['everything gone', 'DELETE FROM "AuditRecord"', 1, /ends at line 0/],
  ])('shows %s to whoever took the triggers away', async (_, tampering, at, reason) => {
    for (let n = 1; n <= 4; n += 1) await audit.append({ actor: theDashboard, action: 'a', subject: `s${n}`, outcome: 'ok' })
    await sql('DROP TRIGGER "AuditRecord_no_update"')
    await sql('DROP TRIGGER "AuditRecord_no_delete"')
    await sql(tampering)
    const verdict = await verifyChain(data)
    expect(verdict).toMatchObject({ ok: false, brokenAt: at })
    expect(verdict.reason).toMatch(reason)
  })

  it('is checked as it was when the checking began, while lines are appended', async () => {
    for (let n = 0; n < 5; n += 1) await audit.append({ actor: theDashboard, action: 'a', outcome: 'ok' })
    const [verdict] = await Promise.all([
      audit.verify(),
      ...Array.from({ length: 10 }, () => audit.append({ actor: theDashboard, action: 'b', outcome: 'ok' })),
    ])
    expect(verdict).toMatchObject({ ok: true, checked: 5 })
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 15 })
  })

  it('is one chain when two processes write it', async () => {
    const other = new Audit(data, createLog('silent'))
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? audit : other).append({ actor: theDashboard, action: `a.${n}`, outcome: 'ok' })),
    )
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 20 })
  })

  it('filters and pages, newest first', async () => {
    for (let n = 1; n <= 25; n += 1)
      await audit.append({
        actor: { ...theDashboard, personName: n % 2 ? 'Ann' : 'Bob' },
        action: n % 5 ? 'containers.start' : 'images.pull',
        subject: `s${n}`,
        outcome: n === 7 ? 'not_found' : 'ok',
      })
    const first = await audit.list({}, null, 10)
    expect(first.records.map((record) => record.sequence)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16])
    expect((await audit.list({}, first.nextCursor, 100)).records).toHaveLength(15)
    expect((await audit.list({ action: 'images.' }, null, 100)).records).toHaveLength(5)
    expect((await audit.list({ outcome: 'failed' }, null, 100)).records.map((record) => record.subject)).toEqual(['s7'])
    expect((await audit.list({ text: 'Bob', action: 'images.' }, null, 100)).records).toHaveLength(2)
    expect((await audit.list({ text: 'images.pu' }, null, 100)).records).toHaveLength(5)
    const exported: number[] = []
    for await (const entry of audit.export({ action: 'images.' })) exported.push(entry.sequence)
    expect(exported).toEqual([5, 10, 15, 20, 25])
  })
})

describe('what is about to be done', () => {
  const beginning = {
    actor: { ...theDashboard, personName: 'Ann' },
    action: 'containers.remove',
    subject: 'web',
    detail: { password: 'p' },
  }
  const intents = () => data.database.auditIntent.count()

  it('is on disk before it is done, and becomes one line with the outcome', async () => {
    const seen: number[] = []
    await audit.record(beginning, async () => seen.push(await intents()))
    await expect(
      audit.record(beginning, async () => {
        throw new ServerError('not_found', 'no such container: web')
      }),
    ).rejects.toThrow('no such')
    expect(seen).toEqual([1])
    expect(await intents()).toBe(0)
    const { records } = await audit.list({}, null, 10)
    expect(records.map(({ outcome, message, detail }) => ({ outcome, message, detail }))).toEqual([
      { outcome: 'not_found', message: 'no such container: web', detail: '{"password":"…"}' },
      { outcome: 'ok', message: '', detail: '{"password":"…"}' },
    ])
  })

  it('is settled once, whatever else is said of it', async () => {
    const intent = await audit.begin(beginning)
    await Promise.all([intent.settle('ok'), intent.settle('internal', 'late')])
    expect((await audit.list({}, null, 10)).records.map((record) => record.outcome)).toEqual(['ok'])
  })

  it('is a line with the outcome unknown after a crash in between, and the chain is whole', async () => {
    await audit.append({ actor: theDashboard, action: 'before', outcome: 'ok' })
    await audit.begin(beginning)
    await audit.begin({ ...beginning, subject: 'db' })
    // The next process finds them.
    const next = new Audit(data, createLog('silent'))
    expect(await next.settleLeftovers()).toBe(2)
    expect(await next.settleLeftovers()).toBe(0)
    const { records } = await next.list({ outcome: 'unknown' }, null, 10)
    expect(records.map(({ personName, action, subject }) => [personName, action, subject])).toEqual([
      ['Ann', 'containers.remove', 'db'],
      ['Ann', 'containers.remove', 'web'],
    ])
    expect(records[0]?.message).toContain('begun at')
    expect(await next.verify()).toMatchObject({ ok: true, checked: 3 })
  })

  it('is counted, not written, when the same refusal comes without end; nothing is left behind', async () => {
    let now = Date.now()
    const clocked = new Audit(data, createLog('silent'), () => now)
    const refusal = { ...beginning, action: 'session.signIn', outcome: 'resource_exhausted', message: 'wait' }
    for (let n = 0; n < 100; n += 1) await (await clocked.begin(refusal)).refuse('resource_exhausted', 'wait')
    await clocked.appendRefusal({ ...refusal, actor: { ...refusal.actor, from: '192.0.2.9' } })
    expect(await intents()).toBe(0)
    expect((await clocked.list({}, null, 500)).records).toHaveLength(31)
    now += 61_000
    await clocked.appendRefusal(refusal)
    expect((await clocked.list({}, null, 1)).records[0]?.message).toBe('wait (and 70 more like this before)')
  })
})

describe('redaction', () => {
  it('takes the values of secrets, environments and build arguments away and keeps the rest', () => {
    const text = redact({
      password: 'p',
      apiToken: 't',
      code: '123456',
      options: { env: ['A=1', 'FLAG'], labels: { tier: 'web' } },
      buildArgs: { KEY: 'v' },
      container: 'web',
      force: true,
    })
    expect(JSON.parse(text)).toEqual({
      password: '…',
      apiToken: '…',
      code: '…',
      options: { env: ['A=…', 'FLAG'], labels: { tier: 'web' } },
      buildArgs: { KEY: '…' },
      container: 'web',
      force: true,
    })
  })

  it('is bounded, whatever comes', () => {
    expect(redact({ text: 'x'.repeat(100_000), list: Array.from({ length: 10_000 }, () => 'y'.repeat(300)) }).length).toBeLessThan(9_000)
    let deep: unknown = 'end'
    for (let n = 0; n < 1000; n += 1) deep = { deep }
    expect(redact(deep).length).toBeLessThan(200)
  })
})
