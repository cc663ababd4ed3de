import { existsSync } from 'node:fs'
import type { ContainerDetail, ContainerOptions, Limits, Mount, PortBinding } from '@berth/contract/container'
import { defaultMaskedPaths, defaultReadonlyPaths } from '../containers/masked-paths.ts'
import { EngineError } from '../errors.ts'
import { Fields } from './fields.ts'

/**
 * Docker's HostConfig ⇄ our options. Lossless for what a client sent: inspect answers with the same words. One long file, because every field is read and told here, and who
 * changes one way must see the other.
 */

/** As containers/ decides it: a namespace of its own on cgroup v2, the host's on v1. */
const defaultCgroupns = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'private' : 'host'

const nullIfEmpty = <T>(list: T[]): T[] | null => (list.length === 0 ? null : list)

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

/** One `-v` string, `[SOURCE:]TARGET[:OPTIONS]`. @throws invalid_argument */
export function parseBind(bind: string): Mount {
  const parts = bind.split(':')
  if (parts.length < 2 || parts.length > 3 || parts.some((part) => part === ''))
    throw new EngineError('invalid_argument', `invalid volume specification: '${bind}'`)
  const [source, target, modes = ''] = parts as [string, string, string?]
  if (!target.startsWith('/'))
    throw new EngineError(
      'invalid_argument',
      `invalid volume specification: '${bind}': invalid mount config for type "bind": invalid mount path: '${target}' mount path must be absolute`,
    )
  if (target.replace(/\/+$/, '') === '')
    throw new EngineError(
      'invalid_argument',
      `invalid volume specification: '${bind}': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    )
  const isPath = source.startsWith('/')
  if (!isPath && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(source))
    throw new EngineError(
      'invalid_argument',
      `create ${source}: ${JSON.stringify(source)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  let readOnly = false
  let written = 0
  let propagation = ''
  let noCopy = false
  let relabel: '' | 'z' | 'Z' = ''
  for (const mode of modes === '' ? [] : modes.split(',')) {
    if (mode === 'ro' || mode === 'readonly' || mode === 'rw') {
      readOnly = mode !== 'rw'
      written += 1
    } else if (mode === 'z' || mode === 'Z') relabel = mode
    else if (mode === 'nocopy' && !isPath) noCopy = true
    else if (propagations.includes(mode) && isPath) propagation = mode
    else if (propagations.includes(mode))
      throw new EngineError(
        'invalid_argument',
        `invalid volume specification: '${bind}': invalid mount config for type "volume": field BindOptions must not be specified`,
      )
    else throw new EngineError('invalid_argument', `invalid mode: ${modes}`)
  }
  if (written > 1) throw new EngineError('invalid_argument', `invalid mode: ${modes}`)
  return {
    type: isPath ? 'bind' : 'volume',
    source,
    target,
    readOnly,
    propagation,
    createSource: isPath,
    nonRecursive: false,
    noCopy,
    subpath: '',
    volumeLabels: {},
    volumeOptions: {},
    tmpfsSizeBytes: 0,
    tmpfsOptions: '',
    ...(relabel ? { relabel } : {}),
    spelling: 'bind-string',
  }
}

/** One entry of `Mounts`. @throws invalid_argument */
function parseMount(fields: Fields): Mount {
  const type = fields.text('Type')
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs')
    throw new EngineError('invalid_argument', `invalid mount config for type "${type}": mount type unknown`)
  const target = fields.text('Target')
  const refuse = (reason: string) => new EngineError('invalid_argument', `invalid mount config for type "${type}": ${reason}`)
  if (target === '') throw refuse('field Target must not be empty')
  if (!target.startsWith('/')) throw refuse(`invalid mount path: '${target}' mount path must be absolute`)
  const source = fields.text('Source')
  if (type === 'bind' && source === '') throw refuse('field Source must not be empty')
  if (type === 'bind' && !source.startsWith('/')) throw refuse(`invalid mount path: '${source}' mount path must be absolute`)
  if (type === 'tmpfs' && source !== '') throw refuse('field Source must not be specified')
  for (const [kind, options] of [
    ['bind', 'BindOptions'],
    ['volume', 'VolumeOptions'],
    ['tmpfs', 'TmpfsOptions'],
  ])
    if (kind !== type && fields.has(options as string)) throw refuse(`field ${options} must not be specified`)
  const bind = fields.object('BindOptions')
  const volume = fields.object('VolumeOptions')
  const tmpfs = fields.object('TmpfsOptions')
  const propagation = bind.text('Propagation')
  if (propagation !== '' && !propagations.includes(propagation)) throw refuse(`invalid propagation mode: ${propagation}`)
  const driver = volume.object('DriverConfig')
  if (!['', 'local'].includes(driver.text('Name')))
    throw refuse(`volume driver ${driver.text('Name')} is not here; Berth has the local driver only`)
  return {
    type,
    source,
    target,
    readOnly: fields.bool('ReadOnly'),
    propagation,
    createSource: bind.bool('CreateMountpoint'),
    nonRecursive: bind.bool('NonRecursive'),
    noCopy: volume.bool('NoCopy'),
    subpath: volume.text('Subpath'),
    volumeLabels: volume.map('Labels') ?? {},
    volumeOptions: driver.map('Options') ?? {},
    tmpfsSizeBytes: tmpfs.number('SizeBytes'),
    tmpfsMode: tmpfs.has('Mode') ? tmpfs.number('Mode') : undefined,
    tmpfsOptions: '',
    spelling: 'mount',
  }
}

const protocols = ['tcp', 'udp', 'sctp']

/** `80/tcp` → number and protocol. @throws invalid_argument */
export function parsePort(text: string): { containerPort: number; protocol: 'tcp' | 'udp' | 'sctp' } {
  const [port = '', protocol = 'tcp'] = text.split('/')
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65535 || !protocols.includes(protocol))
    throw new EngineError('invalid_argument', `invalid port specification: "${text}"`)
  return { containerPort: Number(port), protocol: protocol as 'tcp' | 'udp' | 'sctp' }
}

function parsePortBindings(value: unknown): PortBinding[] {
  if (value === undefined || value === null) return []
  const fields = new Fields(value, 'HostConfig.PortBindings')
  const bindings: PortBinding[] = []
  for (const key of Object.keys(value as object)) {
    const port = parsePort(key)
    const wanted = fields.objects(key)
    for (const binding of wanted.length > 0 ? wanted : [new Fields({})]) {
      const text = binding.text('HostPort')
      const range = /^(\d*)(?:-(\d+))?$/.exec(text)
      if (!range || Number(range[1]) > 65535 || Number(range[2] ?? 0) > 65535)
        throw new EngineError('invalid_argument', `invalid port specification: "${text}"`)
      bindings.push({
        ...port,
        hostIp: binding.text('HostIp'),
        hostPort: Number(range[1] ?? 0),
        hostPortEnd: range[2] ? Number(range[2]) : undefined,
      })
    }
  }
  return bindings
}

const rates = (list: Fields[]) => list.map((entry) => ({ path: entry.text('Path'), rate: entry.number('Rate') }))

/** @throws EngineError invalid_argument beyond what a block weight can be */
function blockWeight(value: number): number {
  if (value > 1000) throw new EngineError('invalid_argument', 'Range of blkio weight is from 10 to 1000')
  return value
}

/** Resources, for create and update alike. `present` gives only what the client sent. */
export function parseLimits(fields: Fields): Limits {
  return {
    memoryBytes: fields.number('Memory'),
    memorySwapBytes: fields.number('MemorySwap'),
    memoryReservationBytes: fields.number('MemoryReservation'),
    memorySwappiness: fields.has('MemorySwappiness') && fields.number('MemorySwappiness') !== -1 ? fields.number('MemorySwappiness') : null,
    kernelMemoryBytes: fields.number('KernelMemory'),
    oomKillDisable: fields.bool('OomKillDisable'),
    nanoCpus: fields.number('NanoCpus'),
    cpuShares: fields.number('CpuShares'),
    cpuPeriodUs: fields.number('CpuPeriod'),
    cpuQuotaUs: fields.number('CpuQuota'),
    cpuRealtimePeriodUs: fields.number('CpuRealtimePeriod'),
    cpuRealtimeRuntimeUs: fields.number('CpuRealtimeRuntime'),
    cpusetCpus: fields.text('CpusetCpus'),
    cpusetMems: fields.text('CpusetMems'),
    blkioWeight: blockWeight(fields.number('BlkioWeight')),
    blkioWeightDevice: fields
      .objects('BlkioWeightDevice')
      .map((entry) => ({ path: entry.text('Path'), weight: blockWeight(entry.number('Weight')) })),
    deviceReadBps: rates(fields.objects('BlkioDeviceReadBps')),
    deviceWriteBps: rates(fields.objects('BlkioDeviceWriteBps')),
    deviceReadIops: rates(fields.objects('BlkioDeviceReadIOps')),
    deviceWriteIops: rates(fields.objects('BlkioDeviceWriteIOps')),
    pidsLimit: fields.has('PidsLimit') ? Math.max(0, fields.number('PidsLimit')) : null,
  }
}

/** Drivers that Docker has and this engine does not. */
const dockersLogDrivers = ['awslogs', 'etwlogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'logentries', 'splunk', 'syslog']

/** @throws invalid_argument */
export function checkRestartName(name: string): void {
  if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(name))
    throw new EngineError(
      'invalid_argument',
      `invalid restart policy '${name}': use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
}

/** Lists that inspect tells as null when a client sent none and as [] when it sent that: some clients take the one for the other. */
const sentLists = [
  'BlkioDeviceReadBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceWriteIOps',
  'BlkioWeightDevice',
  'Devices',
  'Dns',
  'DnsOptions',
  'DnsSearch',
  'PortBindings',
  'Ulimits',
]

/** Everything in HostConfig. @throws invalid_argument */
export function parseHostConfig(fields: Fields): Partial<ContainerOptions> {
  const restart = fields.object('RestartPolicy')
  const restartName = restart.text('Name') || 'no'
  checkRestartName(restartName)
  const retries = restart.number('MaximumRetryCount')
  if (retries < 0) throw new EngineError('invalid_argument', 'invalid restart policy: maximum retry count cannot be negative')
  if (retries > 0 && restartName !== 'on-failure')
    throw new EngineError(
      'invalid_argument',
      `invalid restart policy: maximum retry count cannot be used with restart policy '${restartName}'`,
    )
  const log = fields.object('LogConfig')
  const logDriver = log.text('Type')
  if (dockersLogDrivers.includes(logDriver))
    throw new EngineError(
      'invalid_argument',
      `failed to initialize logging driver: ${logDriver} is not supported by this engine; use json-file, local or none`,
    )
  if (!['', 'json-file', 'local', 'none'].includes(logDriver))
    throw new EngineError('invalid_argument', `error looking up logging plugin ${logDriver}: plugin "${logDriver}" not found`)
  const isolation = fields.text('Isolation')
  if (!['', 'default'].includes(isolation))
    throw new EngineError('invalid_argument', `Invalid isolation: ${JSON.stringify(isolation)} - linux only supports 'default'`)
  const oomScoreAdj = fields.number('OomScoreAdj')
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000)
    throw new EngineError('invalid_argument', `Invalid value ${oomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  if (fields.number('ShmSize') < 0) throw new EngineError('invalid_argument', 'SHM size can not be less than 0')
  for (const [name, what] of [
    ['IOMaximumBandwidth', 'bandwidth'],
    ['IOMaximumIOps', 'IOPs'],
  ] as const)
    if (fields.number(name) > 0)
      throw new EngineError('invalid_argument', `Invalid QoS settings: linux does not support configuration of maximum ${what}`)
  return {
    mounts: [...(fields.texts('Binds') ?? []).map(parseBind), ...fields.objects('Mounts').map(parseMount)],
    volumesFrom: fields.texts('VolumesFrom') ?? [],
    networkMode: fields.text('NetworkMode'),
    ports: parsePortBindings(fields.raw('PortBindings')),
    publishAll: fields.bool('PublishAllPorts'),
    restart: { name: restartName as 'no', maximumRetryCount: retries },
    autoRemove: fields.bool('AutoRemove'),
    log: { driver: logDriver as '', options: log.map('Config') ?? {} },
    capAdd: fields.texts('CapAdd') ?? [],
    capDrop: fields.texts('CapDrop') ?? [],
    cgroupnsMode: fields.text('CgroupnsMode'),
    dns: fields.texts('Dns') ?? [],
    dnsOptions: fields.texts('DnsOptions') ?? [],
    dnsSearch: fields.texts('DnsSearch') ?? [],
    extraHosts: fields.texts('ExtraHosts') ?? [],
    groupAdd: fields.texts('GroupAdd') ?? [],
    ipcMode: fields.text('IpcMode'),
    cgroupParent: fields.text('CgroupParent'),
    links: fields.texts('Links') ?? [],
    oomScoreAdj,
    pidMode: fields.text('PidMode'),
    privileged: fields.bool('Privileged'),
    readOnlyRootfs: fields.bool('ReadonlyRootfs'),
    securityOpt: fields.texts('SecurityOpt') ?? [],
    storageOptions: fields.map('StorageOpt') ?? {},
    tmpfs: fields.map('Tmpfs') ?? {},
    utsMode: fields.text('UTSMode'),
    usernsMode: fields.text('UsernsMode'),
    shmSizeBytes: fields.number('ShmSize'),
    sysctls: fields.map('Sysctls') ?? {},
    runtime: fields.text('Runtime'),
    annotations: fields.map('Annotations') ?? {},
    limits: parseLimits(fields),
    devices: fields.objects('Devices').map((device) => ({
      hostPath: device.text('PathOnHost'),
      containerPath: device.text('PathInContainer') || device.text('PathOnHost'),
      permissions: device.text('CgroupPermissions') || 'rwm',
    })),
    deviceCgroupRules: fields.texts('DeviceCgroupRules') ?? [],
    deviceRequests: fields.objects('DeviceRequests').map((request) => ({
      driver: request.text('Driver'),
      count: request.number('Count'),
      deviceIds: request.texts('DeviceIDs') ?? [],
      capabilities: (request.raw('Capabilities') as string[][] | null) ?? [],
      options: request.map('Options') ?? {},
    })),
    ulimits: fields
      .objects('Ulimits')
      .map((limit) => ({ name: limit.text('Name'), soft: limit.number('Soft'), hard: limit.number('Hard') })),
    maskedPaths: fields.texts('MaskedPaths'),
    readonlyPaths: fields.texts('ReadonlyPaths'),
    init: fields.has('Init') ? fields.bool('Init') : null,
    ...(isolation === '' ? {} : { isolation }),
    ...(fields.text('VolumeDriver') === '' ? {} : { volumeDriver: fields.text('VolumeDriver') }),
    ...echoedOptions(fields),
    unsaid: sentLists.filter((name) => !fields.has(name)),
  }
}

function bindText(mount: Mount): string {
  const modes = [mount.readOnly ? 'ro' : '', mount.relabel ?? '', mount.propagation, mount.noCopy ? 'nocopy' : ''].filter(Boolean)
  return [mount.source, mount.target, ...(modes.length > 0 ? [modes.join(',')] : [])].join(':')
}

function mountBody(mount: Mount): Record<string, unknown> {
  const body: Record<string, unknown> = {
    Type: mount.type,
    ...(mount.source ? { Source: mount.source } : {}),
    Target: mount.target,
    ...(mount.readOnly ? { ReadOnly: true } : {}),
  }
  if (mount.type === 'bind' && (mount.propagation || mount.nonRecursive || mount.createSource))
    body.BindOptions = {
      ...(mount.propagation ? { Propagation: mount.propagation } : {}),
      ...(mount.nonRecursive ? { NonRecursive: true } : {}),
      ...(mount.createSource ? { CreateMountpoint: true } : {}),
    }
  if (
    mount.type === 'volume' &&
    (mount.noCopy || mount.subpath !== '' || Object.keys(mount.volumeLabels).length > 0 || Object.keys(mount.volumeOptions).length > 0)
  )
    body.VolumeOptions = {
      ...(mount.noCopy ? { NoCopy: true } : {}),
      ...(mount.subpath ? { Subpath: mount.subpath } : {}),
      ...(Object.keys(mount.volumeLabels).length > 0 ? { Labels: mount.volumeLabels } : {}),
      ...(Object.keys(mount.volumeOptions).length > 0 ? { DriverConfig: { Name: 'local', Options: mount.volumeOptions } } : {}),
    }
  if (mount.type === 'tmpfs' && (mount.tmpfsSizeBytes > 0 || mount.tmpfsMode !== undefined))
    body.TmpfsOptions = {
      ...(mount.tmpfsSizeBytes > 0 ? { SizeBytes: mount.tmpfsSizeBytes } : {}),
      ...(mount.tmpfsMode !== undefined ? { Mode: mount.tmpfsMode } : {}),
    }
  return body
}

const rateBody = (list: { path: string; rate: number }[]) => list.map(({ path, rate }) => ({ Path: path, Rate: rate }))

/** Resources as inspect shows them. */
export function limitsBody(limits: Limits): Record<string, unknown> {
  return {
    CpuShares: limits.cpuShares,
    Memory: limits.memoryBytes,
    NanoCpus: limits.nanoCpus,
    BlkioWeight: limits.blkioWeight,
    BlkioWeightDevice: limits.blkioWeightDevice.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: rateBody(limits.deviceReadBps),
    BlkioDeviceWriteBps: rateBody(limits.deviceWriteBps),
    BlkioDeviceReadIOps: rateBody(limits.deviceReadIops),
    BlkioDeviceWriteIOps: rateBody(limits.deviceWriteIops),
    CpuPeriod: limits.cpuPeriodUs,
    CpuQuota: limits.cpuQuotaUs,
    CpuRealtimePeriod: limits.cpuRealtimePeriodUs,
    CpuRealtimeRuntime: limits.cpuRealtimeRuntimeUs,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    KernelMemory: limits.kernelMemoryBytes,
    MemoryReservation: limits.memoryReservationBytes,
    // What is in force: -m alone gives as much swap again.
    MemorySwap: limits.memorySwapBytes === 0 && limits.memoryBytes > 0 ? limits.memoryBytes * 2 : limits.memorySwapBytes,
    MemorySwappiness: limits.memorySwappiness,
    OomKillDisable: limits.oomKillDisable,
    PidsLimit: limits.pidsLimit,
  }
}

/** What Docker's inspect tells again although nothing on Linux reads it. */
function echoedOptions(fields: Fields): { echoed?: Record<string, string | number | number[]> } {
  const echoed: Record<string, string | number | number[]> = {}
  if (fields.text('ContainerIDFile') !== '') echoed.ContainerIDFile = fields.text('ContainerIDFile')
  if (fields.text('Cgroup') !== '') echoed.Cgroup = fields.text('Cgroup')
  if (fields.number('CpuCount') !== 0) echoed.CpuCount = fields.number('CpuCount')
  const size = fields.raw('ConsoleSize')
  if (Array.isArray(size) && size.length === 2 && size.every((side) => Number.isInteger(side) && side >= 0)) echoed.ConsoleSize = size
  return Object.keys(echoed).length > 0 ? { echoed } : {}
}

/** `/other:/this/alias`, as Docker tells a link. */
const onUserNetwork = (mode: string) => !/^(|default|bridge|host|none|container:.*)$/.test(mode)

function linkText(link: string, name: string): string {
  const [other = '', alias = other] = link.split(':')
  return `/${other}:/${name}/${alias}`
}

/** HostConfig of a container, in the words that it was made with. */
export function hostConfigBody(detail: ContainerDetail): Record<string, unknown> {
  const options = detail.options
  const portBindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of options.ports) {
    const key = `${port.containerPort}/${port.protocol}`
    const text = port.hostPort === 0 ? '' : port.hostPortEnd ? `${port.hostPort}-${port.hostPortEnd}` : String(port.hostPort)
    portBindings[key] = [...(portBindings[key] ?? []), { HostIp: port.hostIp, HostPort: text }]
  }
  const mounts = options.mounts.filter((mount) => mount.spelling === 'mount')
  const unconfined = options.privileged || options.securityOpt.includes('systempaths=unconfined')
  // Docker takes SELinux labels off whoever sees the host's processes.
  const unlabelled =
    (options.privileged || options.pidMode === 'host' || options.ipcMode === 'host') &&
    !options.securityOpt.some((one) => one.startsWith('label'))
  const body = {
    Binds: nullIfEmpty(options.mounts.filter((mount) => mount.spelling === 'bind-string' && mount.source !== '').map(bindText)),
    ContainerIDFile: '',
    LogConfig: { Type: options.log.driver || 'json-file', Config: options.log.options },
    NetworkMode: options.networkMode || 'bridge',
    PortBindings: portBindings,
    RestartPolicy: { Name: options.restart.name, MaximumRetryCount: options.restart.maximumRetryCount },
    AutoRemove: options.autoRemove,
    VolumeDriver: options.volumeDriver ?? '',
    VolumesFrom: nullIfEmpty(options.volumesFrom),
    ConsoleSize: [0, 0],
    ...(Object.keys(options.annotations).length > 0 ? { Annotations: options.annotations } : {}),
    CapAdd: nullIfEmpty(options.capAdd),
    CapDrop: nullIfEmpty(options.capDrop),
    CgroupnsMode: options.cgroupnsMode || defaultCgroupns,
    Dns: options.dns,
    DnsOptions: options.dnsOptions,
    DnsSearch: options.dnsSearch,
    ExtraHosts: nullIfEmpty(options.extraHosts),
    GroupAdd: nullIfEmpty(options.groupAdd),
    IpcMode: options.ipcMode || 'private',
    Cgroup: '',
    // In a network of the user's a link is the endpoint's, which tells it (NetworkSettings.Networks).
    Links: nullIfEmpty(onUserNetwork(options.networkMode) ? [] : options.links.map((link) => linkText(link, detail.name))),
    OomScoreAdj: options.oomScoreAdj,
    PidMode: options.pidMode,
    Privileged: options.privileged,
    PublishAllPorts: options.publishAll,
    ReadonlyRootfs: options.readOnlyRootfs,
    SecurityOpt: nullIfEmpty(unlabelled ? [...options.securityOpt, 'label=disable'] : options.securityOpt),
    ...(Object.keys(options.storageOptions).length > 0 ? { StorageOpt: options.storageOptions } : {}),
    ...(Object.keys(options.tmpfs).length > 0 ? { Tmpfs: options.tmpfs } : {}),
    UTSMode: options.utsMode,
    UsernsMode: options.usernsMode,
    ShmSize: options.shmSizeBytes || 64 * 1024 * 1024,
    ...(Object.keys(options.sysctls).length > 0 ? { Sysctls: options.sysctls } : {}),
    Runtime: options.runtime || 'berth',
    Isolation: options.isolation ?? '',
    ...limitsBody(options.limits),
    CgroupParent: options.cgroupParent,
    Devices: options.devices.map(({ hostPath, containerPath, permissions }) => ({
      PathOnHost: hostPath,
      PathInContainer: containerPath,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: nullIfEmpty(options.deviceCgroupRules),
    DeviceRequests: nullIfEmpty(
      options.deviceRequests.map(({ driver, count, deviceIds, capabilities, options: extra }) => ({
        Driver: driver,
        Count: count,
        DeviceIDs: deviceIds,
        Capabilities: capabilities,
        Options: extra,
      })),
    ),
    Ulimits: options.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    ...(mounts.length > 0 ? { Mounts: mounts.map(mountBody) } : {}),
    MaskedPaths: options.maskedPaths ?? (unconfined ? null : defaultMaskedPaths()),
    ReadonlyPaths: options.readonlyPaths ?? (unconfined ? null : defaultReadonlyPaths),
    ...(options.init ? { Init: true } : {}),
  }
  const isEmpty = (name: string) => Object.keys((body as Record<string, unknown>)[name] as object).length === 0
  return { ...body, ...options.echoed, ...Object.fromEntries((options.unsaid ?? []).filter(isEmpty).map((name) => [name, null])) }
}
