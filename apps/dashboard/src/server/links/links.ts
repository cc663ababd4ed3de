import { EventEmitter } from 'node:events'
import { ServerError } from '../errors.ts'
import type { AgentCertificate, Authority } from '../hosts/authority.ts'
import type { HostRecord, Hosts } from '../hosts/hosts.ts'
import type { Log } from '../log.ts'
import { AgentLink, type LinkState } from './agent-link.ts'

interface LinksEvents {
  state: [hostId: string, state: LinkState]
  /** A link was made (a host joined, or its address or key changed): whoever held the old one takes this one. */
  replaced: [hostId: string, link: AgentLink]
  removed: [hostId: string]
  /** A host has a new certificate, by itself or because somebody asked. */
  renewed: [host: HostRecord, certificate: AgentCertificate]
}

/** One AgentLink per host that is not removed; follows the records of Hosts. */
export class Links extends EventEmitter<LinksEvents> {
  private readonly links = new Map<string, { link: AgentLink; key: string }>()

  constructor(
    private readonly hosts: Hosts,
    private readonly authority: Authority,
    private readonly log: Log,
  ) {
    super()
    this.setMaxListeners(0)
    hosts.on('joined', (host) => this.put(host))
    hosts.on('changed', (host) => this.put(host))
    hosts.on('removed', (id) => {
      const held = this.links.get(id)
      this.links.delete(id)
      if (held) void held.link.close('revoked')
      this.emit('removed', id)
    })
  }

  openAll(): void {
    for (const host of this.hosts.list()) this.put(host)
  }

  /** @throws ServerError `not_found` */
  get(hostId: string): AgentLink {
    const held = this.links.get(hostId)
    if (!held) throw new ServerError('not_found', 'there is no such host; it may have been removed')
    return held.link
  }

  find(hostId: string): AgentLink | undefined {
    return this.links.get(hostId)?.link
  }

  all(): AgentLink[] {
    return [...this.links.values()].map(({ link }) => link)
  }

  async close(): Promise<void> {
    await Promise.all([...this.links.values()].map(({ link }) => link.close()))
    this.links.clear()
  }

  /** Dials every host anew, with the dashboard's newest certificate. */
  redial(): void {
    for (const host of this.hosts.list()) {
      this.links
        .get(host.id)
        ?.link.close()
        .catch(() => undefined)
      this.links.delete(host.id)
      this.put(host)
    }
  }

  private put(host: HostRecord): void {
    // What decides how it is dialled: with any of it changed, the old connections are of no more use.
    const key = JSON.stringify([host.address, host.port, host.keyFingerprint, host.revokedAt !== null])
    const held = this.links.get(host.id)
    if (held?.key === key) {
      held.link.rename(host)
      return
    }
    if (held) void held.link.close(host.revokedAt ? 'revoked' : 'away')
    const link = new AgentLink(host, this.authority, this.log, async (certificate) => {
      this.emit('renewed', await this.hosts.renewed(host.id, certificate), certificate)
    })
    this.links.set(host.id, { link, key })
    link.on('state', (state) => {
      if (state.lastSeenAt) void this.hosts.seen(host.id, new Date(state.lastSeenAt), null)
      this.emit('state', host.id, state)
    })
    link.on('system', (system) => {
      void this.hosts.seen(host.id, new Date(), system).then(() => this.emit('state', host.id, link.state))
    })
    link.open()
    this.emit('replaced', host.id, link)
    this.emit('state', host.id, link.state)
  }
}
