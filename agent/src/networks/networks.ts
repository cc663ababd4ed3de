import type { AttachedNetwork, BoundPort, PortBinding } from '@berth/contract/container'
import type { PruneResult } from '@berth/contract/image'
import type { EndpointConfig, NetworkSummary } from '@berth/contract/network'

/** The words of native/README.md, `network`. */
export interface MonitorNetwork {
  attachments: {
    bridge: string
    hostName: string
    containerName: string
    mac: string
    addresses: string[]
    gateways: string[]
    mtu: number
    isolated: boolean
  }[]
  /** Whom 127.0.0.11 inside stands for. */
  nameServer?: string
  ports: { proto: 'tcp' | 'udp'; hostIp: string; hostPort: number; containerIp: string; containerPort: number }[]
}

/** What one start of a container gets. Addresses and ports stay reserved until release. */
export interface NetworkLease {
  attached: AttachedNetwork[]
  ports: BoundPort[]
  monitor: MonitorNetwork
  /** Lines for /etc/hosts and the content of resolv.conf. */
  hosts: { ip: string; names: string[] }[]
  resolvConf: string
  /** What the name service must know again after a restart. */
  containerName: string
  dns: string[]
}

export interface Networks {
  /** Makes the default bridge, reads records, rebuilds our nftables table, starts the name service. */
  open(): Promise<void>
  close(): Promise<void>
  list(filters?: Record<string, string[]>): NetworkSummary[]
  /** By name, id or prefix. @throws not_found `network X not found` */
  inspect(nameOrId: string): NetworkSummary
  /** Which network is meant, without its endpoints: cheap for lists. @throws not_found */
  identify(nameOrId: string): { id: string; name: string }
  create(input: {
    name: string
    driver: string
    internal: boolean
    ipv6: boolean
    attachable: boolean
    pools: { subnet: string; gateway?: string; ipRange?: string; auxAddresses?: Record<string, string> }[]
    labels: Record<string, string>
    options: Record<string, string>
    ipamOptions?: Record<string, string>
  }): Promise<NetworkSummary>
  /** @throws EndpointConflictError `error while removing network: network X id … has active endpoints` */
  remove(nameOrId: string): Promise<void>
  prune(options: { until?: string; labels: string[]; notLabels: string[]; dryRun: boolean }): Promise<PruneResult>
  /** Reserves addresses and host ports for a start and writes the nftables rules. @throws already_exists `Bind for 0.0.0.0:80 failed: port is already allocated`, not_found, resource_exhausted */
  lease(container: {
    id: string
    name: string
    hostname: string
    networks: { network: string; config: EndpointConfig }[]
    ports: PortBinding[]
    mac: string
    dns: string[]
    dnsSearch: string[]
    dnsOptions: string[]
    links: { name: string; alias: string }[]
  }): Promise<NetworkLease>
  /** After a restart of the agent: takes the lease of a container that goes on running. */
  adopt(containerId: string, lease: NetworkLease): void
  /** Gives everything back; rules are gone when it resolves. No error if there is none. */
  release(containerId: string): Promise<void>
  /** On a running container: makes the attachment inside its network namespace. */
  connect(
    network: string,
    container: { id: string; name: string; pid: number | null; hostname: string },
    config: EndpointConfig,
  ): Promise<{ attached: AttachedNetwork; attachment: NetworkLease['monitor']['attachments'][number] | null }>
  /**
   * After a running container has joined or left a network: its default route and its published ports go by the one of its networks that leads out and has the highest priority.
   * @param attached what it was and what it is attached to
   * @param setPort asks its monitor
   * @returns what its lease says of ports from now on, null when its way out is the one that it was
   * @throws already_exists as lease(), and what setPort throws; published is what was published before
   */
  moveWayOut(
    container: { id: string; name: string; pid: number },
    attached: { before: readonly AttachedNetwork[]; after: readonly AttachedNetwork[] },
    bindings: PortBinding[],
    setPort: (port: NetworkLease['monitor']['ports'][number]) => Promise<void>,
  ): Promise<{ ports: BoundPort[]; monitorPorts: NetworkLease['monitor']['ports'] } | null>
  /** Whether the network has no way out; false for one that is gone. */
  isInternal(id: string): boolean
  /** The name service answers to the new name from now on. */
  rename(containerId: string, name: string): void
  /** What of this host keeps containers from the network, in sentences for `info`. */
  warnings(): string[]
  disconnect(network: string, container: { id: string; pid: number | null }, force: boolean): Promise<void>
}
