import { EventEmitter } from 'node:events'
import type { SystemInfo } from '@berth/contract/system'
import type { Data } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { newId } from '../identity/secrets.ts'
import type { AgentCertificate } from './authority.ts'

export interface HostRecord {
  id: string
  name: string
  engineId: string
  address: string
  port: number
  keyFingerprint: string
  serial: string
  certificateEnd: Date
  joinedAt: Date
  revokedAt: Date | null
  lastSeenAt: Date | null
  /** As it was when last seen. */
  system: SystemInfo | null
}

interface HostEvents {
  joined: [host: HostRecord]
  /** Name, address, certificate or revocation. */
  changed: [host: HostRecord]
  removed: [id: string]
}
type Row = Omit<HostRecord, 'system'> & { lastSystem: string | null }

/** A name as people type it: shown everywhere, never used in a path. */
const namePattern = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$/u
const addressPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})$/

/** The machines that have joined. Kept in memory; the database is written first and this process is its only writer. */
export class Hosts extends EventEmitter<HostEvents> {
  private readonly records = new Map<string, HostRecord>()

  private constructor(private readonly data: Data) {
    super()
    this.setMaxListeners(0)
  }

  static async open(data: Data): Promise<Hosts> {
    const hosts = new Hosts(data)
    for (const row of await data.database.host.findMany({ orderBy: { joinedAt: 'asc' } })) hosts.records.set(row.id, recordOf(row))
    return hosts
  }

  list(): HostRecord[] {
    return [...this.records.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  find(id: string): HostRecord | undefined {
    return this.records.get(id)
  }

  /** @throws ServerError `not_found` */
  get(id: string): HostRecord {
    const record = this.records.get(id)
    if (!record) throw new ServerError('not_found', 'there is no such host; it may have been removed')
    return record
  }

  findByEngine(engineId: string): HostRecord | undefined {
    return [...this.records.values()].find((one) => one.engineId === engineId)
  }

  /** A host that joins for the first time. Its name gets a number when it is taken. */
  async add(input: {
    id: string
    name: string
    engineId: string
    address: string
    port: number
    certificate: AgentCertificate
  }): Promise<HostRecord> {
    requireAddress(input.address)
    const row = await this.data.database.host.create({
      data: {
        id: input.id,
        name: this.freeName(input.name),
        engineId: input.engineId,
        address: input.address,
        port: input.port,
        ...certified(input.certificate),
      },
    })
    const record = recordOf(row)
    this.records.set(record.id, record)
    this.emit('joined', record)
    return record
  }

  /** A host that joins again: it keeps its id, name and roles; what was revoked is revoked no more. */
  rejoin(id: string, input: { engineId: string; address: string; port: number; certificate: AgentCertificate }): Promise<HostRecord> {
    requireAddress(input.address)
    return this.update(id, {
      engineId: input.engineId,
      address: input.address,
      port: input.port,
      revokedAt: null,
      ...certified(input.certificate),
    })
  }

  renewed(id: string, certificate: AgentCertificate): Promise<HostRecord> {
    return this.update(id, certified(certificate))
  }

  /** @throws ServerError `invalid_argument`, `already_exists` */
  async rename(id: string, name: string): Promise<HostRecord> {
    const wanted = name.trim()
    if (!namePattern.test(wanted))
      throw new ServerError(
        'invalid_argument',
        'a host name has at most 63 letters, digits, spaces, ".", "_" and "-", beginning with a letter or digit',
      )
    const holder = [...this.records.values()].find((one) => one.name === wanted)
    if (holder && holder.id !== id) throw new ServerError('already_exists', `another host is called "${wanted}" already`)
    return this.update(id, { name: wanted })
  }

  /** Where the dashboard dials. */
  setAddress(id: string, address: string, port: number): Promise<HostRecord> {
    requireAddress(address)
    return this.update(id, { address, port })
  }

  /** From now on nobody talks to it; it stays in the list until it is removed or joins again. */
  revoke(id: string): Promise<HostRecord> {
    return this.update(id, { revokedAt: new Date() })
  }

  async remove(id: string): Promise<void> {
    this.get(id)
    await this.data.database.host.delete({ where: { id } })
    this.records.delete(id)
    this.emit('removed', id)
  }

  /** What was learnt while it was online. Emits nothing. */
  async seen(id: string, at: Date, system: SystemInfo | null): Promise<void> {
    const record = this.records.get(id)
    if (!record) return
    record.lastSeenAt = at
    if (system) record.system = system
    await this.data.database.host.updateMany({
      where: { id },
      data: { lastSeenAt: at, ...(system ? { lastSystem: JSON.stringify(system) } : {}) },
    })
  }

  static newId(): string {
    return newId()
  }

  private async update(id: string, data: Partial<Omit<Row, 'id' | 'lastSystem'>>): Promise<HostRecord> {
    this.get(id)
    const record = recordOf(await this.data.database.host.update({ where: { id }, data }))
    this.records.set(id, record)
    this.emit('changed', record)
    return record
  }

  private freeName(wanted: string): string {
    const base = (
      wanted
        .normalize('NFC')
        .replace(/[^\p{L}\p{N} ._-]/gu, '-')
        .replace(/^[^\p{L}\p{N}]+/u, '') || 'host'
    )
      .slice(0, 58)
      .trim()
    const taken = new Set([...this.records.values()].map((one) => one.name))
    if (!taken.has(base)) return base
    for (let number = 2; ; number += 1) if (!taken.has(`${base}-${number}`)) return `${base}-${number}`
  }
}

/** @throws ServerError `invalid_argument` */
export function requireAddress(address: string): void {
  if (!addressPattern.test(address))
    throw new ServerError('invalid_argument', `"${address.slice(0, 80)}" is neither a host name nor an IP address`)
}

function certified(certificate: AgentCertificate) {
  return { keyFingerprint: certificate.keyFingerprint, serial: certificate.serial, certificateEnd: certificate.end }
}

function recordOf({ lastSystem, ...row }: Row): HostRecord {
  return { ...row, system: lastSystem ? (JSON.parse(lastSystem) as SystemInfo) : null }
}
