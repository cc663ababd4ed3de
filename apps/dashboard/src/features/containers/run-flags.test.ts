import { type ContainerOptions, containerOptions, limits, mount } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { readLines, writeLines } from '../../ui/shell-words'
import { formSections } from './form-fields'
import { emptyForm, fillForm, readForm } from './form-values'
import { parseRunCommand } from './parse-run-command'
import { runCommand } from './run-command'
import { idleSwitches, idleValued, runFlags } from './run-flags'
import { parseMount, parsePorts, parseVolume, writeMount } from './run-places'

/** The same numbers at every run: mulberry32. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function maker(seed: number) {
  const next = numbers(seed)
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const of = <T>(...all: T[]): T => all[whole(0, all.length - 1)] as T
  const maybe = <T>(value: () => T, otherwise: T): T => (next() < 0.4 ? value() : otherwise)
  const many = <T>(value: () => T): T[] => maybe(() => Array.from({ length: whole(1, 3) }, value), [])
  const name = () => `${of('web', 'db', 'a.b', 'x_1', 'cache-2')}${whole(0, 99)}`
  /** Everything that breaks quoting somewhere. */
  const nasty = () =>
    of('plain', "it's", 'a b', ' edge ', '$HOME', '"quoted"', 'a=b=c', 'two\nlines', '\\', '*', '#no', '世界🚢', '-v', ',', 'a,b', "'x")
  const path = () => `/${of('data', 'srv/app', 'with space', 'über', "it's")}${whole(0, 9)}`
  const record = (value: () => string) => Object.fromEntries(many(() => [name(), value()] as const))
  return { whole, of, maybe, many, name, nasty, path, record }
}

/** Options that a `docker run` line can say, as such a line would give them. */
function sayable(seed: number): ContainerOptions {
  const { whole, of, maybe, many, name, nasty, path, record } = maker(seed)
  const size = () => of(1, 1024, 6 * 1024 ** 2, 64 * 1024 ** 2, 1024 ** 3, 123_456_789)
  const port = () => ({ containerPort: whole(1, 65535), protocol: of('tcp', 'udp', 'sctp'), hostIp: of('', '127.0.0.1', '::1') })
  const device = () => ({ path: `/dev/${of('sda', 'vdb')}`, rate: size() })
  const endpoint = () => ({
    aliases: [name()],
    links: [],
    ipv4: of(undefined, '10.0.0.9'),
    ipv6: undefined,
    linkLocal: of(undefined, ['169.254.1.2']),
  })
  const networkMode = maybe(() => of('front', 'back', 'host'), '')
  const entrypoint = maybe(() => [of('/bin/sh', 'my prog')], null)
  return containerOptions.parse({
    image: of('nginx:1.27', 'registry.example.org:5000/a/b@sha256:0'),
    hostname: maybe(name, ''),
    user: maybe(() => '1000:1000', ''),
    env: many(() => `${name()}=${nasty()}`),
    labels: record(nasty),
    annotations: record(nasty),
    sysctls: record(() => '1'),
    entrypoint,
    cmd: entrypoint ? many(nasty) : maybe(() => ['sh', '-c', nasty()], null),
    workingDir: maybe(path, ''),
    terminal: of(true, false),
    openStdin: of(true, false),
    autoRemove: of(true, false),
    init: of(true, false, null),
    readOnlyRootfs: of(true, false),
    privileged: of(true, false),
    publishAll: of(true, false),
    stopTimeoutSeconds: of(null, 0, 30),
    restart: of({ name: 'no' }, { name: 'always' }, { name: 'on-failure', maximumRetryCount: whole(0, 5) }),
    healthcheck: of(
      null,
      { test: ['NONE'] },
      { test: ['CMD-SHELL', nasty()], retries: whole(1, 5), intervalMs: of(500, 90_000) },
      { test: [], timeoutMs: 3000 },
    ),
    ports: many(() =>
      of({ ...port(), hostPort: 0 }, { ...port(), hostPort: whole(1, 9000) }, { ...port(), hostPort: 9000, hostPortEnd: 9010 }),
    ),
    mounts: many(() =>
      of(
        parseVolume(`${name()}:${path()}`),
        parseVolume(`${path()}:${path()}:ro,rslave`),
        parseVolume(path()),
        parseVolume(`/srv:${path()}:ro,Z`),
        parseMount(`type=volume,source=${name()},target=${path()},volume-subpath=a/b`),
        parseMount(`type=bind,source=/must-exist,target=${path()}`),
        parseMount(`type=bind,source=/a,target=${path()},readonly,bind-nonrecursive`),
        parseMount(`type=volume,source=${name()},target=${path()},volume-opt=o=addr=1,volume-nocopy`),
        parseMount(`type=volume,target=${path()},readonly`),
        parseMount(`type=tmpfs,target=${path()},tmpfs-size=64m,tmpfs-mode=1770`),
        parseMount(`type=bind,source=/with:colon,"target=/com,ma${whole(0, 9)}"`),
      ),
    ),
    volumesFrom: many(() => `${name()}:ro`),
    tmpfs: Object.fromEntries(many(() => [path(), of('', 'size=64m,mode=1777')] as const)),
    networkMode,
    networks: {
      ...maybe(() => ({ [networkMode || 'bridge']: endpoint() }), {}),
      ...(networkMode ? maybe<ContainerOptions['networks']>(() => ({ further: { ...endpoint(), mac: '02:42:ac:11:00:02' } }), {}) : {}),
    },
    dns: many(() => '1.1.1.1'),
    extraHosts: many(() => 'db:10.0.0.5'),
    capAdd: many(() => 'NET_ADMIN'),
    securityOpt: many(() => 'no-new-privileges'),
    devices: many(() => ({ hostPath: '/dev/fuse', containerPath: of('/dev/fuse', '/dev/x'), permissions: of('rwm', 'r') })),
    deviceRequests: maybe(() => [{ driver: '', count: -1, deviceIds: [], capabilities: [['gpu']], options: {} }], []),
    ulimits: many(() => ({ name: 'nofile', soft: 10, hard: of(10, 20) })),
    log: of({}, { driver: 'local', options: { 'max-size': '10m' } }),
    shmSizeBytes: maybe(size, 0),
    oomScoreAdj: of(0, -500, 200),
    limits: {
      memoryBytes: maybe(size, 0),
      memorySwapBytes: maybe(() => of(-1, 1024 ** 3), 0),
      memorySwappiness: of(null, 0, 60),
      nanoCpus: of(0, 500_000_000, 1_250_000_000),
      cpusetCpus: maybe(() => '0-1', ''),
      pidsLimit: of(null, -1, 200),
      deviceReadBps: many(device),
      deviceWriteIops: many(device),
      blkioWeightDevice: many(() => ({ path: '/dev/sda', weight: 300 })),
    },
  })
}

/** Network endpoints with `ipv4: undefined` and without the key say the same; so do `-v a:/b` and `--mount type=volume,source=a,target=/b`. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value, (key, part) => (key === 'spelling' ? undefined : part))) as unknown
const seeds = Array.from({ length: 150 }, (_, seed) => seed)

describe('every option of docker run', () => {
  it('is the same after it was written as a line and read again', () => {
    for (const seed of seeds) {
      const options = sayable(seed)
      const line = runCommand('made-here', options, { pull: 'always' })
      const read = parseRunCommand(line)
      expect(plain(read.options), line).toEqual(plain(options))
      expect({ name: read.name, pull: read.pull, ignored: read.ignored }).toEqual({ name: 'made-here', pull: 'always', ignored: [] })
    }
  })

  it('is the same after it went through the form, and the form says so with its line', () => {
    for (const seed of seeds) {
      const options = sayable(seed)
      const { run, errors, kept } = readForm({ ...fillForm('x', options), origin: null })
      const note = JSON.stringify(options)
      // The same place mounted twice is what a form may refuse.
      if (Object.values(errors).some((message) => message.includes('twice'))) continue
      expect(errors, note).toEqual({})
      expect(kept, note).toEqual([])
      expect(plain(run?.options), note).toEqual(plain(options))
      expect(plain(parseRunCommand(runCommand('x', run?.options as ContainerOptions)).options), note).toEqual(plain(options))
    }
  })

  it('has a field in the form', () => {
    const fields = new Set(formSections.flatMap((section) => section.fields.map((field) => field.flag)))
    // Those with an editor of their own.
    const others = new Set(['name', 'pull', 'restart', 'entrypoint', 'network', 'publish', 'volume', 'mount'])
    expect(runFlags.map((flag) => flag.name).filter((name) => !fields.has(name) && !others.has(name))).toEqual([])
    expect([...fields].filter((name) => !runFlags.some((flag) => flag.name === name))).toEqual([])
  })

  it('is every option of the contract, so that a new one is not forgotten here', () => {
    const said = new Set(runFlags.map((flag) => flag.path?.split('.')[0]))
    const saidOtherwise = ['image', 'cmd', 'networkMode']
    // No line of docker's can say them: they are kept when a container is duplicated.
    const kept = [
      'stdinOnce',
      'attachStdin',
      'attachStdout',
      'attachStderr',
      'networkDisabled',
      'maskedPaths',
      'readonlyPaths',
      'declaredVolumes',
      'isolation',
      'unsaid',
      'volumeDriver',
      'echoed',
    ]
    expect(Object.keys(containerOptions.shape).filter((key) => !said.has(key) && ![...saidOtherwise, ...kept].includes(key))).toEqual([])
    const limitsSaid = new Set(runFlags.map((flag) => flag.path?.split('limits.')[1]))
    expect(Object.keys(limits.shape).filter((key) => !limitsSaid.has(key))).toEqual([])
    const everything = mount.parse({
      ...{ type: 'volume', source: 'v', target: '/t', readOnly: true, propagation: 'rslave', nonRecursive: true, noCopy: true },
      ...{ subpath: 'a', volumeLabels: { a: 'b' }, volumeOptions: { c: 'd' }, tmpfsSizeBytes: 4096, tmpfsMode: 0o700 },
    })
    const unsaid = ['createSource', 'tmpfsOptions', 'relabel', 'spelling']
    expect(
      Object.keys(mount.shape)
        .filter(
          (key) =>
            !(key in everything) ||
            JSON.stringify(everything[key as 'type']) === JSON.stringify(mount.parse({ type: 'volume', target: '/t' })[key as 'type']),
        )
        .filter((key) => !unsaid.includes(key) && key !== 'type' && key !== 'target'),
    ).toEqual([])
    expect(parseMount(writeMount(everything)[1] ?? '')).toEqual(everything)
  })

  it('is known by its name, as docker run --help has it', () => {
    const known =
      'add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops disable-content-trust dns dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries health-start-interval health-start-period health-timeout hostname init interactive ip ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name network network-alias no-healthcheck oom-kill-disable oom-score-adj pid pids-limit platform privileged publish publish-all pull quiet read-only restart rm runtime security-opt shm-size sig-proxy stop-signal stop-timeout storage-opt sysctl tmpfs tty ulimit user userns uts volume volumes-from workdir'.split(
        ' ',
      )
    const here = new Set([...runFlags.map((flag) => flag.name), ...idleValued, ...idleSwitches])
    expect(known.filter((name) => !here.has(name))).toEqual([])
  })
})

describe('a container that is duplicated', () => {
  const odd = containerOptions.parse({
    image: 'app:1',
    entrypoint: ['/app/server', '--config', '/etc/a b'],
    cmd: ['--port', '80'],
    env: ['CERT=-----BEGIN-----\nabc\n-----END-----', 'BLANK= x ', 'UNSET'],
    healthcheck: { test: ['CMD', '/app/server', '--health check'], intervalMs: 1000 },
    maskedPaths: [],
    readonlyPaths: ['/proc/sys'],
    stdinOnce: true,
    attachStdout: true,
    networks: { bridge: { aliases: ['a'], links: ['db:db'], mac: '02:42:ac:11:00:05' } },
    deviceRequests: [{ driver: 'nvidia', count: 2, deviceIds: [], capabilities: [['gpu', 'compute']], options: { a: 'b' } }],
    limits: { pidsLimit: 0, memorySwappiness: -1 },
    mounts: [{ type: 'tmpfs', target: '/t', tmpfsOptions: 'noexec,uid=5', tmpfsSizeBytes: 4096 }],
  })

  it('keeps every option, also those that no line and no field can say, and names them', () => {
    const { run, errors, kept } = readForm(fillForm('copy', odd))
    expect(errors).toEqual({})
    expect(plain(run?.options)).toEqual(plain(odd))
    expect(kept).toEqual(expect.arrayContaining(['healthcheck', 'maskedPaths', 'readonlyPaths', 'networks', 'deviceRequests']))
    expect(kept).not.toContain('attachStdout')
    expect(kept).not.toContain('env')
  })

  it('takes what somebody changes in the form instead of what was kept', () => {
    const values = fillForm('copy', odd)
    const { run, kept } = readForm({ ...values, command: '--port 81', flags: { ...values.flags, 'health-cmd': 'true' } })
    expect(run?.options.entrypoint).toEqual(['/app/server'])
    expect(run?.options.cmd).toEqual(['--config', '/etc/a b', '--port', '81'])
    expect(run?.options.healthcheck?.test).toEqual(['CMD-SHELL', 'true'])
    expect(kept).not.toContain('healthcheck')
    expect(run?.options.maskedPaths).toEqual([])
  })
})

describe('what is wrong', () => {
  it('stands beside the field that it is about, the contract’s complaints too', () => {
    const { errors } = readForm({
      ...emptyForm,
      image: 'x',
      flags: { ...emptyForm.flags, 'blkio-weight': '5000', 'oom-score-adj': '-5000', memory: '-1', tmpfs: 'tmp', device: 'fuse' },
      ports: [
        { hostIp: '', host: '80', container: '80', protocol: 'tcp' },
        { hostIp: '', host: '80', container: '81', protocol: 'tcp' },
        { hostIp: '', host: '99999', container: '81', protocol: 'tcp' },
      ],
      mounts: [
        { type: 'volume', source: 'a', target: '/x', readOnly: false, create: true, more: '' },
        { type: 'volume', source: 'b', target: '/x', readOnly: false, create: true, more: '' },
        { type: 'volume', source: '/srv', target: '/y', readOnly: false, create: true, more: '' },
        { type: 'bind', source: '/srv', target: '/z', readOnly: false, create: false, more: 'bind-propagatoin=shared' },
      ],
    })
    expect(Object.keys(errors).sort()).toEqual([
      'flags.blkio-weight',
      'flags.device',
      'flags.memory',
      'flags.oom-score-adj',
      'flags.tmpfs',
      'mounts.1',
      'mounts.2',
      'mounts.3',
      'ports.1',
      'ports.2',
    ])
  })

  it('is never passed over in a pasted line', () => {
    const line = (words: string) => () => parseRunCommand(`docker run ${words} image`)
    expect(line('--mount type=bind,source=/a,target=/b,subpath=x')).toThrow('"subpath"')
    expect(line('-v a:/b:bogus')).toThrow('"bogus"')
    expect(line('--network name=a,bogus=y')).toThrow('"bogus"')
    expect(line('--network name=a,gw-priority=high')).toThrow('"high"')
    expect(line('--rm=maybe')).toThrow('neither true nor false')
    expect(line('-p 70000:80')).toThrow('65535')
    expect(line('--device fuse')).toThrow('--device')
    expect(line('-v $PWD:/app')).toThrow('"$PWD"')
    expect(() => parseRunCommand('docker run nginx && echo done')).toThrow('more than one command ("&&")')
    expect(() => parseRunCommand('docker run nginx | cat')).toThrow('"|"')
    expect(parseRunCommand(`docker run \\\r\n  -e "A=b && c" \\\r\n x sh -c 'a; b > c' # and; more`).options).toMatchObject({
      env: ['A=b && c'],
      cmd: ['sh', '-c', 'a; b > c'],
    })
    expect(parseRunCommand('docker run -e HOME -v a:/b:z -p published=8080,target=80 x')).toMatchObject({
      ignored: ['--env HOME'],
      options: { env: [], ports: [{ hostPort: 8080, containerPort: 80 }] },
    })
  })
})

describe('lists, one value per line', () => {
  it('hold line breaks and blanks where a value is quoted', () => {
    for (const values of [['a=b', 'c'], ['TEXT=two\nlines ', "it's"], [' x', '"y"', "'z"], ['a\n\nb'], []])
      expect(readLines(writeLines(values))).toEqual(values)
    expect(readLines('  a  \n\n"b c"\n')).toEqual(['a', 'b c'])
    expect(() => readLines("'a\nb")).toThrow('not closed')
  })
})

it('writes a mount so that it is read as it was', () => {
  const anonymous = parseMount('type=volume,target=/x,readonly')
  expect(writeMount(anonymous)).toEqual(['mount', 'type=volume,target=/x,readonly'])
  expect(parsePorts('[::]:80:80')).toMatchObject([{ hostIp: '::', hostPort: 80 }])
})
