import { randomBytes } from 'node:crypto'
import type { AttachedNetwork } from '@berth/contract/container'
import type { EndpointConfig, NetworkSummary } from '@berth/contract/network'
import { EndpointConflictError, EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { contains, formatAddress, parseAddress, parseSubnet } from './address.ts'
import { Addresses } from './address-pool.ts'
import { checkDriverOptions } from './attachment.ts'
import { type FirewalledBridge, setSysctl } from './firewall.ts'
import { type BridgeDevice, deviceExists, ensureBridge, macOf, rejoin } from './links.ts'
import { NameService } from './name-service.ts'
import { bridgeOptions, type NetworkRecord } from './network-record.ts'
import { hostResolvConf } from './resolv-conf.ts'

/** A running container on one network. */
export interface Endpoint {
  containerId: string
  containerName: string
  hostname: string
  /** Device on the host; '' for networks without one. */
  hostName: string
  dns: string[]
  attached: AttachedNetwork
}

/** Who wants to join. */
export interface Joining {
  id: string
  name: string
  hostname: string
  hostName: string
  /** Wish of the whole container; the endpoint's own goes first. */
  mac: string
  dns: string[]
}

/** One network in memory: its record, addresses, endpoints and (user networks) name service. host and none have neither addresses nor a device. */
export class BridgeNetwork {
  record: NetworkRecord
  readonly endpoints = new Map<string, Endpoint>()
  readonly #addresses: Addresses[]
  readonly #names: NameService | null
  readonly #networksOf: (containerId: string) => BridgeNetwork[]
  readonly #log: Logger | undefined

  /** @param networksOf every network that a container is on: names of all of them are known to it */
  constructor(record: NetworkRecord, networksOf: (containerId: string) => BridgeNetwork[], log?: Logger) {
    this.record = record
    this.#networksOf = networksOf
    this.#log = log
    this.#addresses = record.pools.map(
      (pool) =>
        new Addresses(
          parseSubnet(pool.subnet),
          [...(pool.gateway ? [pool.gateway] : []), ...Object.values(pool.auxAddresses ?? {})],
          pool.ipRange ? parseSubnet(pool.ipRange) : undefined,
        ),
    )
    const table = {
      addresses: (name: string, client: string) => this.#lookUp(name, client),
      nameOf: (address: string, client: string) => this.#firstOf(client, (network) => network.#nameOf(address)),
      resolvers: (client: string) => this.#resolvers(client),
    }
    this.#names = record.driver === 'bridge' && !record.predefined ? new NameService(table, () => hostResolvConf().nameservers, log) : null
  }

  get hasNameService(): boolean {
    return this.#names !== null
  }

  /** Device and addresses on the host. @throws internal with the kernel's words */
  async open(): Promise<void> {
    if (this.record.driver !== 'bridge') return
    await ensureBridge(this.device())
    // Published ports on 127.0.0.1 are sent on to the bridge with that source; the table keeps everything else of 127/8 out.
    setSysctl(`net/ipv4/conf/${this.record.bridge}/route_localnet`, '1')
    await this.#names?.open(this.gateways()).catch((error) => {
      // The network is of use without names; who needs them is told in the log and by the failing look-up.
      this.#log?.error({ network: this.record.name, err: error }, 'the name service of a network cannot listen')
    })
  }

  async close(): Promise<void> {
    await this.#names?.close()
  }

  /** Somebody may have deleted the bridge: it is made again before a container joins, with those that were on it. No spawn when it is there. */
  async mend(): Promise<void> {
    if (this.record.driver !== 'bridge' || deviceExists(this.record.bridge)) return
    this.#log?.warn({ bridge: this.record.bridge }, 'a bridge was deleted by somebody; it is made again')
    await this.#names?.close()
    await this.open()
    const ports = [...this.endpoints.values()].map(({ hostName }) => hostName).filter((name) => name !== '')
    await rejoin(this.record.bridge, ports, this.isolated)
  }

  device(): BridgeDevice {
    const addresses = this.record.pools.flatMap((pool) => (pool.gateway ? [`${pool.gateway}/${parseSubnet(pool.subnet).prefix}`] : []))
    return { device: this.record.bridge, addresses, mtu: this.mtu() }
  }

  /** Containers on it reach the bridge, but not each other. */
  get isolated(): boolean {
    return this.record.options[bridgeOptions.icc] === 'false'
  }

  mtu(): number {
    return Number(this.record.options[bridgeOptions.mtu] ?? 1500)
  }

  gateways(): string[] {
    return this.record.pools.flatMap((pool) => (pool.gateway ? [pool.gateway] : []))
  }

  firewalled(): FirewalledBridge {
    const subnets = this.record.pools.map((pool) => pool.subnet)
    return {
      device: this.record.bridge,
      subnets4: subnets.filter((subnet) => !subnet.includes(':')),
      subnets6: subnets.filter((subnet) => subnet.includes(':')),
      internal: this.record.internal,
      masquerade: this.record.options[bridgeOptions.masquerade] !== 'false',
    }
  }

  /** Takes addresses for a container. @throws EndpointConflictError, resource_exhausted, invalid_argument; nothing is taken then */
  join(container: Joining, config: EndpointConfig): Endpoint {
    if (this.endpoints.has(container.id))
      throw new EndpointConflictError(`endpoint with name ${container.name} already exists in network ${this.record.name}`)
    if (this.record.predefined && (config.ipv4 || config.ipv6))
      throw new EngineError('invalid_argument', 'user specified IP address is supported on user defined networks only')
    this.#checkChosen(config)
    for (const address of config.linkLocal ?? []) checkLinkLocal(address)
    checkDriverOptions(config.driverOptions ?? {})
    const taken: { family: 4 | 6; address: string; addresses: Addresses }[] = []
    try {
      for (const family of [4, 6] as const) {
        const wanted = family === 4 ? config.ipv4 : config.ipv6
        const addresses = this.#poolFor(family, wanted)
        if (addresses) taken.push({ family, address: addresses.take(wanted), addresses })
      }
    } catch (error) {
      for (const { addresses, address } of taken) addresses.give(address)
      throw error
    }
    const ipv4 = taken.find((one) => one.family === 4)
    const ipv6 = taken.find((one) => one.family === 6)
    const endpoint: Endpoint = {
      containerId: container.id,
      containerName: container.name,
      hostname: container.hostname,
      hostName: container.hostName,
      dns: container.dns,
      attached: {
        networkId: this.record.id,
        networkName: this.record.name,
        endpointId: randomBytes(32).toString('hex'),
        gateway: ipv4 && !this.record.internal ? this.gateway(4) : '',
        ipv4: ipv4?.address ?? '',
        ipv4PrefixLength: ipv4?.addresses.subnet.prefix ?? 0,
        ipv6Gateway: ipv6 && !this.record.internal ? this.gateway(6) : '',
        ipv6: ipv6?.address ?? '',
        ipv6PrefixLength: ipv6?.addresses.subnet.prefix ?? 0,
        mac: this.record.driver === 'bridge' ? config.mac || container.mac || macOf(ipv4?.address) : '',
        aliases: this.hasNameService ? [...new Set([...config.aliases, container.id.slice(0, 12), ...hostNames(container.hostname)])] : [],
        links: config.links,
        requested: config,
      },
    }
    this.endpoints.set(container.id, endpoint)
    return endpoint
  }

  /** The endpoint of a container that runs since before the agent. */
  adopt(endpoint: Endpoint): void {
    for (const address of [endpoint.attached.ipv4, endpoint.attached.ipv6]) {
      if (address !== '') this.#poolFor(address.includes(':') ? 6 : 4, address)?.adopt(address)
    }
    this.endpoints.set(endpoint.containerId, endpoint)
  }

  leave(containerId: string): Endpoint | null {
    const endpoint = this.endpoints.get(containerId)
    if (!endpoint) return null
    this.endpoints.delete(containerId)
    for (const address of [endpoint.attached.ipv4, endpoint.attached.ipv6]) {
      if (address !== '') this.#poolFor(address.includes(':') ? 6 : 4, address)?.give(address)
    }
    return endpoint
  }

  summary(): NetworkSummary {
    const { version: _, unchosen: __, ...record } = this.record
    return {
      ...record,
      endpoints: [...this.endpoints.values()].map(({ containerId, containerName, attached }) => ({
        containerId,
        containerName,
        endpointId: attached.endpointId,
        mac: attached.mac,
        ipv4: attached.ipv4 && `${attached.ipv4}/${attached.ipv4PrefixLength}`,
        ipv6: attached.ipv6 && `${attached.ipv6}/${attached.ipv6PrefixLength}`,
        aliases: attached.aliases,
      })),
    }
  }

  /** An address that we chose the subnet for is not to be relied on: the subnet may be another one when the network is made again. */
  #checkChosen(config: EndpointConfig): void {
    const chosen = (family: 4 | 6) =>
      this.#addresses.some(({ subnet }) => subnet.family === family) && !this.record.unchosen?.includes(family)
    if ((config.ipv4 && !chosen(4)) || (config.ipv6 && !chosen(6)))
      throw new EngineError(
        'invalid_argument',
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      )
  }

  /** The first pool of the family, or the one that holds the wanted address. @throws invalid_argument */
  #poolFor(family: 4 | 6, wanted: string | undefined): Addresses | undefined {
    const pools = this.#addresses.filter((addresses) => addresses.subnet.family === family)
    if (!wanted) return pools[0]
    const value = addressOf(family, wanted)
    const pool = pools.find((addresses) => contains(addresses.subnet, family, value))
    if (!pool) throw new EngineError('invalid_argument', `invalid endpoint settings: no configured subnet contains IP address ${wanted}`)
    return pool
  }

  /** '' when it has none. */
  gateway(family: 4 | 6): string {
    return this.gateways().find((gateway) => gateway.includes(':') === (family === 6)) ?? ''
  }

  #endpointOf(address: string): Endpoint | undefined {
    const canonical = canonicalOf(address)
    return [...this.endpoints.values()].find(({ attached }) => attached.ipv4 === canonical || attached.ipv6 === canonical)
  }

  /** This network and the others that the asking container is on, in this order. */
  #placesOf(client: string): { asking: Endpoint | undefined; places: BridgeNetwork[] } {
    const asking = this.#endpointOf(client)
    return { asking, places: asking ? [this, ...this.#networksOf(asking.containerId).filter((network) => network !== this)] : [this] }
  }

  #firstOf<T>(client: string, ask: (network: BridgeNetwork) => T | null): T | null {
    for (const place of this.#placesOf(client).places) {
      const found = place.record.predefined ? null : ask(place)
      if (found !== null) return found
    }
    return null
  }

  /** A container on internal networks alone has no way out, by names neither (CVE-2024-29018). */
  #resolvers(client: string): string[] | null {
    const { asking, places } = this.#placesOf(client)
    return places.every(({ record }) => record.internal) ? null : (asking?.dns ?? [])
  }

  /** A link gives its alias a meaning on the network that it was asked for, and on no other that both happen to be on. */
  #lookUp(name: string, client: string): { ipv4: string[]; ipv6: string[] } | null {
    const asking = this.#endpointOf(client)?.containerId ?? ''
    return this.#firstOf(client, (network) => {
      const links = network.endpoints.get(asking)?.attached.links.map((link) => link.split(':')) ?? []
      const target = links.find(([, alias]) => alias?.toLowerCase() === name)?.[0]
      return network.#addressesOf(target?.toLowerCase() ?? name)
    })
  }

  #addressesOf(wanted: string): { ipv4: string[]; ipv6: string[] } | null {
    const found = [...this.endpoints.values()].filter(
      ({ containerName, containerId, attached }) =>
        containerName.toLowerCase() === wanted ||
        containerId === wanted ||
        attached.aliases.some((alias) => alias.toLowerCase() === wanted) ||
        `${containerName}.${this.record.name}`.toLowerCase() === wanted,
    )
    if (found.length === 0) return null
    const present = (address: string) => address !== ''
    return {
      ipv4: found.map(({ attached }) => attached.ipv4).filter(present),
      ipv6: found.map(({ attached }) => attached.ipv6).filter(present),
    }
  }

  #nameOf(address: string): string | null {
    const endpoint = address === '' ? undefined : this.#endpointOf(address)
    return endpoint ? `${endpoint.containerName}.${this.record.name}` : null
  }
}

/** @throws invalid_argument in Docker's words for what is no address of that family; an IPv4 address in IPv6's clothes is none of either */
function addressOf(family: 4 | 6, text: string): bigint {
  const refused = () => new EngineError('invalid_argument', `invalid IPv${family} address: ${text}`)
  let parsed: ReturnType<typeof parseAddress>
  try {
    parsed = parseAddress(text)
  } catch {
    throw refused()
  }
  if (parsed.family !== family || (family === 6 && parsed.value >> 32n === 0xffffn)) throw refused()
  return parsed.value
}

/** @throws invalid_argument */
function checkLinkLocal(address: string): void {
  const { family, value } = parseAddress(address)
  const isLinkLocal = family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan
  if (!isLinkLocal) throw new EngineError('invalid_argument', `invalid link-local IP address: ${address}`)
}

/** As in Docker, the name that a container gave itself (`--hostname`) is answered too. */
const hostNames = (hostname: string) => (hostname === '' ? [] : [hostname])

function canonicalOf(address: string): string {
  try {
    const { family, value } = parseAddress(address.replace(/%.*$/, ''))
    return formatAddress(family, value)
  } catch {
    return ''
  }
}
