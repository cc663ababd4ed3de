import { EventEmitter } from 'node:events'
import type { ContainerSummary } from '@berth/contract/container'
import type { EngineEvent } from '@berth/contract/event'
import type { ImageSummary } from '@berth/contract/image'
import type { NetworkSummary } from '@berth/contract/network'
import type { Operation } from '@berth/contract/operation'
import type { VolumeSummary } from '@berth/contract/volume'
import { type FleetNoun, fleetNouns } from '../../wire/dashboard-events.ts'
import type { Access, Principal } from '../access/access.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { dashboardAsker } from '../links/asker.ts'
import type { Links } from '../links/links.ts'
import type { HostHub } from '../relay/host-hubs.ts'

export interface FleetItems {
  containers: ContainerSummary
  images: ImageSummary
  volumes: VolumeSummary
  networks: NetworkSummary
  operations: Operation
}
/** How true one host's part of a merged list is. */
export interface FleetHost {
  host: string
  name: string
  state: 'online' | 'away' | 'revoked'
  /** When the part was read from the host; null: never, since this dashboard started. */
  asOf: string | null
  /** Why it could not be read now. */
  error: string | null
}
export interface FleetList<Item> {
  hosts: FleetHost[]
  items: (Item & { host: string; hostName: string })[]
}

interface Part {
  /** The items as they are sent, JSON without the brackets of the list: made once per reading, however many look. Null: never read. */
  text: Buffer | null
  /** Under which name of the host it was made. */
  hostName: string
  /** What the items are called, by id. */
  names: ReadonlyMap<string, string>
  asOf: number
  dirty: boolean
  loading: Promise<void> | null
  error: string | null
}

/** Events come in bursts: a list is told to be untrue at most so often. */
const announceMs = 400
/** Nobody waits longer for one host; what is known is shown with its age. */
const patienceMs = 4_000
const silentActions = /^(exec_|attach$|detach$|resize$|top$|copy$)/

const comma = Buffer.from(',')

function textOf(items: readonly object[], host: string, hostName: string): Buffer {
  return Buffer.from(items.map((item) => JSON.stringify({ ...item, host, hostName })).join(','))
}

/** Names by id: what has no name of its own is known by its first tag. */
function namesOf(items: readonly object[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const { id, name, tags } of items as readonly { id?: string; name?: string; tags?: readonly string[] }[]) {
    const called = name ?? tags?.[0]
    if (id && called) names.set(id, called)
  }
  return names
}

/** Which merged lists an event makes untrue. Pure. */
export function nounsTouchedBy(event: Pick<EngineEvent, 'type' | 'action'>): readonly FleetNoun[] {
  switch (event.type) {
    case 'container':
      if (silentActions.test(event.action)) return []
      return /^(create|destroy|rename|start|die)$/.test(event.action) ? ['containers', 'images', 'volumes', 'networks'] : ['containers']
    case 'image':
      return ['images']
    case 'volume':
      return ['volumes']
    case 'network':
      return ['networks', 'containers']
    case 'operation':
      return ['operations']
    default:
      return []
  }
}

/**
 * The merged lists of all hosts. A part is read from its host when somebody asks and something has happened there since; nobody asking costs nothing.
 * Emits `changed` when a part has become untrue.
 */
export class Fleet extends EventEmitter<{ changed: [hostId: string, nouns: FleetNoun[]] }> {
  private readonly parts = new Map<string, Map<FleetNoun, Part>>()
  private readonly pending = new Map<string, Set<FleetNoun>>()

  constructor(
    private readonly hosts: Hosts,
    private readonly links: Links,
    private readonly access: Access,
  ) {
    super()
    this.setMaxListeners(0)
    links.on('removed', (hostId) => {
      this.parts.delete(hostId)
      this.emit('changed', hostId, [...fleetNouns])
    })
    links.on('state', (hostId) => this.touch(hostId, fleetNouns))
  }

  /** Listens to a host's events. */
  watch(hostId: string, hub: HostHub): void {
    hub.events.subscribe({
      items: (events) => this.touch(hostId, new Set(events.flatMap(nounsTouchedBy))),
      reset: () => this.touch(hostId, fleetNouns),
    })
  }

  /** @param only one host's part alone, else all that this person may see */
  async list<Noun extends FleetNoun>(noun: Noun, who: Principal, only?: string): Promise<FleetList<FleetItems[Noun]>> {
    return JSON.parse(Buffer.concat(await this.listText(noun, who, only)).toString('utf8')) as FleetList<FleetItems[Noun]>
  }

  /**
   * The same as JSON, in pieces that follow each other. Those of the hosts are the ones that are kept: a list of thousands for twenty people costs neither
   * formatting nor copying.
   */
  async listText(noun: FleetNoun, who: Principal, only?: string): Promise<Buffer[]> {
    const visible = this.hosts
      .list()
      .filter((host) => (only === undefined || host.id === only) && this.access.permissionsOn(who, host.id).includes('view'))
    await Promise.all(visible.map((host) => this.fresh(host.id, noun)))
    const hosts: FleetHost[] = []
    const texts: Buffer[] = []
    for (const host of visible) {
      const part = this.part(host.id, noun)
      const state = this.links.find(host.id)?.state.state ?? 'away'
      hosts.push({
        host: host.id,
        name: host.name,
        state,
        asOf: part.text ? new Date(this.trueAt(host.id, part)).toISOString() : null,
        error: part.error,
      })
      if (part.text && part.hostName !== host.name) {
        const items = JSON.parse(`[${part.text.toString('utf8')}]`) as object[]
        part.text = textOf(items, host.id, host.name)
        part.hostName = host.name
      }
      if (part.text && part.text.length > 0) texts.push(...(texts.length > 0 ? [comma] : []), part.text)
    }
    return [Buffer.from(`{"hosts":${JSON.stringify(hosts)},"items":[`), ...texts, Buffer.from(']}')]
  }

  /** A text about a host with names in place of the ids of containers, networks and images that have been read from it; an id that is not known stays. */
  named(hostId: string, text: string): string {
    return text.replace(/(?:sha256:)?\b[0-9a-f]{64}\b/g, (id) => {
      for (const noun of ['containers', 'networks', 'images'] as const) {
        const name = this.parts.get(hostId)?.get(noun)?.names.get(id)
        if (name) return name
      }
      return id
    })
  }

  /** While the host is online and nothing has happened, what was read is true up to the last heartbeat. */
  private trueAt(hostId: string, part: Part): number {
    const link = this.links.find(hostId)
    if (part.dirty || !link || link.state.state !== 'online' || !link.state.lastSeenAt) return part.asOf
    return Math.max(part.asOf, Date.parse(link.state.lastSeenAt))
  }

  private part(hostId: string, noun: FleetNoun): Part {
    let byNoun = this.parts.get(hostId)
    if (!byNoun) {
      byNoun = new Map()
      this.parts.set(hostId, byNoun)
    }
    let part = byNoun.get(noun)
    if (!part) {
      part = { text: null, hostName: '', names: new Map(), asOf: 0, dirty: true, loading: null, error: null }
      byNoun.set(noun, part)
    }
    return part
  }

  private async fresh(hostId: string, noun: FleetNoun): Promise<void> {
    const part = this.part(hostId, noun)
    const link = this.links.find(hostId)
    if (!link) return
    if (link.state.state !== 'online') {
      part.error = link.unavailable().message
      return
    }
    if (!part.dirty) return
    part.loading ??= this.read(hostId, noun, part).finally(() => {
      part.loading = null
    })
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      part.loading,
      new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          part.error = 'the host did not answer in time'
          resolve()
        }, patienceMs)
      }),
    ])
    clearTimeout(timer)
  }

  private async read(hostId: string, noun: FleetNoun, part: Part): Promise<void> {
    // An event that comes while reading makes it untrue again.
    part.dirty = false
    const began = Date.now()
    try {
      const items = (await this.links.get(hostId).query(dashboardAsker, `${noun}.list`, undefined)) as object[]
      const hostName = this.hosts.find(hostId)?.name ?? ''
      part.text = textOf(items, hostId, hostName)
      part.hostName = hostName
      part.names = namesOf(items)
      part.asOf = began
      part.error = null
    } catch (error) {
      part.dirty = true
      part.error = error instanceof Error ? error.message : String(error)
    }
  }

  private touch(hostId: string, nouns: Iterable<FleetNoun>): void {
    const waiting = this.pending.get(hostId) ?? new Set()
    for (const noun of nouns) {
      this.part(hostId, noun).dirty = true
      waiting.add(noun)
    }
    if (waiting.size === 0 || this.pending.has(hostId)) return
    this.pending.set(hostId, waiting)
    setTimeout(() => {
      this.pending.delete(hostId)
      this.emit('changed', hostId, [...waiting])
    }, announceMs).unref()
  }
}
