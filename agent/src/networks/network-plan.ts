/** Pure: what a new network is made of, and which addresses it gets. */
import { createHash, randomBytes } from 'node:crypto'
import { EngineError } from '../errors.ts'
import { contains, formatAddress, formatSubnet, overlaps, parseAddress, parseSubnet, rangeOf, type Subnet } from './address.ts'
import { chooseSubnet } from './address-pool.ts'
import type { NetworkRecord } from './network-record.ts'
import type { Networks } from './networks.ts'

/** A record with a new id and nothing in it yet. */
export function blankRecord(name: string, driver: NetworkRecord['driver']): NetworkRecord {
  return {
    version: 1,
    id: randomBytes(32).toString('hex'),
    name,
    driver,
    createdAt: new Date().toISOString(),
    internal: false,
    ipv6: false,
    attachable: false,
    pools: [],
    labels: {},
    options: {},
    bridge: '',
    predefined: false,
  }
}

/** A subnet whose first address is the gateway's, as Docker chooses. */
export function withGateway(subnet: Subnet): NetworkRecord['pools'][number] {
  return { subnet: formatSubnet(subnet), gateway: formatAddress(subnet.family, subnet.base + 1n) }
}

/**
 * The subnets of a new network: the wanted ones, an IPv4 one from the pools if none was wanted, an IPv6 one if `--ipv6` was said without one.
 * @param networks those that there are
 * @param used what else of this host must not be overlapped by a subnet that we choose
 * @throws invalid_argument, permission_denied (overlap), resource_exhausted
 */
export function poolsFor(
  { pools, ipv6, name }: Parameters<Networks['create']>[0],
  networks: readonly NetworkRecord[],
  defaults: readonly { base: string; size: number }[],
  used: readonly Subnet[],
): NetworkRecord['pools'] {
  const taken = networks.flatMap((record) => record.pools.map((pool) => parseSubnet(pool.subnet)))
  const wanted = pools.filter((pool) => pool.subnet !== '')
  if (wanted.filter((pool) => !pool.subnet.includes(':')).length > 1)
    throw new EngineError('permission_denied', "bridge driver doesn't support multiple subnets")
  const chosen = wanted.map((pool) => checkPool(pool, taken))
  if (!chosen.some((pool) => !pool.subnet.includes(':'))) {
    const wish = pools.find((pool) => pool.subnet === '')
    if (wish?.gateway || wish?.ipRange) throw new EngineError('invalid_argument', 'a gateway or an ip-range needs a subnet; add --subnet')
    chosen.unshift(withGateway(chooseSubnet(defaults, used)))
  }
  if (ipv6 && !chosen.some((pool) => pool.subnet.includes(':'))) chosen.push(withGateway(localIPv6Subnet(name)))
  return chosen
}

/** Families of the pools of which none was asked for. */
export function unchosenFamilies(pools: NetworkRecord['pools'], asked: readonly { subnet: string }[]): (4 | 6)[] {
  const familyOf = ({ subnet }: { subnet: string }) => (subnet.includes(':') ? 6 : 4)
  const chosen = new Set(asked.filter(({ subnet }) => subnet !== '').map(familyOf))
  return [...new Set(pools.map(familyOf))].filter((family) => !chosen.has(family))
}

/** @throws invalid_argument, already_exists (overlap) in Docker's words */
function checkPool(pool: NetworkRecord['pools'][number], used: readonly Subnet[]): NetworkRecord['pools'][number] {
  const subnet = parseSubnet(pool.subnet)
  if (used.some((other) => overlaps(subnet, other)))
    throw new EngineError('permission_denied', 'Pool overlaps with other one on this address space')
  const { first, last } = rangeOf(subnet)
  if (last - first < 1n) throw new EngineError('invalid_argument', `the subnet ${pool.subnet} has no room for a gateway and a container`)
  for (const address of [pool.gateway, ...Object.values(pool.auxAddresses ?? {})]) {
    if (!address) continue
    const { family, value } = parseAddress(address.replace(/\/\d+$/, ''))
    if (!contains(subnet, family, value)) throw new EngineError('invalid_argument', `no matching subnet for gateway ${address}`)
  }
  if (pool.ipRange && !overlaps(parseSubnet(pool.ipRange), subnet))
    throw new EngineError('invalid_argument', `no matching subnet for range ${pool.ipRange}`)
  const gateway = pool.gateway?.replace(/\/\d+$/, '') || formatAddress(subnet.family, subnet.base + 1n)
  return { ...pool, subnet: pool.subnet, gateway }
}

/** A ULA /64 (RFC 4193) that follows from the name, so that it is the same when a network is made again. */
function localIPv6Subnet(name: string): Subnet {
  const hash = createHash('sha256').update(`berth network ${name}`).digest()
  return { family: 6, base: (0xfdn << 120n) | (BigInt(`0x${hash.subarray(0, 7).toString('hex')}`) << 64n), prefix: 64 }
}
