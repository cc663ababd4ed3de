import * as z from 'zod'
import { labels, nameOrId, objectName } from './id.ts'

export const ipamPool = z.object({
  subnet: z.string(),
  gateway: z.string().optional(),
  ipRange: z.string().optional(),
  auxAddresses: z.record(z.string(), z.string()).optional(),
})
export const networkEndpoint = z.object({
  containerId: z.string(),
  containerName: z.string(),
  endpointId: z.string(),
  mac: z.string(),
  ipv4: z.string(),
  ipv6: z.string(),
  aliases: z.array(z.string()),
})
export const networkSummary = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  createdAt: z.string(),
  internal: z.boolean(),
  ipv6: z.boolean(),
  attachable: z.boolean(),
  pools: z.array(ipamPool),
  labels,
  options: z.record(z.string(), z.string()),
  /** What the client sent for the address plan (`--ipam-opt`); told again, and of no effect with the default one, as in Docker. */
  ipamOptions: z.record(z.string(), z.string()).optional(),
  /** The bridge device on the host, empty for host and null. */
  bridge: z.string(),
  /** bridge, host, none: made by the engine, never removed. */
  predefined: z.boolean(),
  endpoints: z.array(networkEndpoint),
})
export type NetworkSummary = z.infer<typeof networkSummary>
export const createNetworkInput = z.object({
  name: objectName,
  driver: z.string().default('bridge'),
  internal: z.boolean().default(false),
  ipv6: z.boolean().default(false),
  attachable: z.boolean().default(false),
  pools: z.array(ipamPool).default([]),
  labels: labels.default({}),
  options: z.record(z.string(), z.string()).default({}),
  ipamOptions: z.record(z.string(), z.string()).optional(),
})
/** A container's wish for one network (`docker network connect` / `run --network`). */
export const endpointConfig = z.object({
  aliases: z.array(z.string()).default([]),
  links: z.array(z.string()).default([]),
  ipv4: z.string().optional(),
  ipv6: z.string().optional(),
  mac: z.string().optional(),
  /** Further addresses on the interface, as they are (`--link-local-ip`). */
  linkLocal: z.array(z.string()).optional(),
  /** The network with the highest one (0 where none is said) has the default route and the published ports; of several the first by name. */
  gatewayPriority: z.int().optional(),
  /** Options of the endpoint for the driver, kept as they were given; `com.docker.network.endpoint.ifname` names the interface inside. */
  driverOptions: z.record(z.string(), z.string()).optional(),
})
export type EndpointConfig = z.infer<typeof endpointConfig>
export const networkName = z.object({ network: nameOrId })
export const listNetworksInput = z.object({ filters: z.record(z.string(), z.array(z.string())).default({}) })
export const connectNetworkInput = z.object({
  network: nameOrId,
  container: nameOrId,
  config: endpointConfig.default(() => endpointConfig.parse({})),
})
export const disconnectNetworkInput = z.object({ network: nameOrId, container: nameOrId, force: z.boolean().default(false) })
export const pruneNetworksInput = z.object({
  until: z.string().optional(),
  labels: z.array(z.string()).default([]),
  notLabels: z.array(z.string()).default([]),
  dryRun: z.boolean().default(false),
})
