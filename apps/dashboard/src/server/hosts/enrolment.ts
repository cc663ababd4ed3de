import { type EnrolAnswer, type EnrolRequest, enrolRequest } from '@berth/contract/enrol'
import type { Audit } from '../audit/audit.ts'
import { theDashboard } from '../audit/audit.ts'
import type { Data } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { hashSecret, newId, newSecret } from '../identity/secrets.ts'
import { addressKey, type Throttle } from '../identity/throttle.ts'
import type { Authority } from './authority.ts'
import { type HostRecord, Hosts, requireAddress } from './hosts.ts'

export interface JoinInfo {
  id: string
  name: string | null
  /** The host that is to join again, else null. */
  hostId: string | null
  createdBy: string
  createdAt: string
  expiresAt: string
}

/** Join tokens, and the exchange by which a host becomes one of ours (contract/enrol.ts). */
export class Enrolment {
  constructor(
    private readonly data: Data,
    private readonly hosts: Hosts,
    private readonly authority: Authority,
    private readonly audit: Audit,
    private readonly throttle: Throttle,
  ) {}

  /**
   * A token for one host, shown once.
   * @param input.hostId the host that may join again with it; absent: a new host
   */
  async createToken(input: {
    name?: string
    address?: string
    hostId?: string
    minutes: number
    createdBy: string
  }): Promise<{ token: string; join: JoinInfo }> {
    if (input.address) requireAddress(input.address)
    if (input.hostId) this.hosts.get(input.hostId)
    await this.data.database.joinToken.deleteMany({ where: { usedAt: null, expiresAt: { lt: new Date() } } })
    const token = newSecret('join_')
    const row = await this.data.database.joinToken.create({
      data: {
        id: newId(),
        tokenHash: hashSecret(token),
        name: input.name || null,
        address: input.address || null,
        hostId: input.hostId ?? null,
        createdBy: input.createdBy,
        expiresAt: new Date(Date.now() + input.minutes * 60_000),
      },
    })
    return { token, join: infoOf(row) }
  }

  /** Tokens that can still be used. */
  async waiting(): Promise<JoinInfo[]> {
    const rows = await this.data.database.joinToken.findMany({
      where: { usedAt: null, expiresAt: { gt: new Date() } },
      orderBy: { createdAt: 'desc' },
    })
    return rows.map(infoOf)
  }

  /** What became of a token: null while it waits (or is gone), else the host that used it. */
  async result(id: string): Promise<{ state: 'waiting' | 'joined' | 'expired'; hostId: string | null }> {
    const row = await this.data.database.joinToken.findUnique({ where: { id } })
    if (row?.usedAt) return { state: 'joined', hostId: row.hostId }
    return { state: row && row.expiresAt.getTime() > Date.now() ? 'waiting' : 'expired', hostId: null }
  }

  /** @throws ServerError `not_found` */
  async cancel(id: string): Promise<void> {
    const { count } = await this.data.database.joinToken.deleteMany({ where: { id, usedAt: null } })
    if (count === 0) throw new ServerError('not_found', 'this join token has been used or withdrawn already')
  }

  /**
   * Takes a host in. The token is spent only when everything else about the request is good, and only once however many come at the same instant.
   * @param from address of the client
   * @throws ServerError `invalid_argument`, `permission_denied`, `already_exists`, `resource_exhausted`
   */
  async enrol(body: unknown, from: string): Promise<EnrolAnswer> {
    const keys = [addressKey('enrol', from)]
    await this.throttle.take(keys)
    const parsed = enrolRequest.safeParse(body)
    if (!parsed.success) {
      await this.throttle.succeed(keys)
      throw new ServerError(
        'invalid_argument',
        `the request to join cannot be read: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
      )
    }
    const request = parsed.data
    const { hostname, port, engineId, agentVersion } = request
    const intent = await this.audit.begin({
      actor: { ...theDashboard, from },
      action: 'host.joined',
      subject: hostname,
      detail: { port, engineId, agentVersion },
    })
    try {
      const { host, certificate } = await this.take(request, from)
      await this.throttle.succeed(keys)
      await intent.settle('ok', '', { host, subject: host.name, detail: { address: host.address, port, engineId, agentVersion } })
      return { certificate, authority: this.authority.certificate, claimKey: this.authority.claimKey, hostId: host.id }
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== 'permission_denied') await this.throttle.succeed(keys)
      const { code, message } = error instanceof ServerError ? error : { code: 'internal', message: '' }
      await intent.settle(code, message)
      throw error
    }
  }

  /**
   * For what a host fetches before it joins: the token must be one that could still be used; it is not spent.
   * @throws ServerError `permission_denied`, `resource_exhausted`
   */
  async requireWaiting(token: string, from: string): Promise<void> {
    const keys = [addressKey('enrol', from)]
    await this.throttle.take(keys)
    await this.usable(token)
    await this.throttle.succeed(keys)
  }

  private async usable(token: string): Promise<{ id: string; hostId: string | null; name: string | null; address: string | null }> {
    const row = await this.data.database.joinToken.findUnique({ where: { tokenHash: hashSecret(token) } })
    if (!row) throw new ServerError('permission_denied', 'the join token is not known here; copy the command from "Add a host" again')
    if (row.usedAt) throw new ServerError('permission_denied', 'the join token has been used already; make a new one with "Add a host"')
    if (row.expiresAt.getTime() <= Date.now())
      throw new ServerError('permission_denied', 'the join token has expired; make a new one with "Add a host"')
    return row
  }

  private async take(request: EnrolRequest, from: string): Promise<{ host: HostRecord; certificate: string }> {
    const { database } = this.data
    const row = await this.usable(request.token)
    const known = this.hosts.findByEngine(request.engineId)
    if (known && known.id !== row.hostId)
      throw new ServerError(
        'already_exists',
        `this machine is the host "${known.name}" already; use "Join again" on its page, or remove it first`,
      )
    const address = request.address ?? row.address ?? from
    requireAddress(address)
    const id = row.hostId ?? Hosts.newId()
    const certificate = await this.authority.certifyAgent(request.csr, id)
    const { count } = await database.joinToken.updateMany({ where: { id: row.id, usedAt: null }, data: { usedAt: new Date(), hostId: id } })
    if (count !== 1) throw new ServerError('permission_denied', 'the join token has been used already; make a new one with "Add a host"')
    const place = { engineId: request.engineId, address, port: request.port, certificate }
    const host = await (row.hostId ? this.hosts.rejoin(id, place) : this.hosts.add({ id, name: row.name ?? request.hostname, ...place }))
    return { host, certificate: certificate.certificate }
  }
}

function infoOf(row: {
  id: string
  name: string | null
  hostId: string | null
  createdBy: string
  createdAt: Date
  expiresAt: Date
}): JoinInfo {
  return {
    id: row.id,
    name: row.name,
    hostId: row.hostId,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  }
}
