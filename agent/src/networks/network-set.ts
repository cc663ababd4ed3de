import { join } from 'node:path'
import { openRecords, type Records } from '../disk/records.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { overlaps, parseSubnet, type Subnet } from './address.ts'
import { chooseSubnet } from './address-pool.ts'
import { BridgeNetwork } from './bridge-network.ts'
import { setSysctl } from './firewall.ts'
import { deviceExists, hostSubnets, removeBridge } from './links.ts'
import { blankRecord, poolsFor, unchosenFamilies, withGateway } from './network-plan.ts'
import { bridgeOptions, checkOptions, type NetworkRecord, networkRecord } from './network-record.ts'
import type { Networks } from './networks.ts'

export interface NetworkSetOptions {
  /** Names the default bridge `<instance>0`. */
  instance: string
  dataRoot: string
  /** From which networks without a subnet are cut. */
  pools: { base: string; size: number }[]
  log?: Logger
}

/** The networks that there are: their records on disk, their bridges on the host, who is on which. Knows nothing of rules, ports and events. */
export class NetworkSet {
  readonly #options: NetworkSetOptions
  readonly #networks = new Map<string, BridgeNetwork>()
  #records!: Records<NetworkRecord>

  constructor(options: NetworkSetOptions) {
    this.#options = options
  }

  /** Reads the records, makes those that every host has, and brings the bridges up. */
  async open(): Promise<void> {
    this.#records = await openRecords(join(this.#options.dataRoot, 'networks'), {
      parse: (value) => networkRecord.parse(value),
      log: this.#options.log,
    })
    await this.#ensurePredefined()
    for (const record of this.#records.values()) this.#networks.set(record.id, this.#networkOf(record))
    for (const network of this.#networks.values()) await this.#raise(network)
  }

  /** Bridges stay for the containers that go on running. */
  async close(): Promise<void> {
    await Promise.all(this.all().map((network) => network.close()))
  }

  all(): BridgeNetwork[] {
    return [...this.#networks.values()]
  }

  get(id: string): BridgeNetwork | undefined {
    return this.#networks.get(id)
  }

  async #ensurePredefined(): Promise<void> {
    const { instance, pools } = this.#options
    const byName = (name: string) => this.#records.values().find((record) => record.predefined && record.name === name)
    const make = (name: string, driver: NetworkRecord['driver'], more: Partial<NetworkRecord>) =>
      this.#put({ ...blankRecord(name, driver), predefined: true, ...more })
    if (!byName('host')) await make('host', 'host', {})
    if (!byName('none')) await make('none', 'null', {})
    const device = `${instance}0`
    const existing = byName('bridge')
    // The host may have come to use our addresses while we were away; a bridge that is up keeps what it has.
    const stale =
      existing &&
      !deviceExists(device) &&
      this.#used('').some((subnet) => overlaps(subnet, parseSubnet(existing.pools[0]?.subnet as string)))
    if (existing && !stale) return
    const pool = withGateway(chooseSubnet(pools, this.#used('bridge')))
    if (existing) await this.#put({ ...existing, pools: [pool] })
    else {
      const options = {
        [bridgeOptions.defaultBridge]: 'true',
        [bridgeOptions.icc]: 'true',
        [bridgeOptions.masquerade]: 'true',
        [bridgeOptions.hostBinding]: '0.0.0.0',
        [bridgeOptions.name]: device,
        [bridgeOptions.mtu]: '1500',
      }
      await make('bridge', 'bridge', { bridge: device, pools: [pool], options })
    }
  }

  /** What a new network must not overlap. @param except name of a network of ours that does not count; '' = none of ours does */
  #used(except: string): Subnet[] {
    const ours = except === '' ? [] : this.#records.values().filter((record) => record.name !== except)
    return [...hostSubnets(), ...ours.flatMap((record) => record.pools.map((pool) => parseSubnet(pool.subnet)))]
  }

  #put(record: NetworkRecord): Promise<void> {
    return this.#records.put(record.id, record)
  }

  async #raise(network: BridgeNetwork): Promise<void> {
    if (network.record.driver !== 'bridge') return
    await network.open()
    if (network.record.ipv6) setSysctl('net/ipv6/conf/all/forwarding', '1')
  }

  #networkOf(record: NetworkRecord): BridgeNetwork {
    return new BridgeNetwork(record, (containerId) => this.of(containerId), this.#options.log)
  }

  /** Every network that a container is on. */
  of(containerId: string): BridgeNetwork[] {
    return this.all().filter((network) => network.endpoints.has(containerId))
  }

  /** Whom 127.0.0.11 inside a container stands for: the same one however often and in which order it is asked. */
  nameServerOf(containerId: string): string | null {
    const named = this.of(containerId)
      .filter((network) => network.hasNameService && network.gateway(4) !== '')
      .sort((a, b) => (a.record.id < b.record.id ? -1 : 1))
    return named[0]?.gateway(4) ?? null
  }

  bridges(): BridgeNetwork[] {
    return this.all().filter((network) => network.record.driver === 'bridge')
  }

  /** By id, name or unambiguous prefix of an id. @throws not_found, invalid_argument (ambiguous) */
  find(nameOrId: string): BridgeNetwork {
    const all = this.all()
    const named = all.find((network) => network.record.id === nameOrId) ?? all.find((network) => network.record.name === nameOrId)
    if (named) return named
    // Docker's name of the default network in HostConfig.
    if (nameOrId === 'default') return this.find('bridge')
    const prefixed = /^[0-9a-f]+$/.test(nameOrId) ? all.filter((network) => network.record.id.startsWith(nameOrId)) : []
    if (prefixed.length > 1)
      throw new EngineError('invalid_argument', `network ${nameOrId} is ambiguous (${prefixed.length} matches found based on ID prefix)`)
    if (prefixed[0]) return prefixed[0]
    throw new EngineError('not_found', `network ${nameOrId} not found`)
  }

  /**
   * Makes a network with its bridge.
   * @throws already_exists, permission_denied, not_found (driver), invalid_argument, resource_exhausted, internal (the kernel's words); nothing is left then
   */
  async add(input: Parameters<Networks['create']>[0]): Promise<BridgeNetwork> {
    if (this.all().some((network) => network.record.name === input.name))
      throw new EngineError('already_exists', `network with name ${input.name} already exists`)
    if (input.driver !== '' && input.driver !== 'bridge') {
      if (input.driver === 'host' || input.driver === 'null')
        throw new EngineError('permission_denied', `only one instance of "${input.driver}" network is allowed`)
      throw new EngineError('not_found', `plugin "${input.driver}" not found; the network driver here is "bridge"`)
    }
    if (/^(default|container:.*)$/.test(input.name)) throw new EngineError('invalid_argument', `"${input.name}" is a reserved network name`)
    checkOptions(input.options)
    const pools = poolsFor(input, this.#records.values(), this.#options.pools, this.#used('none'))
    const record: NetworkRecord = {
      ...blankRecord(input.name, 'bridge'),
      internal: input.internal,
      attachable: input.attachable,
      ipv6: input.ipv6 || input.pools.some((pool) => pool.subnet.includes(':')),
      labels: input.labels,
      options: input.options,
      ...(input.ipamOptions ? { ipamOptions: input.ipamOptions } : {}),
      pools,
      unchosen: unchosenFamilies(pools, input.pools),
    }
    record.bridge = input.options[bridgeOptions.name] ?? `br-${record.id.slice(0, 12)}`
    if (deviceExists(record.bridge))
      throw new EngineError('already_exists', `the network device ${record.bridge} exists already; choose another ${bridgeOptions.name}`)
    const network = this.#networkOf(record)
    // Written first: a crash in between leaves a record whose bridge is made at the next start, never a bridge that nobody knows.
    await this.#put(record)
    this.#networks.set(record.id, network)
    try {
      await this.#raise(network)
    } catch (error) {
      await this.discard(network)
      throw error
    }
    return network
  }

  /** The device first, the record last: a crash in between leaves a record that can be removed again. */
  async discard(network: BridgeNetwork): Promise<void> {
    this.#networks.delete(network.record.id)
    await network.close()
    await removeBridge(network.record.bridge)
    await this.#records.remove(network.record.id)
  }
}
