/** How a flag of `docker run` is edited. Names of flags are the form's field names; what they mean is in run-flags.ts. */
export type FieldKind =
  /** One line of text. */
  | { kind: 'text'; placeholder?: string; mono?: boolean }
  /** A size such as 512m. */
  | { kind: 'size'; placeholder?: string }
  | { kind: 'number'; placeholder?: string; unit?: string }
  /** One of a few; '' leaves it to the engine. */
  | { kind: 'choice'; choices: readonly string[] }
  /** The flag repeated, one value per line. */
  | { kind: 'lines'; placeholder?: string; rows?: number }
  /** One value that may have several lines. */
  | { kind: 'block'; placeholder?: string }
  | { kind: 'switch' }

export interface FlagField {
  flag: string
  field: FieldKind
  /** Takes the whole width. */
  wide?: boolean
}
export interface FormSection {
  key: 'environment' | 'network' | 'storage' | 'limits' | 'health' | 'logging' | 'security' | 'namespaces' | 'process'
  fields: readonly FlagField[]
}

const text = (flag: string, placeholder?: string): FlagField => ({ flag, field: { kind: 'text', placeholder, mono: true } })
const size = (flag: string, placeholder = '512m'): FlagField => ({ flag, field: { kind: 'size', placeholder } })
const number = (flag: string, placeholder?: string, unit?: string): FlagField => ({ flag, field: { kind: 'number', placeholder, unit } })
const choice = (flag: string, ...choices: string[]): FlagField => ({ flag, field: { kind: 'choice', choices: ['', ...choices] } })
const lines = (flag: string, placeholder?: string, rows = 3): FlagField => ({ flag, field: { kind: 'lines', placeholder, rows } })
const flip = (flag: string): FlagField => ({ flag, field: { kind: 'switch' } })
const wide = (field: FlagField): FlagField => ({ ...field, wide: true })

/** Every option of `run` but those with an editor of their own: image, name, command, ports, mounts, restart, network. */
export const formSections: readonly FormSection[] = [
  {
    key: 'environment',
    fields: [
      wide(lines('env', 'NAME=value', 5)),
      wide(lines('label', 'team=payments')),
      text('hostname', 'web-1'),
      text('domainname'),
      text('user', '1000:1000'),
      text('workdir', '/app'),
    ],
  },
  {
    key: 'storage',
    fields: [
      lines('tmpfs', '/run:size=64m', 2),
      lines('volumes-from', 'data:ro', 2),
      size('shm-size', '64m'),
      lines('storage-opt', 'size=10G', 2),
      flip('read-only'),
    ],
  },
  {
    key: 'network',
    fields: [
      lines('network-alias', 'db', 2),
      text('ip', '172.30.0.9'),
      text('ip6'),
      lines('link-local-ip', '169.254.34.68', 2),
      text('mac-address', '02:42:ac:11:00:02'),
      lines('expose', '9113', 2),
      flip('publish-all'),
      lines('dns', '1.1.1.1', 2),
      lines('dns-search', 'example.com', 2),
      lines('dns-option', 'ndots:1', 2),
      lines('add-host', 'db:10.0.0.5', 2),
      lines('link', 'redis:cache', 2),
    ],
  },
  {
    key: 'limits',
    fields: [
      size('memory'),
      number('cpus', '1.5'),
      size('memory-swap', '1g'),
      size('memory-reservation', '256m'),
      number('memory-swappiness', '0–100'),
      number('pids-limit', '200'),
      number('cpu-shares', '1024'),
      number('cpu-period', '100000', 'µs'),
      number('cpu-quota', '50000', 'µs'),
      text('cpuset-cpus', '0-3'),
      text('cpuset-mems', '0'),
      number('blkio-weight', '10–1000'),
      lines('blkio-weight-device', '/dev/sda:300', 2),
      lines('device-read-bps', '/dev/sda:10m', 2),
      lines('device-write-bps', '/dev/sda:10m', 2),
      lines('device-read-iops', '/dev/sda:1000', 2),
      lines('device-write-iops', '/dev/sda:1000', 2),
      lines('ulimit', 'nofile=1024:2048', 2),
      size('kernel-memory', '64m'),
      number('cpu-rt-period', '1000000', 'µs'),
      number('cpu-rt-runtime', '950000', 'µs'),
      flip('oom-kill-disable'),
    ],
  },
  {
    key: 'health',
    fields: [
      wide({ flag: 'health-cmd', field: { kind: 'block', placeholder: 'curl -f http://localhost/ || exit 1' } }),
      text('health-interval', '30s'),
      text('health-timeout', '30s'),
      text('health-start-period', '0s'),
      text('health-start-interval', '5s'),
      number('health-retries', '3'),
      flip('no-healthcheck'),
    ],
  },
  { key: 'logging', fields: [choice('log-driver', 'json-file', 'local', 'none'), lines('log-opt', 'max-size=10m', 3)] },
  {
    key: 'security',
    fields: [
      flip('privileged'),
      choice('init', 'true', 'false'),
      lines('cap-add', 'NET_ADMIN', 2),
      lines('cap-drop', 'ALL', 2),
      lines('security-opt', 'no-new-privileges', 2),
      lines('device', '/dev/fuse:/dev/fuse:rwm', 2),
      lines('device-cgroup-rule', 'c 42:* rmw', 2),
      text('gpus', 'all'),
      lines('group-add', 'audio', 2),
      lines('sysctl', 'net.core.somaxconn=1024', 2),
    ],
  },
  {
    key: 'namespaces',
    fields: [
      text('pid', 'host'),
      text('ipc', 'shareable'),
      choice('uts', 'host'),
      choice('userns', 'host', 'auto'),
      choice('cgroupns', 'private', 'host'),
      text('cgroup-parent'),
      number('oom-score-adj', '-1000–1000'),
      text('runtime'),
      lines('annotation', 'key=value', 2),
    ],
  },
  {
    key: 'process',
    fields: [
      flip('interactive'),
      flip('tty'),
      flip('rm'),
      text('stop-signal', 'SIGTERM'),
      number('stop-timeout', '10', 's'),
      text('platform', 'linux/amd64'),
    ],
  },
]
