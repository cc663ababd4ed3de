import type { NetworkSummary } from '@berth/contract/network'
import { EndpointConflictError, EngineError } from '../errors.ts'
import { type Call, type Route, readObject, sendEmpty, sendJson, tellPruned } from './call.ts'
import { parseEndpoint } from './container-config.ts'
import { Fields } from './fields.ts'
import { booleanFilter, parseFilters, untilOf } from './filters.ts'

/** A network in Docker's words; lists leave the containers out, as Docker does. */
function networkBody(network: NetworkSummary, withContainers: boolean): Record<string, unknown> {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: 'default',
      Options: network.predefined ? null : (network.ipamOptions ?? null),
      // Docker keeps both kinds apart and tells IPv4 first.
      Config: network.pools
        .toSorted((a, b) => Number(a.subnet.includes(':')) - Number(b.subnet.includes(':')))
        .map((pool) => ({
          Subnet: pool.subnet,
          ...(pool.ipRange ? { IPRange: pool.ipRange } : {}),
          ...(pool.gateway ? { Gateway: pool.gateway } : {}),
          ...(pool.auxAddresses && Object.keys(pool.auxAddresses).length > 0 ? { AuxiliaryAddresses: pool.auxAddresses } : {}),
        })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: withContainers
      ? Object.fromEntries(
          network.endpoints.map((endpoint) => [
            endpoint.containerId,
            {
              Name: endpoint.containerName,
              EndpointID: endpoint.endpointId,
              MacAddress: endpoint.mac,
              IPv4Address: endpoint.ipv4,
              IPv6Address: endpoint.ipv6,
            },
          ]),
        )
      : {},
    Options: network.options,
    Labels: network.labels,
  }
}

const listFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']

async function list(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), listFilters)
  booleanFilter(filters, 'dangling')
  sendJson(
    call,
    200,
    call.engine.networks.list(filters).map((network) => networkBody(network, call.minor < 28)),
  )
}

async function inspect(call: Call): Promise<void> {
  const scope = call.query.get('scope')
  const network = call.engine.networks.inspect(call.params[0] as string)
  if (scope && scope !== 'local') throw new EngineError('not_found', `network ${call.params[0]} not found`)
  sendJson(call, 200, networkBody(network, true))
}

async function create(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const name = fields.text('Name')
  if (name.trim() === '') throw new EngineError('invalid_argument', 'network name must not be empty')
  if (['bridge', 'host', 'none', 'default'].includes(name))
    throw new EngineError('permission_denied', `operation is not permitted on predefined ${name} network`)
  for (const key of ['Ingress', 'ConfigOnly'])
    if (fields.bool(key)) throw new EngineError('unavailable', `${key} networks are not supported: this engine has no swarm`)
  if (fields.text('Scope') === 'swarm')
    throw new EngineError('permission_denied', 'cannot create a swarm scoped network when swarm is not active')
  if (!fields.bool('EnableIPv4', true))
    throw new EngineError('invalid_argument', 'networks without IPv4 are not supported; leave --ipv4=false out (--ipv6 adds IPv6)')
  const ipam = fields.object('IPAM')
  if (!['', 'default'].includes(ipam.text('Driver')))
    throw new EngineError('not_found', `IPAM driver ${ipam.text('Driver')} is not here; Berth has the default one only`)
  const network = await call.engine.networks.create({
    name,
    driver: fields.text('Driver') || 'bridge',
    internal: fields.bool('Internal'),
    ipv6: fields.bool('EnableIPv6'),
    attachable: fields.bool('Attachable'),
    pools: ipam.objects('Config').map((pool) => ({
      subnet: pool.text('Subnet'),
      gateway: pool.text('Gateway') || undefined,
      ipRange: pool.text('IPRange') || undefined,
      auxAddresses: pool.map('AuxiliaryAddresses') ?? pool.map('AuxAddress') ?? undefined,
    })),
    labels: fields.map('Labels') ?? {},
    options: fields.map('Options') ?? {},
    ipamOptions: ipam.map('Options') ?? undefined,
  })
  sendJson(call, 201, { Id: network.id, Warning: '' })
}

/** Docker forbids, where we see a conflict, what an endpoint stands in the way of. */
function forbidden(error: unknown): never {
  if (error instanceof EndpointConflictError) throw new EngineError('permission_denied', error.message, { cause: error })
  throw error
}

async function remove(call: Call): Promise<void> {
  await call.engine.networks.remove(call.params[0] as string).catch(forbidden)
  sendEmpty(call, 204)
}

async function connect(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const endpoint = parseEndpoint(fields.object('EndpointConfig'))
  await call.engine.containers.connect(call.params[0] as string, fields.text('Container'), endpoint).catch(forbidden)
  sendEmpty(call, 200)
}

async function disconnect(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const [network, container] = [call.params[0] as string, fields.text('Container')]
  // By force what is half gone is taken away; as in Docker, what was never there is told all the same.
  const there = call.engine.networks.list().find(({ id, name }) => id === network || name === network)
  if (fields.bool('Force') && there) {
    const { name, networks } = await call.engine.containers.inspect(container)
    if (!networks.some(({ networkId, networkName }) => networkId === there.id || networkName === there.name))
      throw new EngineError('not_found', `endpoint ${name} not found`)
  }
  await call.engine.containers.disconnect(network, container, fields.bool('Force'))
  sendEmpty(call, 200)
}

async function prune(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), ['until', 'label', 'label!'])
  const result = await call.engine.networks.prune({
    until: untilOf(filters),
    labels: filters.label ?? [],
    notLabels: filters['label!'] ?? [],
    dryRun: false,
  })
  tellPruned(call, 'network', 0)
  sendJson(call, 200, { NetworksDeleted: result.removed.length === 0 ? null : result.removed.map((one) => one.name) })
}

export const networkRoutes: readonly Route[] = [
  ['GET', /^\/networks\/?$/, list],
  ['POST', /^\/networks\/create$/, create],
  ['POST', /^\/networks\/prune$/, prune],
  ['GET', /^\/networks\/([^/]+)$/, inspect],
  ['DELETE', /^\/networks\/([^/]+)$/, remove],
  ['POST', /^\/networks\/([^/]+)\/connect$/, connect],
  ['POST', /^\/networks\/([^/]+)\/disconnect$/, disconnect],
]
