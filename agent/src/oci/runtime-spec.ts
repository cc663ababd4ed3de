/** The parts of the OCI runtime specification's config.json (1.2) that the engine writes. Names are the specification's. */

export interface RuntimeSpec {
  ociVersion: string
  process: ProcessSpec
  root: { path: string; readonly?: boolean }
  hostname?: string
  domainname?: string
  mounts: SpecMount[]
  annotations?: Record<string, string>
  linux: LinuxSpec
}

export interface ProcessSpec {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env?: string[]
  cwd: string
  capabilities?: Capabilities
  rlimits?: { type: string; soft: number; hard: number }[]
  noNewPrivileges?: boolean
  apparmorProfile?: string
  selinuxLabel?: string
  oomScoreAdj?: number
}

export interface Capabilities {
  bounding: string[]
  effective: string[]
  permitted: string[]
  inheritable?: string[]
  ambient?: string[]
}

export interface SpecMount {
  destination: string
  type?: string
  source?: string
  options?: string[]
}

export interface IdMap {
  containerID: number
  hostID: number
  size: number
}

export interface LinuxSpec {
  namespaces: { type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'; path?: string }[]
  uidMappings?: IdMap[]
  gidMappings?: IdMap[]
  devices?: DeviceNode[]
  cgroupsPath?: string
  resources?: LinuxResources
  rootfsPropagation?: string
  seccomp?: LinuxSeccomp
  sysctl?: Record<string, string>
  maskedPaths?: string[]
  readonlyPaths?: string[]
  mountLabel?: string
}

export interface DeviceNode {
  path: string
  type: string
  major: number
  minor: number
  fileMode?: number
  uid?: number
  gid?: number
}

export interface DeviceRule {
  allow: boolean
  type?: string
  major?: number
  minor?: number
  access?: string
}

export interface LinuxResources {
  devices?: DeviceRule[]
  memory?: {
    limit?: number
    reservation?: number
    swap?: number
    kernel?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: {
    shares?: number
    quota?: number
    period?: number
    realtimeRuntime?: number
    realtimePeriod?: number
    cpus?: string
    mems?: string
  }
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    weightDevice?: { major: number; minor: number; weight: number }[]
    throttleReadBpsDevice?: ThrottleDevice[]
    throttleWriteBpsDevice?: ThrottleDevice[]
    throttleReadIOPSDevice?: ThrottleDevice[]
    throttleWriteIOPSDevice?: ThrottleDevice[]
  }
}

export interface ThrottleDevice {
  major: number
  minor: number
  rate: number
}

export interface LinuxSeccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  listenerPath?: string
  listenerMetadata?: string
  syscalls: {
    names: string[]
    action: string
    errnoRet?: number
    args?: { index: number; value: number; valueTwo?: number; op: string }[]
  }[]
}
