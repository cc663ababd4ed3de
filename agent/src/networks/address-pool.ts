import { EngineError } from '../errors.ts'
import { contains, formatAddress, formatSubnet, overlaps, parseAddress, parseSubnet, rangeOf, type Subnet } from './address.ts'

/**
 * The next network for a bridge: the first cut of the configured pools that overlaps nothing that is used.
 * @param used our own networks and the host's routes
 * @throws resource_exhausted in Docker's words
 */
export function chooseSubnet(pools: readonly { base: string; size: number }[], used: readonly Subnet[]): Subnet {
  for (const pool of pools) {
    const whole = parseSubnet(pool.base)
    const { first, last } = rangeOf(whole)
    const step = 1n << BigInt((whole.family === 4 ? 32 : 128) - pool.size)
    for (let base = first; base + step - 1n <= last; base += step) {
      const candidate: Subnet = { family: whole.family, base, prefix: pool.size }
      if (!used.some((other) => overlaps(candidate, other))) return candidate
    }
  }
  throw new EngineError(
    'resource_exhausted',
    'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network; remove unused networks or widen BERTH_ADDRESS_POOLS',
  )
}

/** Addresses of one subnet: the lowest free one, or a chosen one. */
export class Addresses {
  readonly subnet: Subnet
  readonly #range: { first: bigint; last: bigint }
  readonly #taken = new Set<bigint>()
  #lowest: bigint

  /** @param reserved gateway and auxiliary addresses. @param range part of the subnet from which free ones are taken */
  constructor(subnet: Subnet, reserved: readonly string[], range?: Subnet) {
    this.subnet = subnet
    const { first, last } = rangeOf(range ?? subnet)
    const edges = rangeOf(subnet)
    // The network and (IPv4) broadcast addresses belong to nobody; in /31, /32 and /127 every address counts.
    const small = edges.last - edges.first < 2n
    this.#range = {
      first: !small && first === edges.first ? first + 1n : first,
      last: !small && subnet.family === 4 && last === edges.last ? last - 1n : last,
    }
    this.#lowest = this.#range.first
    for (const address of reserved) this.#taken.add(parseAddress(address).value)
  }

  /** @throws resource_exhausted (none left), already_exists (the chosen one is taken), invalid_argument (not in the subnet) */
  take(wanted?: string): string {
    if (wanted !== undefined && wanted !== '') return this.#takeChosen(wanted)
    for (let value = this.#lowest; value <= this.#range.last; value++) {
      if (this.#taken.has(value)) continue
      this.#taken.add(value)
      this.#lowest = value + 1n
      return formatAddress(this.subnet.family, value)
    }
    throw new EngineError(
      'resource_exhausted',
      `no available IPv${this.subnet.family} addresses on this network's address pools: ${formatSubnet(this.subnet)}`,
    )
  }

  #takeChosen(wanted: string): string {
    const { family, value } = parseAddress(wanted)
    if (!contains(this.subnet, family, value))
      throw new EngineError('invalid_argument', `invalid endpoint settings: no configured subnet contains IP address ${wanted}`)
    if (this.#taken.has(value)) throw new EngineError('already_exists', 'Address already in use')
    this.#taken.add(value)
    return formatAddress(family, value)
  }

  /** Takes what a running container has had already; no error if it is out of range or taken. */
  adopt(address: string): void {
    this.#taken.add(parseAddress(address).value)
  }

  give(address: string): void {
    const { value } = parseAddress(address)
    this.#taken.delete(value)
    if (value < this.#lowest && value >= this.#range.first) this.#lowest = value
  }
}
