import { type ContainerOptions, containerOptions } from '@berth/contract/container'
import type { Healthcheck } from '@berth/contract/image'
import type { EndpointConfig } from '@berth/contract/network'
import { EngineError } from '../errors.ts'
import { Fields } from './fields.ts'
import { parseHostConfig, parsePort } from './host-config.ts'
import { nanoseconds } from './words.ts'

/** A duration in nanoseconds as milliseconds. @throws invalid_argument for one below a millisecond that is not 0 */
function milliseconds(fields: Fields, key: string): number | undefined {
  if (!fields.has(key)) return undefined
  const value = fields.number(key)
  if (value === 0) return undefined
  if (value < 1_000_000) throw new EngineError('invalid_argument', `${key} in Healthcheck cannot be less than 1ms`)
  return Math.floor(value / 1e6)
}

/** Docker's Healthcheck; null when it says nothing. @throws invalid_argument */
export function parseHealthcheck(fields: Fields): Healthcheck | null {
  const test = fields.texts('Test') ?? []
  const check: Healthcheck = {
    test,
    intervalMs: milliseconds(fields, 'Interval'),
    timeoutMs: milliseconds(fields, 'Timeout'),
    startPeriodMs: milliseconds(fields, 'StartPeriod'),
    startIntervalMs: milliseconds(fields, 'StartInterval'),
    retries: fields.number('Retries') || undefined,
  }
  if (fields.number('Retries') < 0) throw new EngineError('invalid_argument', 'Retries in Healthcheck cannot be negative')
  return test.length === 0 && Object.values(check).every((value) => value === undefined || (Array.isArray(value) && value.length === 0))
    ? null
    : check
}

/** Our health check in Docker's words. */
export function healthcheckBody(check: Healthcheck): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  if (check.test.length > 0) body.Test = check.test
  for (const [key, value] of [
    ['Interval', nanoseconds(check.intervalMs)],
    ['Timeout', nanoseconds(check.timeoutMs)],
    ['StartPeriod', nanoseconds(check.startPeriodMs)],
    ['StartInterval', nanoseconds(check.startIntervalMs)],
    ['Retries', check.retries],
  ] as const)
    if (value) body[key] = value
  return body
}

/** One entry of EndpointsConfig. */
export function parseEndpoint(fields: Fields): EndpointConfig {
  const ipam = fields.object('IPAMConfig')
  return {
    aliases: fields.texts('Aliases') ?? [],
    links: fields.texts('Links') ?? [],
    ipv4: ipam.text('IPv4Address') || undefined,
    ipv6: ipam.text('IPv6Address') || undefined,
    mac: fields.text('MacAddress') || undefined,
    linkLocal: ipam.texts('LinkLocalIPs') ?? undefined,
    gatewayPriority: fields.number('GwPriority') || undefined,
    driverOptions: fields.map('DriverOpts') ?? undefined,
  }
}

/** HostConfig, with what very old clients have beside it. */
function hostFields(fields: Fields): Fields {
  const host = { ...((fields.raw('HostConfig') ?? {}) as Record<string, unknown>) }
  for (const key of ['Memory', 'MemorySwap', 'CpuShares', 'Cpuset'])
    if (fields.has(key)) host[key === 'Cpuset' ? 'CpusetCpus' : key] ||= fields.raw(key)
  return fields.has('HostConfig') || Object.keys(host).length > 0 ? new Fields(host, 'HostConfig') : fields.object('HostConfig')
}

/** The body of `POST /containers/create`: Config with HostConfig and NetworkingConfig in it. @throws invalid_argument */
export function parseCreate(body: Record<string, unknown>, platform: string | null, minor = 50): ContainerOptions {
  const fields = new Fields(body)
  if (Object.keys(body).length === 0) throw new EngineError('invalid_argument', 'config cannot be empty in order to create a container')
  const image = fields.text('Image')
  if (image === '') throw new EngineError('invalid_argument', 'No command specified: give the image to create the container from')
  const hostConfig = parseHostConfig(hostFields(fields))
  const endpoints = fields.object('NetworkingConfig').raw('EndpointsConfig')
  const networks: Record<string, EndpointConfig> = {}
  if (endpoints !== undefined && endpoints !== null) {
    const all = new Fields(endpoints, 'NetworkingConfig.EndpointsConfig')
    const names = Object.keys(endpoints as object)
    if (minor < 44 && names.length > 1)
      throw new EngineError('invalid_argument', `Container cannot be connected to network endpoints: ${names.join(', ')}`)
    for (const name of names) networks[name] = parseEndpoint(all.object(name))
  }
  // `-v /path` travels in Config.Volumes; the same path in Binds or Mounts wins, as in Docker.
  const mounts = [...(hostConfig.mounts ?? [])]
  for (const target of fields.keys('Volumes')) {
    if (mounts.some((mount) => mount.target === target) || target in (hostConfig.tmpfs ?? {})) continue
    if (!target.startsWith('/'))
      throw new EngineError('invalid_argument', `invalid volume specification: '${target}': mount path must be absolute`)
    mounts.push(
      containerOptions.shape.mounts.parse([{ type: 'volume', target, spelling: 'bind-string' }])[0] as ContainerOptions['mounts'][number],
    )
  }
  const exposedPorts = fields.keys('ExposedPorts')
  for (const port of exposedPorts) parsePort(port)
  const env = fields.texts('Env') ?? []
  for (const entry of env)
    if (entry === '' || entry.startsWith('=')) throw new EngineError('invalid_argument', `invalid environment variable: ${entry}`)
  // Before 1.40 every IPC namespace could be joined, and clients of that time count on it.
  if (minor < 40 && !hostConfig.ipcMode) hostConfig.ipcMode = 'shareable'
  // Nothing to limit is no limit.
  if (hostConfig.limits?.pidsLimit === 0 || (minor < 40 && hostConfig.limits))
    hostConfig.limits = { ...hostConfig.limits, pidsLimit: null } as ContainerOptions['limits']
  return containerOptions.parse({
    ...hostConfig,
    image,
    platform: platform || undefined,
    hostname: fields.text('Hostname'),
    domainname: fields.text('Domainname'),
    user: fields.text('User'),
    env,
    cmd: fields.texts('Cmd'),
    entrypoint: fields.texts('Entrypoint'),
    workingDir: fields.text('WorkingDir'),
    labels: fields.map('Labels') ?? {},
    terminal: fields.bool('Tty'),
    openStdin: fields.bool('OpenStdin'),
    stdinOnce: fields.bool('StdinOnce'),
    attachStdin: fields.bool('AttachStdin'),
    attachStdout: fields.bool('AttachStdout'),
    attachStderr: fields.bool('AttachStderr'),
    stopSignal: fields.text('StopSignal'),
    stopTimeoutSeconds: fields.has('StopTimeout') ? fields.number('StopTimeout') : null,
    healthcheck: parseHealthcheck(fields.object('Healthcheck')),
    exposedPorts,
    ...(fields.keys('Volumes').length > 0 ? { declaredVolumes: fields.keys('Volumes') } : {}),
    mounts,
    networks,
    networkDisabled: fields.bool('NetworkDisabled'),
    macAddress: fields.text('MacAddress'),
  } satisfies Record<keyof ContainerOptions, unknown> | Record<string, unknown>)
}
