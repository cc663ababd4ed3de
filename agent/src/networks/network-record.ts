import { isIPv4 } from 'node:net'
import { ipamPool, type NetworkSummary } from '@berth/contract/network'
import * as z from 'zod'
import { EngineError } from '../errors.ts'

/** A network as it is kept on disk: `$BERTH_DATA/networks/<id>.json`. */
export const networkRecord = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  createdAt: z.string(),
  internal: z.boolean(),
  ipv6: z.boolean(),
  attachable: z.boolean(),
  /** With gateways, as chosen. IPv4 first. */
  pools: z.array(ipamPool),
  labels: z.record(z.string(), z.string()),
  options: z.record(z.string(), z.string()),
  /** Families whose subnet was not asked for: Docker lets nobody choose an address there. Records of before this rule have none. */
  unchosen: z.array(z.union([z.literal(4), z.literal(6)])).optional(),
  ipamOptions: z.record(z.string(), z.string()).optional(),
  bridge: z.string(),
  predefined: z.boolean(),
})
export type NetworkRecord = z.infer<typeof networkRecord>

/** The local driver's options that mean something to us, Docker's names. */
export const bridgeOptions = {
  name: 'com.docker.network.bridge.name',
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  icc: 'com.docker.network.bridge.enable_icc',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
  containerPrefix: 'com.docker.network.container_iface_prefix',
} as const

/** @throws invalid_argument for an option that we would have to ignore, or a bad value */
export function checkOptions(options: Record<string, string>): void {
  for (const name of [bridgeOptions.icc, bridgeOptions.masquerade]) {
    const value = options[name]
    if (value !== undefined && value !== 'true' && value !== 'false')
      throw new EngineError('invalid_argument', `${name} is "${value}" but must be "true" or "false"`)
  }
  const binding = options[bridgeOptions.hostBinding]
  if (binding !== undefined && !isIPv4(binding))
    throw new EngineError('invalid_argument', `${bridgeOptions.hostBinding} is "${binding}" but must be an IPv4 address`)
  const mtu = options[bridgeOptions.mtu]
  if (mtu !== undefined && !(Number(mtu) >= 68 && Number(mtu) <= 65535))
    throw new EngineError('invalid_argument', `${bridgeOptions.mtu} is "${mtu}" but must be between 68 and 65535`)
  const device = options[bridgeOptions.name]
  if (device !== undefined && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(device))
    throw new EngineError('invalid_argument', `"${device}" cannot name a bridge: at most 15 letters, digits, "_", "." and "-"`)
}

/** Whether a network passes Docker's filters. @throws invalid_argument for an unknown filter */
export function matchesFilters(network: NetworkSummary, filters: Record<string, string[]>): boolean {
  return Object.entries(filters).every(
    ([filter, values]) => values.length === 0 || values.some((value) => matchesFilter(network, filter, value)),
  )
}

function matchesFilter(network: NetworkSummary, filter: string, value: string): boolean {
  switch (filter) {
    case 'driver':
      return network.driver === value
    case 'id':
      return network.id.startsWith(value)
    case 'name':
      return network.name.includes(value)
    case 'scope':
      return value === 'local'
    case 'type':
      if (value !== 'custom' && value !== 'builtin') throw new EngineError('invalid_argument', `invalid filter: 'type'='${value}'`)
      return network.predefined === (value === 'builtin')
    case 'dangling':
      return ['1', 'true'].includes(value) === (!network.predefined && network.endpoints.length === 0)
    case 'label': {
      const [key = '', ...rest] = value.split('=')
      return rest.length ? network.labels[key] === rest.join('=') : key in network.labels
    }
    default:
      throw new EngineError('invalid_argument', `Invalid filter '${filter}'`)
  }
}
