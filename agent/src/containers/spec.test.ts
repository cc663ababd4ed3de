import { containerOptions } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { allCapabilities, defaultCapabilities } from './capabilities.ts'
import { mergeWithImage } from './effective.ts'
import { noRates } from './limits.ts'
import { parseSecurityOptions } from './security-options.ts'
import { buildSpec, type SpecFacts } from './spec.ts'
import { tmpfsMountOptions } from './spec-mounts.ts'

const image = {
  user: '',
  exposedPorts: [],
  env: ['A=1', 'PATH=/bin'],
  entrypoint: ['/entry'],
  cmd: ['serve'],
  volumes: [],
  workingDir: '/srv',
  labels: {},
  stopSignal: null,
  shell: null,
  healthcheck: null,
  onBuild: [],
}
const host = {
  architecture: 'amd64',
  kernel: '6.18',
  capabilities: new Set(allCapabilities.filter((name) => name !== 'CAP_SYS_RESOURCE')),
  apparmor: false,
  hardLimits: { RLIMIT_NOFILE: 20000 },
  canRaiseLimits: false,
  maskedPaths: ['/proc/kcore'],
  bootId: 'b',
  cpus: 2,
  cpusetCpus: '0-1',
  cpusetMems: '0',
  hasBlkioWeight: false,
  hasSwapLimit: true,
  cgroupVersion: '1' as const,
}
const build = (change: Record<string, unknown>, facts: Partial<SpecFacts> = {}) => {
  const options = containerOptions.parse({ image: 'x', ...change })
  return buildSpec({
    id: 'c'.repeat(64),
    options,
    effective: mergeWithImage('c'.repeat(64), options, image, 'machine'),
    security: parseSecurityOptions(options.securityOpt, false),
    host,
    user: { uid: 0, gid: 0, additionalGids: [], home: '/root' },
    size: { cols: 80, rows: 24 },
    linkedEnv: [],
    rootfs: '/r',
    mounts: { placed: [], files: { hosts: '/h', hostname: '/n', resolvConf: '/c' }, init: '/i', shm: '', rootPropagation: '' },
    devices: { nodes: [], rules: [] },
    rates: noRates,
    join: {},
    cgroupsPath: '/berth/c',
    idmap: null,
    ...facts,
  })
}

describe('buildSpec', () => {
  it('gives an ordinary container what Docker gives it', () => {
    const spec = build({})
    expect(spec.process).toMatchObject({
      args: ['/entry', 'serve'],
      cwd: '/srv',
      env: ['PATH=/bin', 'HOSTNAME=cccccccccccc', 'A=1', 'HOME=/root'],
    })
    expect(spec.process.capabilities?.bounding).toEqual(defaultCapabilities)
    expect(spec.linux.namespaces.map(({ type }) => type)).toEqual(['mount', 'network', 'uts', 'pid', 'ipc'])
    expect(spec.mounts.map(({ destination }) => destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/sys/fs/cgroup',
      '/dev/mqueue',
      '/dev/shm',
      '/etc/resolv.conf',
      '/etc/hostname',
      '/etc/hosts',
    ])
    expect(spec.linux.maskedPaths).toContain('/proc/kcore')
    expect(spec.linux.resources?.devices?.[0]).toEqual({ allow: false, access: 'rwm' })
    expect(JSON.stringify(build({}))).toBe(JSON.stringify(spec))
  })

  it('opens up for --privileged', () => {
    const spec = build({ privileged: true })
    expect(spec.linux.seccomp).toBeUndefined()
    expect(spec.linux.maskedPaths).toEqual([])
    expect(spec.process.capabilities?.bounding).toHaveLength(allCapabilities.length - 1)
    expect(spec.linux.resources?.devices).toEqual([{ allow: true, access: 'rwm' }])
    expect(spec.mounts.find(({ destination }) => destination === '/sys')?.options).not.toContain('ro')
  })

  it('takes no capability into effect for another user, and caps ulimits at what it may give', () => {
    const spec = build(
      { ulimits: [{ name: 'nofile', soft: 1000, hard: 1_000_000 }] },
      { user: { uid: 5, gid: 6, additionalGids: [7], home: '/' } },
    )
    expect(spec.process.capabilities?.effective).toEqual([])
    expect(spec.process.user).toEqual({ uid: 5, gid: 6, additionalGids: [6, 7] })
    expect(spec.process.rlimits).toEqual([{ type: 'RLIMIT_NOFILE', soft: 1000, hard: 20000 }])
  })

  it('joins, shares and hides namespaces', () => {
    const types = (change: Record<string, unknown>, facts?: Partial<SpecFacts>) => build(change, facts).linux.namespaces
    expect(types({ networkMode: 'host', pidMode: 'host', ipcMode: 'host', utsMode: 'host' }).map(({ type }) => type)).toEqual(['mount'])
    expect(types({ networkMode: 'container:a' }, { join: { network: '/proc/1/ns/net' } })).toContainEqual({
      type: 'network',
      path: '/proc/1/ns/net',
    })
    expect(types({ cgroupnsMode: 'private' }).map(({ type }) => type)).toContain('cgroup')
    expect(types({ usernsMode: 'auto' }, { idmap: { uid: [], gid: [] } }).map(({ type }) => type)).toContain('user')
  })

  it('lets the user cover a default, and runs berth-init when asked', () => {
    const placed = {
      type: 'bind' as const,
      source: '/s',
      destination: '/dev/shm',
      readOnly: true,
      propagation: 'rslave',
      nonRecursive: false,
      tmpfsOptions: [],
    }
    const spec = build({ init: true }, { mounts: { placed: [placed], files: null, init: '/i', shm: '', rootPropagation: 'rslave' } })
    expect(spec.mounts.filter(({ destination }) => destination === '/dev/shm')).toEqual([
      { destination: '/dev/shm', type: 'bind', source: '/s', options: ['rbind', 'rslave', 'rro'] },
    ])
    expect(spec.process.args.slice(0, 2)).toEqual(['/sbin/berth-init', '--'])
    expect(spec.linux.rootfsPropagation).toBe('rslave')
  })
})

it('undoes tmpfs defaults one by one', () => {
  expect(tmpfsMountOptions('')).toEqual(['noexec', 'nosuid', 'nodev'])
  expect(tmpfsMountOptions('rw,exec,size=64m')).toEqual(['nosuid', 'nodev', 'rw', 'size=64m'])
})
