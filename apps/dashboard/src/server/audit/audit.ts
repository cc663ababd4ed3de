import { EventEmitter } from 'node:events'
import type { Data } from '../data/database.ts'
import { wireErrorOf } from '../errors.ts'
import { newId } from '../identity/secrets.ts'
import type { Log } from '../log.ts'
import { type AuditEntry, type ChainedEntry, ChainVerifier, genesis, hashEntry, type Verdict } from './chain.ts'
import { redact } from './redact.ts'

/** Who acted: a person, or the dashboard itself. */
export interface Actor {
  personId: string
  personName: string
  via: 'session' | 'token' | 'system' | 'nobody'
  from: string
}
export const theDashboard: Actor = { personId: '', personName: 'dashboard', via: 'system', from: '' }

export interface AuditInput {
  actor: Actor
  host?: { id: string; name: string }
  action: string
  subject?: string
  /** Is redacted here. */
  detail?: unknown
  outcome: string
  message?: string
}
/** What is about to be done. */
export type AuditBeginning = Omit<AuditInput, 'outcome' | 'message'>
/** An action that was written down before it was done. */
export interface AuditIntent {
  /** Writes its line, with what was found out meanwhile. Kept when it is on disk; only the first call counts. */
  settle(outcome: string, message?: string, found?: Partial<AuditBeginning>): Promise<void>
  /** The same for a refusal that anybody can cause without end (appendRefusal). */
  refuse(outcome: string, message: string, found?: Partial<AuditBeginning>): Promise<void>
}
export interface AuditFilter {
  person?: string
  host?: string
  /** The beginning of action names. */
  action?: string
  /** ok, failed, or an error code. */
  outcome?: string
  /** Looked for in subject, person, detail and message. */
  text?: string
  since?: string
  until?: string
}

const headName = 'audit-head'
const pageSize = 500
/** The outcome of what was under way when the dashboard ended without warning. */
export const unknownOutcome = 'unknown'
/** Another process on the same database may have written the line of this number first. */
const mostTries = 20
/** So many lines of the same refusal from the same place are written one by one each minute; the rest is counted in one. */
const quietAfter = 30
const quietMs = 60_000

/**
 * The audit chain. Lines are written one after the other; each line and the sealed head are one transaction. Whatever changes something is written down as an intent first, which goes with
 * its line: a crash in between leaves the intent, and the next start makes it a line with the outcome `unknown`. Nothing is lost. Emits `appended`.
 */
export class Audit extends EventEmitter<{ appended: [] }> {
  private turn: Promise<unknown> = Promise.resolve()
  private readonly refusals = new Map<string, { since: number; count: number }>()

  constructor(
    private readonly data: Data,
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {
    super()
    this.setMaxListeners(0)
  }

  /** Kept when the line is on disk. A line that cannot be written is an error of the action that it is about. */
  append(input: AuditInput): Promise<void> {
    return this.inTurn(() => this.write(input, null))
  }

  /** For refusals that anybody can cause without end: a flood from one place becomes one line a minute that says how many. */
  appendRefusal(input: AuditInput): Promise<void> {
    return this.writeRefusal(input, null)
  }

  private async writeRefusal(input: AuditInput, intent: string | null): Promise<void> {
    const key = JSON.stringify([input.action, input.outcome, input.actor.from])
    const now = this.now()
    const known = this.refusals.get(key)
    if (known && now - known.since < quietMs) {
      known.count += 1
      if (known.count <= quietAfter) await this.inTurn(() => this.write(input, intent))
      else if (intent) await this.data.database.auditIntent.deleteMany({ where: { id: intent } })
      return
    }
    const untold = known ? known.count - quietAfter : 0
    for (const [old, { since }] of this.refusals) if (now - since >= quietMs && old !== key) this.refusals.delete(old)
    this.refusals.set(key, { since: now, count: 1 })
    const told = untold > 0 ? { ...input, message: `${input.message ?? ''} (and ${untold} more like this before)` } : input
    await this.inTurn(() => this.write(told, intent))
  }

  /** Writes down what is about to be done. It may be done when this is kept. */
  async begin(beginning: AuditBeginning): Promise<AuditIntent> {
    const id = newId()
    const { sequence: _, at: __, outcome: ___, message: ____, ...data } = this.entryOf({ ...beginning, outcome: '' }, 0, new Date())
    await this.data.database.auditIntent.create({ data: { id, at: new Date(this.now()), ...data } })
    let settled = false
    const once = async (work: () => Promise<void>): Promise<void> => {
      if (settled) return
      settled = true
      await work()
    }
    return {
      settle: (outcome, message = '', found = {}) =>
        once(() => this.inTurn(() => this.write({ ...beginning, ...found, outcome, message }, id))),
      refuse: (outcome, message, found = {}) => once(() => this.writeRefusal({ ...beginning, ...found, outcome, message }, id)),
    }
  }

  /** begin, the work, and its line with the outcome. Gives what the work gives. */
  async record<T>(beginning: AuditBeginning, work: () => Promise<T>): Promise<T> {
    const intent = await this.begin(beginning)
    try {
      const value = await work()
      await intent.settle('ok')
      return value
    } catch (error) {
      const { code, message } = wireErrorOf(error)
      await intent.settle(code, message)
      throw error
    }
  }

  /** What was under way when the last process ended becomes lines. Called once, before anything is served. @returns how many */
  async settleLeftovers(): Promise<number> {
    const left = await this.data.database.auditIntent.findMany({ orderBy: { at: 'asc' } })
    for (const { id, at, ...entry } of left) {
      const message = `begun at ${at.toISOString()}; the dashboard ended before the outcome was known, look at what it was about`
      await this.inTurn(() => this.writeEntry((sequence, now) => ({ ...entry, sequence, at: now, outcome: unknownOutcome, message }), id))
    }
    return left.length
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => undefined)
    return result
  }

  private entryOf(input: AuditInput, sequence: number, at: Date): AuditEntry {
    return {
      sequence,
      at: at.toISOString(),
      personId: input.actor.personId,
      personName: input.actor.personName.slice(0, 200),
      via: input.actor.via,
      from: input.actor.from,
      hostId: input.host?.id ?? '',
      hostName: input.host?.name ?? '',
      action: input.action,
      subject: (input.subject ?? '').slice(0, 500),
      detail: input.detail === undefined ? '' : redact(input.detail),
      outcome: input.outcome,
      message: (input.message ?? '').slice(0, 1000),
    }
  }

  private write(input: AuditInput, intent: string | null): Promise<void> {
    return this.writeEntry((sequence, at) => this.entryOf(input, sequence, new Date(at)), intent)
  }

  /** @param intent goes in the same transaction */
  private async writeEntry(make: (sequence: number, at: string) => AuditEntry, intent: string | null): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.tryWrite(make, intent)
      } catch (error) {
        if ((error as { code?: string }).code !== 'P2002' || tries === mostTries) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      }
    }
  }

  private async tryWrite(make: (sequence: number, at: string) => AuditEntry, intent: string | null): Promise<void> {
    const { database, seal } = this.data
    const last = await database.auditRecord.findFirst({ orderBy: { sequence: 'desc' }, select: { sequence: true, hash: true } })
    const at = new Date(this.now())
    const entry = make((last?.sequence ?? 0) + 1, at.toISOString())
    const previousHash = last?.hash ?? genesis
    const hash = hashEntry(previousHash, entry)
    const sealed = seal.seal(JSON.stringify({ sequence: entry.sequence, hash }), headName)
    await database.$transaction([
      database.auditRecord.create({ data: { ...entry, at, previousHash, hash } }),
      database.secret.upsert({ where: { name: headName }, create: { name: headName, sealed }, update: { sealed, updatedAt: at } }),
      ...(intent ? [database.auditIntent.deleteMany({ where: { id: intent } })] : []),
    ])
    // The same line in the log: whoever collects logs elsewhere holds the chain's head too.
    this.log.info({ audit: { ...entry, detail: undefined, hash } }, 'audit')
    this.emit('appended')
  }

  /** Newest first. */
  async list(filter: AuditFilter, cursor: number | null, limit: number): Promise<{ records: ChainedEntry[]; nextCursor: number | null }> {
    const rows = await this.data.database.auditRecord.findMany({
      where: whereOf(filter, cursor),
      orderBy: { sequence: 'desc' },
      take: limit + 1,
    })
    const records = rows.slice(0, limit).map(entryOf)
    return { records, nextCursor: rows.length > limit ? (records.at(-1)?.sequence ?? null) : null }
  }

  /** Oldest first, all of them, a page in memory at a time. */
  async *export(filter: AuditFilter): AsyncGenerator<ChainedEntry> {
    let after = 0
    for (;;) {
      const where = { AND: [whereOf(filter, null), { sequence: { gt: after } }] }
      const rows = await this.data.database.auditRecord.findMany({ where, orderBy: { sequence: 'asc' }, take: pageSize })
      for (const row of rows) yield entryOf(row)
      const last = rows.at(-1)
      if (!last || rows.length < pageSize) return
      after = last.sequence
    }
  }

  /** Reads the whole chain as it is now; lines that are appended meanwhile are not looked at and do not wait. */
  async verify(): Promise<Verdict> {
    return verifyChain(this.data, await this.inTurn(() => sealedHead(this.data)))
  }
}

interface Head {
  sequence: number
  hash: string
}

/** The newest line as it was sealed. @throws ServerError `data_loss` when it cannot be opened with this master key */
async function sealedHead({ database, seal }: Data): Promise<Head> {
  const head = await database.secret.findUnique({ where: { name: headName } })
  return head ? (JSON.parse(seal.open(head.sealed, headName)) as Head) : { sequence: 0, hash: genesis }
}

/**
 * @param upTo the head that was sealed when the checking began; absent: nobody writes meanwhile, and whatever follows the head is wrong
 * @throws ServerError `data_loss` when the sealed head cannot be opened with this master key
 */
export async function verifyChain(data: Data, upTo?: Head): Promise<Verdict> {
  const verifier = new ChainVerifier()
  const head = upTo ?? (await sealedHead(data))
  let after = 0
  for (;;) {
    const where = { sequence: { gt: after, ...(upTo ? { lte: upTo.sequence } : {}) } }
    const rows = await data.database.auditRecord.findMany({ where, orderBy: { sequence: 'asc' }, take: pageSize })
    for (const row of rows) verifier.add(entryOf(row))
    const last = rows.at(-1)
    if (!last || rows.length < pageSize) break
    after = last.sequence
  }
  return verifier.finish(head)
}

function whereOf(filter: AuditFilter, cursor: number | null) {
  const text = filter.text ? { contains: filter.text } : undefined
  return {
    ...(cursor !== null ? { sequence: { lt: cursor } } : {}),
    ...(filter.person ? { personId: filter.person } : {}),
    ...(filter.host ? { hostId: filter.host } : {}),
    ...(filter.action ? { action: { startsWith: filter.action } } : {}),
    ...(filter.outcome === 'failed' ? { outcome: { not: 'ok' } } : filter.outcome ? { outcome: filter.outcome } : {}),
    ...(filter.since || filter.until
      ? { at: { ...(filter.since ? { gte: new Date(filter.since) } : {}), ...(filter.until ? { lte: new Date(filter.until) } : {}) } }
      : {}),
    ...(text
      ? { OR: [{ action: text }, { subject: text }, { personName: text }, { detail: text }, { message: text }, { from: text }] }
      : {}),
  }
}

function entryOf(row: Omit<ChainedEntry, 'at'> & { at: Date }): ChainedEntry {
  return { ...row, at: row.at.toISOString() }
}
