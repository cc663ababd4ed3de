import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import { parseAddress, parseSubnet, type Subnet } from './address.ts'

/** Network devices of the host, through one `ip -batch` per change: each line is one command and the first failure ends the batch. */

export interface BridgeDevice {
  device: string
  /** With prefix length: `172.17.0.1/16`. */
  addresses: string[]
  mtu: number
}

/** Docker's: 02:42 and the IPv4 address, so that an address keeps its MAC and no neighbour cache is stale. Random without an IPv4 address. */
export function macOf(ipv4: string | undefined): string {
  const tail = ipv4 ? ipv4.split('.').map(Number) : [...randomBytes(4)]
  return ['02', '42', ...tail.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

export function deviceExists(device: string): boolean {
  return existsSync(`/sys/class/net/${device}`)
}

/**
 * Makes the bridge, or mends the addresses of the one that is there. Idempotent. Its MAC is given, not left to the kernel, which takes the lowest of the
 * ports: each container that came or went could change it, and for half a minute the others would send to one that is gone.
 */
export async function ensureBridge({ device, addresses, mtu }: BridgeDevice): Promise<void> {
  const lines: string[] = []
  if (deviceExists(device)) lines.push(`link set dev ${device} address ${readLines(`/sys/class/net/${device}/address`)[0]}`)
  else lines.push(`link add name ${device} address ${macOf(undefined)} type bridge`)
  // A bridge without ports is down for IPv6's duplicate detection; nodad lets our name service bind at once.
  for (const address of addresses) lines.push(`addr replace ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`)
  lines.push(`link set dev ${device} mtu ${mtu} up`)
  await ipBatch(lines)
}

/** Makes the host ends of containers ports of the bridge again, after it was made anew. Those that are gone are passed over. */
export async function rejoin(bridge: string, hostNames: readonly string[], isolated: boolean): Promise<void> {
  const lines = hostNames
    .filter(deviceExists)
    .flatMap((name) => [
      `link set dev ${name} master ${bridge} up`,
      ...(isolated ? [`link set dev ${name} type bridge_slave isolated on`] : []),
    ])
  if (lines.length) await ipBatch(lines)
}

export async function removeBridge(device: string): Promise<void> {
  if (deviceExists(device)) await ipBatch([`link delete dev ${device}`])
}

/** Everything that the host's routing tables know: what a new network must not overlap. */
export function hostSubnets(): Subnet[] {
  return [...ipv4Routes(), ...ipv6Routes(), ...nameservers()]
}

function ipv4Routes(): Subnet[] {
  return readLines('/proc/net/route')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split(/\s+/)
      if (!destination || !mask || mask === '00000000') return []
      const prefix = [...swap(mask).toString(2)].filter((bit) => bit === '1').length
      return [{ family: 4 as const, base: swap(destination), prefix }]
    })
}

/** The kernel prints IPv4 addresses as a number in the machine's byte order. */
function swap(hex: string): bigint {
  return BigInt(Buffer.from(hex, 'hex').readUInt32LE(0))
}

function ipv6Routes(): Subnet[] {
  return readLines('/proc/net/ipv6_route').flatMap((line) => {
    const [destination, prefix] = line.split(/\s+/)
    if (!destination || !prefix || prefix === '00') return []
    return [{ family: 6 as const, base: BigInt(`0x${destination}`), prefix: Number.parseInt(prefix, 16) }]
  })
}

/** A network over the host's name server would cut the host off from it. */
function nameservers(): Subnet[] {
  return readLines('/etc/resolv.conf').flatMap((line) => {
    const address = /^nameserver\s+(\S+)/.exec(line)?.[1]
    if (!address || address.includes('%')) return []
    try {
      const { family, value } = parseAddress(address)
      return [{ family, base: value, prefix: family === 4 ? 32 : 128 }]
    } catch {
      return []
    }
  })
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export interface LiveAttachment {
  bridge: string
  hostName: string
  containerName: string
  mac: string
  addresses: string[]
  gateways: string[]
  mtu: number
  isolated: boolean
}

/** Puts a new interface into the network namespace of a running process. On failure the pair of devices is removed again. */
export async function attachLive(
  pid: number,
  { bridge, hostName, containerName, mac, addresses, gateways, mtu, isolated }: LiveAttachment,
  defaultRoute: boolean,
): Promise<void> {
  await ipBatch([
    `link add name ${hostName} mtu ${mtu} type veth peer name ${containerName} mtu ${mtu} address ${mac} netns ${pid}`,
    `link set dev ${hostName} master ${bridge} up`,
    ...(isolated ? [`link set dev ${hostName} type bridge_slave isolated on`] : []),
  ])
  const inside = [
    ...addresses.map((address) => `addr add ${address} dev ${containerName}${address.includes(':') ? ' nodad' : ''}`),
    `link set dev ${containerName} up`,
    ...(defaultRoute ? gateways.map((gateway) => `route add default via ${gateway} dev ${containerName}`) : []),
  ]
  try {
    await inNamespace(pid, inside)
  } catch (error) {
    await detachLive(hostName)
    throw error
  }
}

/**
 * The default routes of a running process's network namespace from now on, through the interface with that hardware address.
 * @param gateways one of each family, '' for none
 */
export async function routeVia(pid: number, mac: string, gateways: string[]): Promise<void> {
  const { stdout } = await runProgram('nsenter', ['-t', String(pid), '-n', 'ip', '-j', 'link', 'show'])
  const device = (JSON.parse(stdout) as { ifname: string; address?: string }[]).find(({ address }) => address === mac)?.ifname
  const lines = gateways.filter((gateway) => gateway !== '').map((gateway) => `route replace default via ${gateway} dev ${device}`)
  if (device && lines.length) await inNamespace(pid, lines)
}

/** Interfaces inside a running process's network namespace. */
export async function interfacesInside(pid: number): Promise<string[]> {
  const { stdout } = await runProgram('nsenter', ['-t', String(pid), '-n', 'ip', '-j', 'link', 'show'])
  return (JSON.parse(stdout) as { ifname: string }[]).map((link) => link.ifname)
}

/** Removing one end of a pair removes both; no error if it is gone. */
export async function detachLive(hostName: string): Promise<void> {
  if (deviceExists(hostName)) await ipBatch([`link delete dev ${hostName}`])
}

async function inNamespace(pid: number, lines: string[]): Promise<void> {
  await batch('nsenter', ['-t', String(pid), '-n', 'ip', '-batch', '-'], lines)
}

async function ipBatch(lines: string[]): Promise<void> {
  await batch('ip', ['-batch', '-'], lines)
}

async function batch(program: string, args: string[], lines: string[]): Promise<void> {
  const result = await runProgram(program, args, { stdin: `${lines.join('\n')}\n`, allowedExitCodes: [1, 2] })
  if (result.exitCode === 0) return
  const reason = result.stderr.trim().split('\n')[0] ?? ''
  throw new EngineError('internal', `the kernel refused a network change: ${reason} (${lines.join('; ')})`)
}

/** The subnet of an address with prefix length. */
export function subnetOf(address: string): Subnet {
  return parseSubnet(address)
}
