import type { Links } from '../links/links.ts'
import { EventHub } from './event-hub.ts'
import { LogHub } from './log-hub.ts'
import { StatsHub } from './stats-hub.ts'

export interface HostHub {
  events: EventHub
  logs: LogHub
  stats: StatsHub
}

/** The shared streams of every host; they follow the links. */
export class HostHubs {
  private readonly hubs = new Map<string, HostHub>()

  /** @param added called for every hub, also those of hosts that join later */
  constructor(
    private readonly links: Links,
    private readonly added: (hostId: string, hub: HostHub) => void = () => undefined,
  ) {
    links.on('replaced', (hostId, link) => {
      const hub = this.hubs.get(hostId)
      if (hub) for (const one of [hub.events, hub.logs, hub.stats]) one.follow(link)
      else this.get(hostId)
    })
    links.on('removed', (hostId) => {
      this.hubs.get(hostId)?.events.close()
      this.hubs.delete(hostId)
    })
  }

  /** @throws ServerError `not_found` */
  get(hostId: string): HostHub {
    let hub = this.hubs.get(hostId)
    if (!hub) {
      const link = this.links.get(hostId)
      hub = { events: new EventHub(link), logs: new LogHub(link), stats: new StatsHub(link) }
      this.hubs.set(hostId, hub)
      this.added(hostId, hub)
    }
    return hub
  }
}
