import { containerOptions } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { checkOptions, cleanTarget, parseLogOptions } from './check-options.ts'
import { applyChanges } from './commit-changes.ts'
import { signalName, signalNumber } from './signals.ts'
import { parsePs } from './top.ts'

const host = {
  cpus: 2,
  cpusetCpus: '0-1',
  cpusetMems: '0',
  hasBlkioWeight: true,
  hasSwapLimit: true,
  cgroupVersion: '1' as const,
  apparmor: false,
} as Parameters<typeof checkOptions>[1]
const checkAll = (change: Record<string, unknown>) => checkOptions(containerOptions.parse({ image: 'x', ...change }), host)

describe('checkOptions', () => {
  it.each([
    [{ workingDir: 'a' }, 'needs to be an absolute path'],
    [{ env: ['=x'] }, 'invalid environment variable'],
    [{ cmd: ['a\0b'] }, 'NUL byte'],
    [{ networkMode: 'container:a', ports: [{ containerPort: 80 }] }, 'port publishing and the container type network mode'],
    [{ networkMode: 'container:a', hostname: 'x' }, 'hostname and the network mode'],
    [{ usernsMode: 'auto', privileged: true }, 'privileged mode is incompatible with user namespaces'],
    [{ autoRemove: true, restart: { name: 'always' } }, "can't create 'AutoRemove' container with restart policy"],
    [{ restart: { name: 'always', maximumRetryCount: 3 } }, 'maximum retry count cannot be used'],
    [
      {
        mounts: [
          { type: 'bind', source: '/a', target: '/x' },
          { type: 'tmpfs', target: '/x/' },
        ],
      },
      'Duplicate mount point: /x',
    ],
    [{ mounts: [{ type: 'volume', source: 'a/b', target: '/x' }] }, 'includes invalid characters for a local volume name'],
    [{ sysctls: { 'vm.swappiness': '1' } }, 'is not whitelisted'],
    [{ sysctls: { 'net.core.somaxconn': '1' }, networkMode: 'host' }, 'not allowed in host network namespace'],
    [{ capAdd: ['WIZARD'] }, 'invalid CapAdd: unknown capability: "CAP_WIZARD"'],
    [{ ulimits: [{ name: 'nofile', soft: 5, hard: 4 }] }, 'soft limit must be less than or equal to hard limit'],
    [{ ulimits: [{ name: 'x', soft: 5, hard: 6 }] }, 'invalid ulimit type: x'],
    [{ securityOpt: ['magic'] }, 'invalid --security-opt'],
    [{ securityOpt: ['apparmor=docker-default'] }, 'does not enforce AppArmor'],
    [{ stopSignal: 'SIGNOPE' }, 'Invalid signal: SIGNOPE'],
    [
      { deviceRequests: [{ driver: '', count: -1, deviceIds: [], capabilities: [['gpu']], options: {} }] },
      'could not select device driver "" with capabilities: [[gpu]]',
    ],
    [{ pidMode: 'x' }, 'invalid PID mode: x'],
    [{ log: { driver: 'json-file', options: { x: '1' } } }, "unknown log opt 'x' for json-file log driver"],
    [{ extraHosts: ['a'] }, 'bad format for add-host'],
  ])('refuses %j', (change, sentence) => {
    expect(() => checkAll(change)).toThrow(sentence as string)
  })

  it('lets the usual through', () => {
    expect(
      checkAll({
        securityOpt: ['no-new-privileges', 'label=disable', 'seccomp=unconfined', 'systempaths=unconfined'],
        capDrop: ['ALL'],
        sysctls: { 'net.ipv4.ip_forward': '1' },
      }),
    ).toEqual([])
  })
})

it('cleans targets and log sizes', () => {
  expect(cleanTarget('/a/../b//c/.')).toBe('/b/c')
  expect(() => cleanTarget('/..')).toThrow("destination can't be '/'")
  expect(() => cleanTarget('a')).toThrow('mount path must be absolute')
  expect(parseLogOptions({ driver: 'local', options: { 'max-size': '10m', 'max-file': '3' } })).toEqual({
    enabled: true,
    maxSizeBytes: 10485760,
    maxFiles: 3,
  })
  expect(parseLogOptions({ driver: 'none', options: {} }).enabled).toBe(false)
})

it('knows signals by every spelling', () => {
  expect(['SIGTERM', 'term', '15', 'RTMIN+3', 'SIGRTMAX-1', 'SIGIOT'].map(signalNumber)).toEqual([15, 15, 15, 37, 63, 6])
  expect([signalName(9), signalName(37)]).toEqual(['SIGKILL', 'SIGRTMIN+3'])
  for (const bad of ['', '0', '65', 'SIGFOO', 'RTMIN+40']) expect(() => signalNumber(bad)).toThrow('Invalid signal')
})

it('cuts ps output by pid', () => {
  const text = 'UID PID CMD\nroot 1 /sbin/init\nroot 42 sh -c  sleep 5\n'
  expect(parsePs(text, new Set([42]))).toEqual({ titles: ['UID', 'PID', 'CMD'], processes: [['root', '42', 'sh -c sleep 5']] })
  expect(() => parsePs('UID CMD\n', new Set())).toThrow('PID field')
})

it('applies Dockerfile changes', () => {
  const config = {
    user: '',
    exposedPorts: [],
    env: ['A=1'],
    entrypoint: null,
    cmd: null,
    volumes: [],
    workingDir: '/',
    labels: {},
    stopSignal: null,
    shell: null,
    healthcheck: null,
    onBuild: [],
  }
  const changed = applyChanges(config, [
    'CMD ["a","b"]',
    'ENV A=2 B="x y"',
    'LABEL k=v',
    'EXPOSE 80 81/udp',
    'WORKDIR srv',
    'USER web',
    'HEALTHCHECK --interval=5s CMD true',
  ])
  expect(changed).toMatchObject({
    cmd: ['a', 'b'],
    env: ['A=2', 'B=x y'],
    labels: { k: 'v' },
    exposedPorts: ['80/tcp', '81/udp'],
    workingDir: '/srv',
    user: 'web',
    healthcheck: { test: ['CMD-SHELL', 'true'], intervalMs: 5000 },
  })
  expect(() => applyChanges(config, ['FROM x'])).toThrow('FROM is not a valid change command')
})
