import type { AttachedNetwork, BoundPort, ContainerDetail, ContainerSummary, MountPoint } from '@berth/contract/container'
import { healthcheckBody } from './container-config.ts'
import { hostConfigBody } from './host-config.ts'
import { startErrorText } from './start-error.ts'
import { commandText, statusText, unixSeconds, zeroTime } from './words.ts'

const keySet = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {}]))
const nullIfEmpty = <T>(list: T[]): T[] | null => (list.length === 0 ? null : list)

/** NetworkSettings.Ports: published ones with their bindings, exposed ones null. */
export function portsBody(ports: readonly BoundPort[]): Record<string, { HostIp: string; HostPort: string }[] | null> {
  const body: Record<string, { HostIp: string; HostPort: string }[] | null> = {}
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`
    if (port.hostPort === null) body[key] ??= null
    else body[key] = [...(body[key] ?? []), { HostIp: port.hostIp ?? '0.0.0.0', HostPort: String(port.hostPort) }]
  }
  return body
}

function mountPointBody(mount: MountPoint): Record<string, unknown> {
  return {
    Type: mount.type,
    ...(mount.name ? { Name: mount.name } : {}),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
    Mode: mount.mode,
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  }
}

/** One entry of NetworkSettings.Networks. */
export function endpointBody(network: AttachedNetwork, minor: number): Record<string, unknown> {
  const requested = network.requested
  return {
    IPAMConfig:
      requested.ipv4 || requested.ipv6 || requested.linkLocal?.length
        ? {
            ...(requested.ipv4 ? { IPv4Address: requested.ipv4 } : {}),
            ...(requested.ipv6 ? { IPv6Address: requested.ipv6 } : {}),
            ...(requested.linkLocal?.length ? { LinkLocalIPs: requested.linkLocal } : {}),
          }
        : null,
    Links: nullIfEmpty(network.links),
    Aliases: nullIfEmpty(minor >= 45 ? requested.aliases : network.aliases),
    MacAddress: network.mac,
    DriverOpts: requested.driverOptions ?? null,
    NetworkID: network.networkId,
    EndpointID: network.endpointId,
    Gateway: network.gateway,
    IPAddress: network.ipv4,
    IPPrefixLen: network.ipv4PrefixLength,
    IPv6Gateway: network.ipv6Gateway,
    GlobalIPv6Address: network.ipv6,
    GlobalIPv6PrefixLen: network.ipv6PrefixLength,
    ...(minor >= 44 ? { DNSNames: nullIfEmpty(network.aliases) } : {}),
    ...(minor >= 48 ? { GwPriority: requested.gatewayPriority ?? 0 } : {}),
  }
}

function stateBody(detail: ContainerDetail): Record<string, unknown> {
  const { state } = detail
  return {
    Status: state.status,
    Running: state.status === 'running' || state.status === 'paused' || state.status === 'restarting',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: startErrorText(state.error, state.errorStep),
    StartedAt: state.startedAt ?? zeroTime,
    FinishedAt: state.finishedAt ?? zeroTime,
    ...(state.health.status === 'none'
      ? {}
      : {
          Health: {
            Status: state.health.status,
            FailingStreak: state.health.failingStreak,
            Log: state.health.log.map((entry) => ({
              Start: entry.startedAt,
              End: entry.endedAt,
              ExitCode: entry.exitCode,
              Output: entry.output,
            })),
          },
        }),
  }
}

function configBody(detail: ContainerDetail): Record<string, unknown> {
  const { options, effective } = detail
  const volumes = [
    ...new Set([
      ...effective.volumes,
      ...(options.declaredVolumes ?? []),
      ...options.mounts
        .filter((mount) => mount.type === 'volume' && mount.source === '' && mount.spelling === 'bind-string')
        .map((mount) => mount.target),
    ]),
  ]
  return {
    Hostname: effective.hostname,
    Domainname: options.domainname,
    User: effective.user,
    AttachStdin: options.attachStdin,
    AttachStdout: options.attachStdout,
    AttachStderr: options.attachStderr,
    ...(effective.exposedPorts.length > 0 ? { ExposedPorts: keySet(effective.exposedPorts) } : {}),
    Tty: options.terminal,
    OpenStdin: options.openStdin,
    StdinOnce: options.stdinOnce,
    // The user's as they were sent, also a name without a value, which takes the image's variable away; then the image's.
    Env: [...options.env, ...effective.env.slice(options.env.filter((entry) => entry.includes('=')).length)],
    Cmd: nullIfEmpty(effective.cmd),
    ...(effective.healthcheck
      ? { Healthcheck: healthcheckBody(effective.healthcheck) }
      : options.healthcheck?.test[0] === 'NONE'
        ? { Healthcheck: { Test: ['NONE'] } }
        : {}),
    Image: options.image,
    Volumes: volumes.length > 0 ? keySet(volumes) : null,
    WorkingDir: effective.workingDir,
    Entrypoint: nullIfEmpty(effective.entrypoint),
    ...(options.networkDisabled ? { NetworkDisabled: true } : {}),
    ...(options.macAddress ? { MacAddress: options.macAddress } : {}),
    OnBuild: null,
    Labels: effective.labels,
    ...(effective.stopSignal && (options.stopSignal || effective.stopSignal !== 'SIGTERM') ? { StopSignal: effective.stopSignal } : {}),
    ...(options.stopTimeoutSeconds === null ? {} : { StopTimeout: options.stopTimeoutSeconds }),
  }
}

/** `GET /containers/{id}/json`. */
export function inspectBody(detail: ContainerDetail, minor: number): Record<string, unknown> {
  const first = detail.networks.find((network) => network.networkName === 'bridge')
  const [path = '', ...args] = detail.effective.command
  const everStarted = detail.state.startedAt !== null
  return {
    Id: detail.id,
    Created: detail.createdAt,
    Path: path,
    Args: args,
    State: stateBody(detail),
    Image: detail.imageId,
    // The files are written by the first start; before that Docker names none.
    ResolvConfPath: everStarted ? detail.resolvConfPath : '',
    HostnamePath: everStarted ? detail.hostnamePath : '',
    HostsPath: everStarted ? detail.hostsPath : '',
    LogPath: everStarted && detail.options.log.driver !== 'none' ? detail.logDir : '',
    Name: `/${detail.name}`,
    RestartCount: detail.state.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: nullIfEmpty(detail.execIds),
    HostConfig: hostConfigBody(detail),
    GraphDriver: {
      Data: {
        LowerDir: detail.storage.lower.join(':'),
        MergedDir: detail.storage.merged,
        UpperDir: detail.storage.upper,
        WorkDir: detail.storage.work,
      },
      Name: 'overlay2',
    },
    ...(detail.sizeRwBytes === null ? {} : { SizeRw: detail.sizeRwBytes, SizeRootFs: detail.sizeRootFsBytes ?? detail.sizeRwBytes }),
    Mounts: detail.mounts.map(mountPointBody),
    Config: configBody(detail),
    NetworkSettings: {
      Bridge: '',
      SandboxID: detail.sandboxKey ? detail.id : '',
      SandboxKey: detail.sandboxKey,
      Ports: detail.state.pid > 0 ? portsBody(detail.ports) : {},
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      EndpointID: first?.endpointId ?? '',
      Gateway: first?.gateway ?? '',
      GlobalIPv6Address: first?.ipv6 ?? '',
      GlobalIPv6PrefixLen: first?.ipv6PrefixLength ?? 0,
      IPAddress: first?.ipv4 ?? '',
      IPPrefixLen: first?.ipv4PrefixLength ?? 0,
      IPv6Gateway: first?.ipv6Gateway ?? '',
      MacAddress: first?.mac ?? '',
      Networks: Object.fromEntries(detail.networks.map((network) => [network.networkName, endpointBody(network, minor)])),
    },
  }
}

/** What stands in an entry of `GET /containers/json` before its Status. */
function beforeStatus(summary: ContainerSummary, current: boolean): Record<string, unknown> {
  return {
    Id: summary.id,
    Names: [summary.name, ...(summary.linkedAs ?? [])].map((name) => `/${name}`),
    // A name that means another image by now would mislead.
    Image: current ? summary.image : summary.imageId,
    ImageID: summary.imageId,
    Command: commandText(summary.command),
    Created: unixSeconds(summary.createdAt),
    Ports: summary.ports.map((port) => ({
      ...(port.hostIp === null ? {} : { IP: port.hostIp || '0.0.0.0' }),
      PrivatePort: port.containerPort,
      ...(port.hostPort === null ? {} : { PublicPort: port.hostPort }),
      Type: port.protocol,
    })),
    ...(summary.sizeRwBytes ? { SizeRw: summary.sizeRwBytes } : {}),
    ...(summary.sizeRootFsBytes ? { SizeRootFs: summary.sizeRootFsBytes } : {}),
    Labels: summary.labels,
    State: summary.state.status,
  }
}

function afterStatus(summary: ContainerSummary): Record<string, unknown> {
  return {
    HostConfig: { NetworkMode: summary.networkMode },
    NetworkSettings: {
      Networks: Object.fromEntries(
        summary.networks.map(({ name, id, ipv4, ipv6, endpoint }) => [
          name,
          {
            IPAMConfig: null,
            Links: null,
            Aliases: null,
            DriverOpts: null,
            NetworkID: id,
            EndpointID: endpoint?.endpointId ?? '',
            Gateway: endpoint?.gateway ?? '',
            IPAddress: ipv4,
            IPPrefixLen: endpoint?.ipv4PrefixLength ?? 0,
            IPv6Gateway: endpoint?.ipv6Gateway ?? '',
            GlobalIPv6Address: ipv6,
            GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
            MacAddress: endpoint?.mac ?? '',
          },
        ]),
      ),
    },
    Mounts: summary.mounts.map(mountPointBody),
  }
}

/** One entry of `GET /containers/json`, whose name still means its image. */
export function summaryBody(summary: ContainerSummary, now: number): Record<string, unknown> {
  return { ...beforeStatus(summary, true), Status: statusText(summary.state, now), ...afterStatus(summary) }
}

/** An entry around its Status, which alone moves with the clock. */
export interface EntryText {
  current: boolean
  before: string
  after: string
}

/** Entries as they were sent last. A summary that did not change is the same object in the next list (containers/). */
const texts = new WeakMap<ContainerSummary, EntryText>()

/** @param current whether the name of its image still means that image */
export function entryText(summary: ContainerSummary, current: boolean): EntryText {
  const known = texts.get(summary)
  if (known?.current === current) return known
  const text = {
    current,
    before: JSON.stringify(beforeStatus(summary, current)).slice(0, -1),
    after: JSON.stringify(afterStatus(summary)).slice(1),
  }
  texts.set(summary, text)
  return text
}
