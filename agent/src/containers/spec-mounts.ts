/** Pure: the mounts of a container, Docker's defaults and the user's. */
import type { ContainerOptions } from '@berth/contract/container'
import type { SpecMount } from '../oci/runtime-spec.ts'

/** A mount whose source is known: a host path for bind and volume. */
export interface PlacedMount {
  type: 'bind' | 'volume' | 'tmpfs'
  source: string
  destination: string
  readOnly: boolean
  propagation: string
  nonRecursive: boolean
  /** Options of mount(8) for a tmpfs. */
  tmpfsOptions: string[]
}

export interface MountFacts {
  placed: PlacedMount[]
  /** Host files for /etc/hosts, /etc/hostname, /etc/resolv.conf; null: the image's stay. */
  files: { hosts: string; hostname: string; resolvConf: string } | null
  /** Host path of berth-init for --init. */
  init: string
  /** Another's /dev/shm (ipc of a container, of the host, or a shareable one of its own). '' = a tmpfs of the container's own. */
  shm: string
  /** `shared` or `slave` when a bind needs it, else ''. */
  rootPropagation: string
}

const defaultShmBytes = 64 * 1024 * 1024

export function defaultMounts(options: ContainerOptions, facts: MountFacts): SpecMount[] {
  const privileged = options.privileged
  const shmBytes = options.shmSizeBytes || defaultShmBytes
  const sysReadOnly = privileged ? [] : ['ro']
  // Without a network namespace of its own sysfs cannot be mounted afresh inside a user namespace: the host's is bound instead.
  const sysfs: SpecMount =
    options.usernsMode === 'auto' && options.networkMode === 'host'
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', ...sysReadOnly] }
  const mounts: SpecMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    sysfs,
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...(privileged ? [] : ['ro']), 'nosuid', 'noexec', 'nodev'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  ]
  if (options.ipcMode !== 'none')
    mounts.push(
      facts.shm
        ? { destination: '/dev/shm', type: 'bind', source: facts.shm, options: ['rbind', 'nosuid', 'noexec', 'nodev', 'rprivate'] }
        : {
            destination: '/dev/shm',
            type: 'tmpfs',
            source: 'shm',
            options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmBytes}`],
          },
    )
  return mounts
}

/** The engine's own files and everything the user asked for. */
export function userMounts(facts: MountFacts, options: ContainerOptions): SpecMount[] {
  const mounts: SpecMount[] = []
  const own = new Set(facts.placed.map((mount) => mount.destination))
  // What is the engine's own belongs inside to whom it belongs outside; a bind is the host's and stays so.
  const mapped = options.usernsMode === 'auto' ? ['idmap'] : []
  // As in Docker, --read-only holds for these too.
  const readOnly = options.readOnlyRootfs ? ['ro'] : []
  if (facts.files) {
    const file = (destination: string, source: string) => {
      if (!own.has(destination)) mounts.push({ destination, type: 'bind', source, options: ['rbind', 'rprivate', ...readOnly, ...mapped] })
    }
    file('/etc/resolv.conf', facts.files.resolvConf)
    file('/etc/hostname', facts.files.hostname)
    file('/etc/hosts', facts.files.hosts)
  }
  if (options.init === true)
    mounts.push({ destination: '/sbin/berth-init', type: 'bind', source: facts.init, options: ['bind', 'ro', 'nosuid', 'nodev'] })
  for (const mount of facts.placed) mounts.push(placedMount(mount, mount.type === 'volume' ? mapped : []))
  for (const [destination, text] of Object.entries(options.tmpfs))
    if (!own.has(destination)) mounts.push({ destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsMountOptions(text) })
  return mounts
}

function placedMount(mount: PlacedMount, mapped: string[]): SpecMount {
  if (mount.type === 'tmpfs') return { destination: mount.destination, type: 'tmpfs', source: 'tmpfs', options: mount.tmpfsOptions }
  const bind = mount.nonRecursive ? 'bind' : 'rbind'
  return {
    destination: mount.destination,
    type: 'bind',
    source: mount.source,
    options: [bind, mount.propagation || 'rprivate', ...(mount.readOnly ? [mount.nonRecursive ? 'ro' : 'rro'] : []), ...mapped],
  }
}

const tmpfsBase = ['noexec', 'nosuid', 'nodev']

/** Docker's defaults noexec,nosuid,nodev, each undone by its opposite. */
export function tmpfsMountOptions(text: string): string[] {
  const given = text.split(',').filter(Boolean)
  const opposites: Record<string, string> = { exec: 'noexec', suid: 'nosuid', dev: 'nodev' }
  const undone = new Set(given.flatMap((option) => opposites[option] ?? []))
  return [
    ...new Set([
      ...tmpfsBase.filter((option) => !undone.has(option)),
      ...given.filter((option) => !(option in opposites) && option !== 'defaults'),
    ]),
  ]
}
