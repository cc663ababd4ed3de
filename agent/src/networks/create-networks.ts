import type { AttachedNetwork, PortBinding } from '@berth/contract/container'
import type { PruneResult } from '@berth/contract/image'
import type { EndpointConfig, NetworkSummary } from '@berth/contract/network'
import { codeOf, EndpointConflictError, EngineError, messageOf } from '../errors.ts'
import type { Events } from '../events/events.ts'
import { parseTime } from '../events/time.ts'
import type { Logger } from '../log.ts'
import { attachmentOf, hostNameOf, interfacePrefix, redirectsOf } from './attachment.ts'
import type { BridgeNetwork, Endpoint } from './bridge-network.ts'
import { Firewall, foreignForwardDrops, readSysctl, setSysctl } from './firewall.ts'
import { attachLive, detachLive, interfacesInside, routeVia } from './links.ts'
import { moveNameServer } from './name-server.ts'
import { bridgeOptions, matchesFilters } from './network-record.ts'
import { NetworkSet } from './network-set.ts'
import type { NetworkLease, Networks } from './networks.ts'
import { boundPorts, type HostPort, PortTable } from './ports.ts'
import { containerResolvConf } from './resolv-conf.ts'
import { gatewayOrder, type Held, leadPorts, monitorPorts } from './way-out.ts'

/**
 * @param options.instance names the default bridge `<instance>0` and the nftables table
 * @param options.pools from which networks without a subnet are cut
 */
export function createNetworks(options: {
  instance: string
  dataRoot: string
  pools: { base: string; size: number }[]
  events: Events
  log?: Logger
}): Networks {
  return new NetworkRoom(options)
}

type LeaseInput = Parameters<Networks['lease']>[0]

/** See Networks. All state of running containers is in memory: it comes back by `adopt` from the leases that containers/ keeps. */
class NetworkRoom implements Networks {
  readonly #options: Parameters<typeof createNetworks>[0]
  readonly #set: NetworkSet
  readonly #held = new Map<string, Held>()
  readonly #ports = new PortTable()
  readonly #firewall: Firewall
  #rebuildScheduled = false
  #warnings: string[] = []

  constructor(options: Parameters<typeof createNetworks>[0]) {
    this.#options = options
    this.#set = new NetworkSet(options)
    this.#firewall = new Firewall(
      options.instance,
      () => ({
        bridges: this.#set.bridges().map((network) => network.firewalled()),
        redirects: [...this.#held.values()].flatMap((held) => held.redirects),
      }),
      options.log,
    )
  }

  async open(): Promise<void> {
    await this.#set.open()
    if (setSysctl('net/ipv4/ip_forward', '1'))
      this.#options.log?.info('switched net.ipv4.ip_forward on: containers could not reach the outside without it')
    await this.#firewall.rebuild()
    this.#firewall.watch()
    for (const chain of await foreignForwardDrops(this.#options.instance)) {
      const warning = `the firewall chain "${chain}" drops forwarded packets: containers reach other machines only if that firewall lets them`
      this.#warnings.push(warning)
      this.#options.log?.warn(warning)
    }
  }

  /** Bridges and rules stay for the containers that go on running. */
  async close(): Promise<void> {
    await this.#firewall.close()
    await this.#set.close()
  }

  warnings(): string[] {
    const off = readSysctl('net/ipv4/ip_forward') === '0'
    return [
      ...this.#warnings,
      ...(off
        ? ['net.ipv4.ip_forward was switched off: containers do not reach other machines; switch it on, or start the agent again']
        : []),
    ]
  }

  list(filters: Record<string, string[]> = {}): NetworkSummary[] {
    return this.#set
      .all()
      .map((network) => network.summary())
      .filter((summary) => matchesFilters(summary, filters))
  }

  inspect(nameOrId: string): NetworkSummary {
    return this.#set.find(nameOrId).summary()
  }

  identify(nameOrId: string): { id: string; name: string } {
    return this.#set.find(nameOrId).record
  }

  async create(input: Parameters<Networks['create']>[0]): Promise<NetworkSummary> {
    const network = await this.#set.add(input)
    try {
      await this.#firewall.rebuild()
    } catch (error) {
      await this.#set.discard(network)
      throw error
    }
    this.#publish('create', network)
    return network.summary()
  }

  async remove(nameOrId: string): Promise<void> {
    const network = this.#set.find(nameOrId)
    const { name, id, predefined } = network.record
    if (predefined) throw new EngineError('permission_denied', `${name} is a pre-defined network and cannot be removed`)
    if (network.endpoints.size)
      throw new EndpointConflictError(`error while removing network: network ${name} id ${id} has active endpoints`)
    await this.#set.discard(network)
    await this.#firewall.rebuild()
    this.#publish('destroy', network)
  }

  async prune({ until, labels, notLabels, dryRun }: Parameters<Networks['prune']>[0]): Promise<PruneResult> {
    const latest = until === undefined ? null : parseTime(until)
    const wanted = this.list({ dangling: ['true'], label: labels }).filter(
      (network) =>
        !notLabels.some((label) => matchesFilters(network, { label: [label] })) &&
        (latest === null || BigInt(Date.parse(network.createdAt)) * 1_000_000n <= latest),
    )
    if (!dryRun) for (const network of wanted) await this.remove(network.id)
    return { removed: wanted.map(({ id, name }) => ({ id, name, sizeBytes: 0 })), reclaimedBytes: 0, dryRun }
  }

  async lease(container: LeaseInput): Promise<NetworkLease> {
    const wishes = container.networks.map(({ network, config }) => ({ network: this.#set.find(network), config }))
    const joined: { network: BridgeNetwork; endpoint: Endpoint }[] = []
    const held: Held = { ports: [], redirects: [], nextInterface: wishes.length }
    try {
      for (const [index, { network, config }] of wishes.entries()) {
        await network.mend()
        const hostName = network.record.driver === 'bridge' ? hostNameOf(container.id, index) : ''
        const mac = index === 0 ? container.mac : ''
        joined.push({ network, endpoint: network.join({ ...container, hostName, mac }, config) })
      }
      const outward = this.#wayOut(joined.map(({ endpoint }) => endpoint.attached))
      // Who is on internal networks alone is reached from there alone: nothing is published, as in Docker.
      if (outward) {
        held.ports = await this.#reservePorts(container, outward)
        held.redirects = redirectsOf(held.ports, outward)
      }
      // Before the rules are written: a rebuild in between must know them.
      this.#held.set(container.id, held)
      await this.#firewall.add(held.redirects)
      for (const { network } of joined) this.#publish('connect', network, container.id)
      return this.#leaseOf(container, joined, held, outward)
    } catch (error) {
      for (const { network } of joined) network.leave(container.id)
      this.#ports.give(held.ports)
      this.#held.delete(container.id)
      throw error
    }
  }

  /** Of several networks the one that what leaves the container takes, and by which it is published. */
  #wayOut(attached: readonly AttachedNetwork[]): AttachedNetwork | undefined {
    const leadsOut = ({ networkId }: AttachedNetwork) => {
      const record = this.#set.get(networkId)?.record
      return record?.driver === 'bridge' && !record.internal
    }
    return attached.filter(leadsOut).sort(gatewayOrder)[0]
  }

  async #reservePorts({ id, name, ports }: Pick<LeaseInput, 'id' | 'name' | 'ports'>, attached: AttachedNetwork): Promise<HostPort[]> {
    const hostBinding = this.#set.get(attached.networkId)?.record.options[bridgeOptions.hostBinding] ?? ''
    try {
      return await this.#ports.reserve(id, ports, hostBinding === '0.0.0.0' ? '' : hostBinding)
    } catch (error) {
      const words = `driver failed programming external connectivity on endpoint ${name} (${attached.endpointId}): ${messageOf(error)}`
      throw new EngineError(codeOf(error), words, { cause: error })
    }
  }

  #leaseOf(
    container: LeaseInput,
    joined: { network: BridgeNetwork; endpoint: Endpoint }[],
    held: Held,
    outward: AttachedNetwork | undefined,
  ): NetworkLease {
    // As in Docker, interfaces are numbered in the order in which their networks would be the way out.
    const bridged = joined
      .filter(({ network }) => network.record.driver === 'bridge')
      .sort(
        (one, other) =>
          Number(one.network.record.internal) - Number(other.network.record.internal) ||
          gatewayOrder(one.endpoint.attached, other.endpoint.attached),
      )
    const nameServer = this.#set.nameServerOf(container.id)
    const place = joined.some(({ network }) => network.record.driver === 'host') ? 'host' : nameServer === null ? 'plain' : 'named'
    return {
      attached: joined.map(({ endpoint }) => endpoint.attached),
      ports: boundPorts(held.ports),
      monitor: {
        ...(nameServer === null ? {} : { nameServer }),
        attachments: bridged.map(({ network, endpoint }, index) =>
          attachmentOf(network, endpoint, `${interfacePrefix(network)}${index}`, endpoint.attached === outward),
        ),
        ports: monitorPorts(held.ports, outward?.ipv4 ?? ''),
      },
      hosts: this.#hostLines(container, bridged),
      containerName: container.name,
      dns: container.dns,
      resolvConf: containerResolvConf(
        container,
        place,
        bridged.some(({ endpoint }) => endpoint.attached.ipv6 !== ''),
      ),
    }
  }

  /** Links of the default bridge, then the container itself on each of its networks. */
  #hostLines({ links, hostname }: LeaseInput, bridged: { network: BridgeNetwork; endpoint: Endpoint }[]): NetworkLease['hosts'] {
    const names = [...new Set([hostname, hostname.split('.')[0] as string].filter((name) => name !== ''))]
    const linked = links.flatMap(({ name, alias }) => {
      const found = bridged
        .filter(({ network }) => network.record.predefined)
        .flatMap(({ network }) => [...network.endpoints.values()])
        .find((endpoint) => endpoint.containerName === name || endpoint.containerId === name)
      return found ? [{ ip: found.attached.ipv4, names: [...new Set([alias, found.hostname, found.containerName])] }] : []
    })
    const own = bridged.flatMap(({ endpoint: { attached } }) =>
      [attached.ipv4, attached.ipv6].filter((ip) => ip !== '').map((ip) => ({ ip, names })),
    )
    return [...linked, ...own]
  }

  adopt(containerId: string, lease: NetworkLease): void {
    for (const attached of lease.attached) {
      const network = this.#set.get(attached.networkId)
      if (!network) continue
      const attachment = lease.monitor.attachments.find((one) => one.mac === attached.mac && one.bridge === network.record.bridge)
      const own = lease.hosts.at(-1)?.names[0] ?? ''
      network.adopt({
        containerId,
        containerName: lease.containerName,
        hostname: own,
        hostName: attachment?.hostName ?? '',
        dns: lease.dns,
        attached,
      })
    }
    const ports = lease.monitor.ports.map(({ proto, hostIp, hostPort, containerPort }) => ({ proto, hostIp, hostPort, containerPort }))
    const targetIp = lease.monitor.ports[0]?.containerIp
    const target = lease.attached.find((attached) => attached.ipv4 === targetIp)
    this.#ports.adopt(containerId, ports)
    this.#held.set(containerId, { ports, redirects: target ? redirectsOf(ports, target) : [], nextInterface: 100 })
    this.#rebuildSoon()
  }

  /** Many adoptions at boot are one rebuild. */
  #rebuildSoon(): void {
    if (this.#rebuildScheduled) return
    this.#rebuildScheduled = true
    setImmediate(() => {
      this.#rebuildScheduled = false
      this.#firewall.rebuild().catch((error) => this.#options.log?.error({ err: error }, 'the nftables table could not be written'))
    })
  }

  async release(containerId: string): Promise<void> {
    const held = this.#held.get(containerId)
    this.#held.delete(containerId)
    const left = this.#set.all().filter((network) => network.leave(containerId) !== null)
    // Ports are free for others only when the rules that point to this container are gone.
    if (held) {
      await this.#firewall.remove(held.redirects)
      this.#ports.give(held.ports)
    }
    for (const network of left) this.#publish('disconnect', network, containerId)
  }

  isInternal(id: string): boolean {
    return this.#set.get(id)?.record.internal ?? false
  }

  rename(containerId: string, name: string): void {
    for (const network of this.#set.all()) {
      const endpoint = network.endpoints.get(containerId)
      if (endpoint) endpoint.containerName = name
    }
  }

  async connect(nameOrId: string, container: Parameters<Networks['connect']>[1], config: EndpointConfig): ReturnType<Networks['connect']> {
    const network = this.#set.find(nameOrId)
    if (network.record.driver !== 'bridge')
      throw new EngineError(
        'failed_precondition',
        network.record.driver === 'null'
          ? 'container cannot be connected to multiple networks with one of the networks in private (none) mode'
          : 'container cannot be disconnected from host network or connected to host network',
      )
    await network.mend()
    const held = this.#held.get(container.id) ?? { ports: [], redirects: [], nextInterface: 0 }
    const hostName = hostNameOf(container.id, held.nextInterface++)
    const others = this.#set.of(container.id)
    const before = this.#set.nameServerOf(container.id)
    const dns = others.map((other) => other.endpoints.get(container.id)?.dns ?? []).find((list) => list.length > 0) ?? []
    const endpoint = network.join({ ...container, hostName, mac: '', dns }, config)
    if (container.pid === null) {
      // Only a check that it could be had: a container that does not run holds no addresses.
      network.leave(container.id)
      const nowhere = {
        endpointId: '',
        gateway: '',
        ipv4: '',
        ipv4PrefixLength: 0,
        ipv6: '',
        ipv6Gateway: '',
        ipv6PrefixLength: 0,
        mac: '',
      }
      return { attached: { ...endpoint.attached, ...nowhere }, attachment: null }
    }
    let attachment: NetworkLease['monitor']['attachments'][number]
    try {
      const taken = await interfacesInside(container.pid)
      const prefix = interfacePrefix(network)
      let index = 0
      while (taken.includes(`${prefix}${index}`)) index++
      const first = !others.some((other) => !other.record.internal)
      attachment = attachmentOf(network, endpoint, `${prefix}${index}`, true)
      await attachLive(container.pid, attachment, first && !network.record.internal)
      await this.#moveNameServer({ id: container.id, pid: container.pid }, before)
    } catch (error) {
      network.leave(container.id)
      await detachLive(hostName)
      throw error
    }
    this.#held.set(container.id, held)
    this.#publish('connect', network, container.id)
    return { attached: endpoint.attached, attachment }
  }

  async moveWayOut(
    container: Parameters<Networks['moveWayOut']>[0],
    { before, after }: Parameters<Networks['moveWayOut']>[1],
    bindings: PortBinding[],
    setPort: Parameters<Networks['moveWayOut']>[3],
  ): ReturnType<Networks['moveWayOut']> {
    const [from, to] = [this.#wayOut(before), this.#wayOut(after)]
    const held = this.#held.get(container.id)
    if (from?.networkId === to?.networkId || !held) return null
    if (to && from) await routeVia(container.pid, to.mac, [to.gateway, to.ipv6Gateway])
    // A port that is published already is led elsewhere and stays the container's all the time.
    const ports = to ? (from ? held.ports : await this.#reservePorts({ ...container, ports: bindings }, to)) : []
    try {
      await leadPorts(held.ports, monitorPorts(ports, to?.ipv4 ?? ''), from?.ipv4 ?? '', setPort)
    } catch (error) {
      if (!from) this.#ports.give(ports)
      throw error
    }
    const old = { ports: held.ports, redirects: held.redirects }
    held.ports = ports
    held.redirects = to ? redirectsOf(ports, to) : []
    await this.#firewall.remove(old.redirects)
    // As in release(): free for others only when no rule points here any more.
    if (!to) this.#ports.give(old.ports)
    await this.#firewall.add(held.redirects)
    return { ports: boundPorts(ports), monitorPorts: monitorPorts(ports, to?.ipv4 ?? '') }
  }

  async disconnect(nameOrId: string, container: { id: string; pid: number | null }, force: boolean): Promise<void> {
    const network = this.#set.find(nameOrId)
    const endpoint = network.endpoints.get(container.id)
    if (!endpoint) {
      if (container.pid === null || force) return
      throw new EngineError('failed_precondition', `container ${container.id} is not connected to network ${network.record.name}`)
    }
    const before = this.#set.nameServerOf(container.id)
    await detachLive(endpoint.hostName)
    const held = this.#held.get(container.id)
    if (held) {
      const gone = held.redirects.filter(({ ip }) => ip === endpoint.attached.ipv4 || ip === endpoint.attached.ipv6)
      held.redirects = held.redirects.filter((redirect) => !gone.includes(redirect))
      await this.#firewall.remove(gone)
    }
    network.leave(container.id)
    this.#publish('disconnect', network, container.id)
    if (container.pid !== null) await this.#moveNameServer({ id: container.id, pid: container.pid }, before)
  }

  async #moveNameServer({ id, pid }: { id: string; pid: number }, before: string | null): Promise<void> {
    const now = this.#set.nameServerOf(id)
    if (now !== before) await moveNameServer(pid, now)
  }

  #publish(action: string, network: BridgeNetwork, containerId?: string): void {
    const { id, name, driver } = network.record
    this.#options.events.publish({
      type: 'network',
      action,
      actorId: id,
      attributes: { ...(containerId ? { container: containerId } : {}), name, type: driver },
    })
  }
}
