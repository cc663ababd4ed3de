import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Data } from '../data/database.ts'
import type { Links } from '../links/links.ts'
import type { Log } from '../log.ts'
import type { Authority } from './authority.ts'
import type { Enrolment } from './enrolment.ts'
import type { Hosts } from './hosts.ts'

const fileName = 'enrol-local.json'
const createdBy = 'this machine'
const lifeMinutes = 60
/** A local host that has been away this long after a start may have lost its identity. */
const patienceMs = 15_000
const renewMs = 50 * 60_000

/**
 * Invites the agent of this machine: writes `$BERTH_RUN/enrol-local.json` (0600, so only root reads it) with a join token while this machine is no host yet, or while its agent cannot
 * be reached as the host that it was. `berth-agent serve` finds the file and joins. Gone when the host is online, and at the end.
 */
export class LocalInvitation {
  private timer: NodeJS.Timeout | undefined
  private readonly path: string
  private closed = false

  constructor(
    private readonly rooms: { data: Data; hosts: Hosts; links: Links; enrolment: Enrolment; authority: Authority; log: Log },
    private readonly settings: { runRoot: string; port: number },
  ) {
    this.path = join(settings.runRoot, fileName)
    rooms.links.on('state', (hostId, { state }) => {
      if (state === 'online') void this.localHost().then((id) => id === hostId && this.withdraw())
    })
  }

  /** Begins; never throws: a dashboard without a local agent is a good dashboard. */
  async open(): Promise<void> {
    const local = await this.localHost()
    this.timer = setTimeout(() => void this.look(), local ? patienceMs : 0)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.withdraw()
  }

  private async look(): Promise<void> {
    if (this.closed) return
    const { hosts, links, enrolment, authority, log } = this.rooms
    try {
      const id = await this.localHost()
      const revoked = id !== null && hosts.get(id).revokedAt !== null
      if (id === null || (!revoked && links.find(id)?.state.state !== 'online')) {
        const { token } = await enrolment.createToken({
          address: '127.0.0.1',
          minutes: lifeMinutes,
          createdBy,
          ...(id ? { hostId: id } : {}),
        })
        this.write({ url: `http://127.0.0.1:${this.settings.port}`, token, fingerprint: authority.fingerprint })
      }
    } catch (error) {
      log.warn({ err: error, file: this.path }, "this machine's own agent could not be invited")
    }
    this.timer = setTimeout(() => void this.look(), renewMs)
    this.timer.unref()
  }

  /** The host that joined by an earlier invitation, if it is one still. */
  private async localHost(): Promise<string | null> {
    const rows = await this.rooms.data.database.joinToken.findMany({
      where: { createdBy, usedAt: { not: null } },
      orderBy: { createdAt: 'desc' },
    })
    return rows.map((row) => row.hostId).find((id): id is string => id !== null && this.rooms.hosts.find(id) !== undefined) ?? null
  }

  private write(invitation: { url: string; token: string; fingerprint: string }): void {
    mkdirSync(this.settings.runRoot, { recursive: true, mode: 0o755 })
    const fresh = `${this.path}.new`
    rmSync(fresh, { force: true })
    writeFileSync(fresh, `${JSON.stringify(invitation)}\n`, { mode: 0o600, flag: 'wx' })
    chmodSync(fresh, 0o600)
    renameSync(fresh, this.path)
  }

  private withdraw(): void {
    rmSync(this.path, { force: true })
  }
}
