import type { ContainerOptions, Limits, Mount, PortBinding } from '@berth/contract/container'
import { quoteWord } from './shell-words'

type Argument = [flag: string, value?: string]

/** Bytes as the command line writes them: the greatest unit that is exact. */
function size(bytes: number): string {
  for (const [letter, unit] of [
    ['g', 1024 ** 3],
    ['m', 1024 ** 2],
    ['k', 1024],
  ] as const)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`
  return `${bytes}`
}

function port(binding: PortBinding): string {
  const host = binding.hostPort ? `${binding.hostPort}${binding.hostPortEnd ? `-${binding.hostPortEnd}` : ''}` : ''
  const ip = binding.hostIp.includes(':') ? `[${binding.hostIp}]` : binding.hostIp
  const front = ip ? `${ip}:${host}:` : host ? `${host}:` : ''
  return `${front}${binding.containerPort}${binding.protocol === 'tcp' ? '' : `/${binding.protocol}`}`
}

function mountArgument(mount: Mount): Argument {
  if (mount.type === 'tmpfs') {
    const options = [
      mount.readOnly ? 'ro' : '',
      mount.tmpfsSizeBytes ? `size=${size(mount.tmpfsSizeBytes)}` : '',
      mount.tmpfsMode === undefined ? '' : `mode=${mount.tmpfsMode.toString(8)}`,
      mount.tmpfsOptions,
    ].filter(Boolean)
    return ['--tmpfs', options.length ? `${mount.target}:${options.join()}` : mount.target]
  }
  const plain = !mount.nonRecursive && Object.keys(mount.volumeOptions).length === 0 && Object.keys(mount.volumeLabels).length === 0
  if (plain && (mount.type === 'volume' || mount.createSource)) {
    const options = [mount.readOnly ? 'ro' : '', mount.propagation, mount.noCopy ? 'nocopy' : ''].filter(Boolean).join()
    return ['-v', [mount.source, mount.target, options].filter(Boolean).join(':')]
  }
  const fields = [
    `type=${mount.type}`,
    mount.source ? `source=${mount.source}` : '',
    `target=${mount.target}`,
    mount.readOnly ? 'readonly' : '',
    mount.propagation ? `bind-propagation=${mount.propagation}` : '',
    mount.nonRecursive ? 'bind-nonrecursive' : '',
    mount.noCopy ? 'volume-nocopy' : '',
    ...Object.entries(mount.volumeLabels).map(([key, value]) => `volume-label=${key}=${value}`),
    ...Object.entries(mount.volumeOptions).map(([key, value]) => `volume-opt=${key}=${value}`),
  ]
  return ['--mount', fields.filter(Boolean).join()]
}

/** The flags of `run` and `update` for limits; those that are not given are left out. */
export function limitArguments(limits: Partial<Limits>): Argument[] {
  const out: Argument[] = []
  const number = (flag: string, value: number | null | undefined) => {
    if (value) out.push([flag, `${value}`])
  }
  if (limits.memoryBytes) out.push(['--memory', size(limits.memoryBytes)])
  if (limits.memorySwapBytes) out.push(['--memory-swap', limits.memorySwapBytes < 0 ? '-1' : size(limits.memorySwapBytes)])
  if (limits.memoryReservationBytes) out.push(['--memory-reservation', size(limits.memoryReservationBytes)])
  if (limits.memorySwappiness !== null && limits.memorySwappiness !== undefined && limits.memorySwappiness >= 0)
    out.push(['--memory-swappiness', `${limits.memorySwappiness}`])
  if (limits.kernelMemoryBytes) out.push(['--kernel-memory', size(limits.kernelMemoryBytes)])
  if (limits.oomKillDisable) out.push(['--oom-kill-disable'])
  if (limits.nanoCpus) out.push(['--cpus', `${limits.nanoCpus / 1e9}`])
  number('--cpu-shares', limits.cpuShares)
  number('--cpu-period', limits.cpuPeriodUs)
  number('--cpu-quota', limits.cpuQuotaUs)
  number('--cpu-rt-period', limits.cpuRealtimePeriodUs)
  number('--cpu-rt-runtime', limits.cpuRealtimeRuntimeUs)
  if (limits.cpusetCpus) out.push(['--cpuset-cpus', limits.cpusetCpus])
  if (limits.cpusetMems) out.push(['--cpuset-mems', limits.cpusetMems])
  number('--blkio-weight', limits.blkioWeight)
  for (const device of limits.blkioWeightDevice ?? []) out.push(['--blkio-weight-device', `${device.path}:${device.weight}`])
  for (const [flag, devices] of [
    ['--device-read-bps', limits.deviceReadBps],
    ['--device-write-bps', limits.deviceWriteBps],
    ['--device-read-iops', limits.deviceReadIops],
    ['--device-write-iops', limits.deviceWriteIops],
  ] as const)
    for (const device of devices ?? []) out.push([flag, `${device.path}:${flag.endsWith('bps') ? size(device.rate) : device.rate}`])
  number('--pids-limit', limits.pidsLimit)
  return out
}

function networkArguments(options: ContainerOptions): Argument[] {
  const out: Argument[] = []
  const each = (flag: string, values: readonly string[]) => {
    for (const value of values) out.push([flag, value])
  }
  if (options.networkMode) out.push(['--network', options.networkMode])
  const first = options.networks[options.networkMode || 'bridge']
  if (first) {
    each('--network-alias', first.aliases)
    if (first.ipv4) out.push(['--ip', first.ipv4])
    if (first.ipv6) out.push(['--ip6', first.ipv6])
  }
  for (const [name, endpoint] of Object.entries(options.networks)) {
    if (name === (options.networkMode || 'bridge')) continue
    const extra = [
      ...endpoint.aliases.map((alias) => `alias=${alias}`),
      endpoint.ipv4 ? `ip=${endpoint.ipv4}` : '',
      endpoint.ipv6 ? `ip6=${endpoint.ipv6}` : '',
    ]
    const words = extra.filter(Boolean)
    out.push(['--network', words.length ? [`name=${name}`, ...words].join() : name])
  }
  const mac = options.macAddress || first?.mac
  if (mac) out.push(['--mac-address', mac])
  if (options.publishAll) out.push(['-P'])
  for (const binding of options.ports) out.push(['-p', port(binding)])
  each('--expose', options.exposedPorts)
  each('--dns', options.dns)
  each('--dns-search', options.dnsSearch)
  each('--dns-option', options.dnsOptions)
  each('--add-host', options.extraHosts)
  each('--link', options.links)
  return out
}

function healthArguments({ healthcheck }: ContainerOptions): Argument[] {
  if (!healthcheck) return []
  const [kind, ...words] = healthcheck.test
  if (kind === 'NONE') return [['--no-healthcheck']]
  const out: Argument[] = []
  if (kind) out.push(['--health-cmd', kind === 'CMD' ? words.map(quoteWord).join(' ') : words.join(' ')])
  const time = (flag: string, ms: number | undefined) => {
    if (ms) out.push([flag, ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`])
  }
  time('--health-interval', healthcheck.intervalMs)
  time('--health-timeout', healthcheck.timeoutMs)
  time('--health-start-period', healthcheck.startPeriodMs)
  time('--health-start-interval', healthcheck.startIntervalMs)
  if (healthcheck.retries) out.push(['--health-retries', `${healthcheck.retries}`])
  return out
}

function securityArguments(options: ContainerOptions): Argument[] {
  const out: Argument[] = []
  const each = (flag: string, values: readonly string[]) => {
    for (const value of values) out.push([flag, value])
  }
  const one = (flag: string, value: string) => {
    if (value) out.push([flag, value])
  }
  if (options.privileged) out.push(['--privileged'])
  each('--cap-add', options.capAdd)
  each('--cap-drop', options.capDrop)
  each('--security-opt', options.securityOpt)
  for (const device of options.devices) {
    const permissions = device.permissions === 'rwm' ? '' : `:${device.permissions}`
    const inside = device.containerPath === device.hostPath && !permissions ? '' : `:${device.containerPath}`
    out.push(['--device', `${device.hostPath}${inside}${permissions}`])
  }
  each('--device-cgroup-rule', options.deviceCgroupRules)
  for (const request of options.deviceRequests)
    out.push(['--gpus', request.count < 0 ? 'all' : request.deviceIds.length ? `device=${request.deviceIds.join()}` : `${request.count}`])
  each('--group-add', options.groupAdd)
  for (const limit of options.ulimits)
    out.push(['--ulimit', `${limit.name}=${limit.soft}${limit.hard === limit.soft ? '' : `:${limit.hard}`}`])
  for (const [key, value] of Object.entries(options.sysctls)) out.push(['--sysctl', `${key}=${value}`])
  one('--pid', options.pidMode)
  one('--ipc', options.ipcMode)
  one('--uts', options.utsMode)
  one('--userns', options.usernsMode)
  one('--cgroupns', options.cgroupnsMode)
  one('--cgroup-parent', options.cgroupParent)
  if (options.shmSizeBytes) out.push(['--shm-size', size(options.shmSizeBytes)])
  if (options.oomScoreAdj) out.push(['--oom-score-adj', `${options.oomScoreAdj}`])
  for (const [key, value] of Object.entries(options.storageOptions)) out.push(['--storage-opt', `${key}=${value}`])
  for (const [key, value] of Object.entries(options.annotations)) out.push(['--annotation', `${key}=${value}`])
  one('--runtime', options.runtime)
  return out
}

function basicArguments(name: string | undefined, options: ContainerOptions): Argument[] {
  const out: Argument[] = []
  const one = (flag: string, value: string | undefined) => {
    if (value) out.push([flag, value])
  }
  one('--name', name)
  if (options.openStdin && options.terminal) out.push(['-it'])
  else if (options.openStdin) out.push(['-i'])
  else if (options.terminal) out.push(['-t'])
  if (options.autoRemove) out.push(['--rm'])
  if (options.restart.name !== 'no')
    out.push([
      '--restart',
      `${options.restart.name}${options.restart.name === 'on-failure' && options.restart.maximumRetryCount ? `:${options.restart.maximumRetryCount}` : ''}`,
    ])
  one('--platform', options.platform)
  one('--hostname', options.hostname)
  one('--domainname', options.domainname)
  one('--user', options.user)
  one('--workdir', options.workingDir)
  for (const variable of options.env) out.push(['-e', variable])
  for (const [key, value] of Object.entries(options.labels)) out.push(['--label', value === '' ? key : `${key}=${value}`])
  if (options.entrypoint) out.push(['--entrypoint', options.entrypoint[0] ?? ''])
  one('--stop-signal', options.stopSignal)
  if (options.stopTimeoutSeconds !== null) out.push(['--stop-timeout', `${options.stopTimeoutSeconds}`])
  if (options.init !== null) out.push(options.init ? ['--init'] : ['--init=false'])
  if (options.readOnlyRootfs) out.push(['--read-only'])
  one('--log-driver', options.log.driver)
  for (const [key, value] of Object.entries(options.log.options)) out.push(['--log-opt', `${key}=${value}`])
  return out
}

/** Every word of the `docker run` (or `create`) line that makes the same container. */
export function runArguments(
  name: string | undefined,
  options: ContainerOptions,
  pull: 'always' | 'missing' | 'never' = 'missing',
): Argument[] {
  return [
    ...(pull === 'missing' ? [] : ([['--pull', pull]] as Argument[])),
    ...basicArguments(name, options),
    ...limitArguments(options.limits),
    ...networkArguments(options),
    ...options.mounts.map(mountArgument),
    ...options.volumesFrom.map((from): Argument => ['--volumes-from', from]),
    ...Object.entries(options.tmpfs).map(([path, words]): Argument => ['--tmpfs', words ? `${path}:${words}` : path]),
    ...healthArguments(options),
    ...securityArguments(options),
  ]
}

/** `docker run …` as one would type it, one option per line when it is long. `verb` `create` makes it without starting. */
export function runCommand(
  name: string | undefined,
  options: ContainerOptions,
  { verb = 'run', pull }: { verb?: 'run' | 'create'; pull?: 'always' | 'missing' | 'never' } = {},
): string {
  const words = runArguments(name, options, pull).map(([flag, value]) => (value === undefined ? flag : `${flag} ${quoteWord(value)}`))
  const tail = [options.image || 'IMAGE', ...(options.entrypoint?.slice(1) ?? []), ...(options.cmd ?? [])].map(quoteWord).join(' ')
  const parts = [verb === 'run' ? 'docker run -d' : 'docker create', ...words, tail]
  const line = parts.join(' ')
  return line.length > 76 ? parts.join(' \\\n  ') : line
}

/** `docker update …` for changed limits. */
export function updateCommand(name: string, limits: Partial<Limits>, restart?: { name: string; maximumRetryCount: number }): string {
  const words = limitArguments(limits).map(([flag, value]) => (value === undefined ? flag : `${flag} ${quoteWord(value)}`))
  if (restart)
    words.push(
      `--restart ${restart.name}${restart.name === 'on-failure' && restart.maximumRetryCount ? `:${restart.maximumRetryCount}` : ''}`,
    )
  return ['docker update', ...words, quoteWord(name)].join(' ')
}
