import { EventEmitter } from 'node:events'
import type { Data } from '../data/database.ts'
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

/**
 * The audit chain. Lines are written one after the other by this process alone; each write and the sealed head are one transaction. Emits `appended`.
 */
export class Audit extends EventEmitter<{ appended: [] }> {
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly data: Data,
    private readonly log: Log,
  ) {
    super()
    this.setMaxListeners(0)
  }

  /** Kept when the line is on disk. A line that cannot be written is an error of the action that it is about. */
  append(input: AuditInput): Promise<void> {
    const result = this.turn.then(() => this.write(input))
    this.turn = result.catch(() => undefined)
    return result
  }

  private async write(input: AuditInput): Promise<void> {
    const { database, seal } = this.data
    const last = await database.auditRecord.findFirst({ orderBy: { sequence: 'desc' }, select: { sequence: true, hash: true } })
    const at = new Date()
    const entry: AuditEntry = {
      sequence: (last?.sequence ?? 0) + 1,
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
    const previousHash = last?.hash ?? genesis
    const hash = hashEntry(previousHash, entry)
    const sealed = seal.seal(JSON.stringify({ sequence: entry.sequence, hash }), headName)
    await database.$transaction([
      database.auditRecord.create({ data: { ...entry, at, previousHash, hash } }),
      database.secret.upsert({ where: { name: headName }, create: { name: headName, sealed }, update: { sealed, updatedAt: at } }),
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

  /** Reads the whole chain. Lines that are appended meanwhile wait. */
  verify(): Promise<Verdict> {
    const result = this.turn.then(() => verifyChain(this.data))
    this.turn = result.catch(() => undefined)
    return result
  }
}

/** @throws ServerError `data_loss` when the sealed head cannot be opened with this master key */
export async function verifyChain({ database, seal }: Data): Promise<Verdict> {
  const verifier = new ChainVerifier()
  let after = 0
  for (;;) {
    const rows = await database.auditRecord.findMany({ where: { sequence: { gt: after } }, orderBy: { sequence: 'asc' }, take: pageSize })
    for (const row of rows) verifier.add(entryOf(row))
    const last = rows.at(-1)
    if (!last || rows.length < pageSize) break
    after = last.sequence
  }
  const head = await database.secret.findUnique({ where: { name: headName } })
  return verifier.finish(
    head ? (JSON.parse(seal.open(head.sealed, headName)) as { sequence: number; hash: string }) : { sequence: 0, hash: genesis },
  )
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
    ...(text ? { OR: [{ subject: text }, { personName: text }, { detail: text }, { message: text }, { from: text }] } : {}),
  }
}

function entryOf(row: Omit<ChainedEntry, 'at'> & { at: Date }): ChainedEntry {
  return { ...row, at: row.at.toISOString() }
}
