/** Pure: how a container's place on a network is told to the monitor and to the firewall. */
import type { AttachedNetwork } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import type { BridgeNetwork, Endpoint } from './bridge-network.ts'
import type { Redirect } from './firewall.ts'
import { bridgeOptions } from './network-record.ts'
import type { NetworkLease } from './networks.ts'
import type { HostPort } from './ports.ts'

/** At most 15 bytes; container ids are random, so eight digits of one do not meet twice on a host. */
export function hostNameOf(containerId: string, index: number): string {
  return `vb${containerId.slice(0, 8)}${index.toString(36)}`
}

/** Docker's option of an endpoint for the name of its interface. */
export const interfaceNameOption = 'com.docker.network.endpoint.ifname'

/** `eth`, or what the network was made with. */
export function interfacePrefix(network: BridgeNetwork): string {
  return network.record.options[bridgeOptions.containerPrefix] ?? 'eth'
}

/**
 * @param containerName of the interface inside, unless the endpoint has been given one
 * @param withGateways its default routes go through this network
 */
export function attachmentOf(
  network: BridgeNetwork,
  { hostName, attached }: Endpoint,
  containerName: string,
  withGateways: boolean,
): NetworkLease['monitor']['attachments'][number] {
  const addresses = [
    ...(attached.ipv4 ? [`${attached.ipv4}/${attached.ipv4PrefixLength}`] : []),
    ...(attached.ipv6 ? [`${attached.ipv6}/${attached.ipv6PrefixLength}`] : []),
    // Docker's widths: the whole of what is link-local is on the link.
    ...(attached.requested.linkLocal ?? []).map((address) => `${address}/${address.includes(':') ? 64 : 16}`),
  ]
  const gateways = withGateways ? [attached.gateway, attached.ipv6Gateway].filter((gateway) => gateway !== '') : []
  return {
    bridge: network.record.bridge,
    hostName,
    containerName: attached.requested.driverOptions?.[interfaceNameOption] ?? containerName,
    mac: attached.mac,
    addresses,
    gateways,
    mtu: network.mtu(),
    isolated: network.isolated,
  }
}

/** IPv4 ports go to the IPv4 address; those on IPv6 to the IPv6 address if there is one (else the monitor relays them). */
export function redirectsOf(ports: readonly HostPort[], attached: AttachedNetwork): Redirect[] {
  return ports.flatMap(({ proto, hostIp, hostPort, containerPort: port }): Redirect[] => {
    const family = hostIp.includes(':') ? 6 : 4
    const ip = family === 4 ? attached.ipv4 : attached.ipv6
    const all = hostIp === '0.0.0.0' || hostIp === '::'
    // fib says nothing of ::1 that would help: loopback of IPv6 is the monitor's.
    if (ip === '' || hostIp === '::1') return []
    return [{ family, proto, hostIp: all ? '' : hostIp, hostPort, ip, port }]
  })
}

/** What cannot be done is refused; options that no driver knows are kept and mean nothing, as in Docker. @throws invalid_argument */
export function checkDriverOptions(options: Record<string, string>): void {
  const name = options[interfaceNameOption]
  // dev_valid_name() of the kernel
  if (name !== undefined && (!/^[^/:\s]{1,15}$/.test(name) || name === '.' || name === '..'))
    throw new EngineError(
      'invalid_argument',
      `${interfaceNameOption}: "${name}" cannot name an interface: at most 15 characters, no slash, colon or space`,
    )
  if ('com.docker.network.endpoint.sysctls' in options)
    throw new EngineError(
      'invalid_argument',
      'com.docker.network.endpoint.sysctls is not supported; use --sysctl, which holds for every interface of the container',
    )
}
