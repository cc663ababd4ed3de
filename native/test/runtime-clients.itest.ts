// berth-runtime as the runtime of Podman (through conmon), of Docker (through containerd's shim) and of containerd's own ctr: all from Debian,
// each with directories and networks of its own, started and ended here.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, eventually, Runtime } from './runtime-harness.ts'

interface Result {
  status: number
  stdout: string
  stderr: string
}

/** An image of the harness's root file system, as the tar that both clients import. */
function imageTar(directory: string): string {
  const runtime = new Runtime()
  const tar = path.join(directory, 'image.tar')
  execFileSync('tar', ['-C', runtime.rootfs, '-cf', tar, '.'])
  runtime.remove()
  return tar
}

function command(program: string, args: string[], env: NodeJS.ProcessEnv): Result {
  const result = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 })
  return { status: result.status ?? -1, stdout: result.stdout, stderr: result.stderr }
}

/** What both clients must be able to do through the runtime. */
function commonTests(call: (...args: string[]) => Result): void {
  it('runs, with the status of the process', () => {
    expect(call('run', '--rm', '--network', 'none', 'image', 'echo', 'hello')).toMatchObject({ status: 0, stdout: 'hello\n' })
    expect(call('run', '--rm', '--network', 'none', 'image', 'sh', '-c', 'exit 5').status).toBe(5)
    expect(call('run', '--rm', '--network', 'none', 'image', 'nope').status).toBe(127)
    expect(call('run', '--rm', '--network', 'none', 'image', '/etc').status).toBe(126)
    expect(call('run', '--rm', '--tty', '--network', 'none', 'image', 'tty').stdout).toBe('/dev/pts/0\r\n')
  })

  it('confines as asked', () => {
    const flags = [
      '--user',
      '1000:1000',
      '--cap-drop',
      'all',
      '--security-opt',
      'no-new-privileges',
      '--read-only',
      '--ulimit',
      'nofile=100:200',
      '--ulimit',
      'nproc=20000:20000',
    ]
    const script = 'id -u; ulimit -n; touch /x 2>/dev/null || echo readonly; grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status'
    const { stdout } = call('run', '--rm', '--network', 'none', ...flags, 'image', 'sh', '-c', script)
    expect(stdout).toBe('1000\n100\nreadonly\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n')
  })

  it('executes, pauses, lists, limits and stops', () => {
    expect(
      call('run', '--detach', '--name', 'one', '--network', 'none', '--memory', '64m', '--pids-limit', '50', 'image', 'sleep', '1000')
        .status,
    ).toBe(0)
    expect(call('exec', 'one', 'cat', '/proc/1/comm')).toMatchObject({ status: 0, stdout: 'sleep\n' })
    expect(call('exec', '--tty', 'one', 'sh', '-c', 'tty; exit 4')).toMatchObject({ status: 4, stdout: '/dev/pts/0\r\n' })
    expect([126, 127]).toContain(call('exec', 'one', 'nope').status)
    expect(call('pause', 'one').status).toBe(0)
    expect(call('ps', '--all', '--format', '{{.Status}}').stdout.toLowerCase()).toContain('paused')
    expect(call('unpause', 'one').status).toBe(0)
    expect(call('top', 'one').stdout).toContain('sleep')
    expect(call('stats', '--no-stream', 'one').stdout).toMatch(/64MiB|67\.11MB/)
    expect(call('stop', '--time', '0', 'one').status).toBe(0)
    expect(call('start', 'one').status).toBe(0)
    expect(call('kill', 'one').status).toBe(0)
    expect(call('rm', '--force', 'one').status).toBe(0)
  })
}

describe('podman', () => {
  const directory = path.join(tmpdir(), `berth-podman-${process.pid}`)
  const conf = path.join(directory, 'containers.conf')
  const globals = [
    '--root',
    `${directory}/root`,
    '--runroot',
    `${directory}/runroot`,
    '--tmpdir',
    `${directory}/tmp`,
    '--storage-driver',
    'vfs',
    '--cgroup-manager',
    'cgroupfs',
    '--runtime',
    'berth',
  ]
  const podman = (...args: string[]) => command('podman', [...globals, ...args], { CONTAINERS_CONF: conf })

  beforeAll(() => {
    mkdirSync(directory)
    // Limits that need not be raised: without CAP_SYS_RESOURCE Podman's own defaults cannot be set.
    const limits = 'default_ulimits = ["nofile=1000:1000", "nproc=20000:20000"]'
    writeFileSync(
      conf,
      `[containers]\n${limits}\n[engine]\nevents_logger = "file"\nruntime_supports_json = ["berth"]\n[engine.runtimes]\nberth = ["${binary}"]\n`,
    )
    expect(podman('import', imageTar(directory), 'image')).toMatchObject({ status: 0 })
  })
  afterAll(() => {
    podman('rm', '--all', '--force', '--time', '0')
    podman('rmi', '--all', '--force')
    rmSync(directory, { recursive: true, force: true })
  })

  commonTests(podman)

  it('maps users', () => {
    const { stdout } = podman(
      'run',
      '--rm',
      '--network',
      'none',
      '--uidmap',
      '0:100000:1000',
      '--gidmap',
      '0:100000:1000',
      'image',
      'sh',
      '-c',
      'id -u; cat /proc/self/uid_map; head -c1 /dev/zero | wc -c',
    )
    expect(stdout.replaceAll(/ +/g, ' ')).toBe('0\n 0 100000 1000\n1\n')
  })
})

describe('docker', () => {
  const directory = path.join(tmpdir(), `berth-docker-${process.pid}`)
  const socket = `unix://${directory}/docker.sock`
  const bridge = `bt${process.pid}`.slice(0, 15)
  const docker = (...args: string[]) => command('docker', ['--host', socket, ...args], { DOCKER_CONFIG: directory })
  let daemon: ChildProcess

  beforeAll(async () => {
    // A bridge of its own: "none" would have dockerd delete the host's docker0.
    execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge'])
    execFileSync('ip', ['address', 'add', '172.31.202.1/24', 'dev', bridge])
    execFileSync('ip', ['link', 'set', bridge, 'up'])
    const config = {
      runtimes: { berth: { path: binary } },
      'default-runtime': 'berth',
      'storage-driver': 'vfs',
      bridge,
      iptables: false,
      ip6tables: false,
      'ip-masq': false,
      'data-root': `${directory}/data`,
      'exec-root': `${directory}/exec`,
      pidfile: `${directory}/pid`,
      hosts: [socket],
    }
    mkdirSync(directory)
    writeFileSync(path.join(directory, 'daemon.json'), JSON.stringify(config))
    const log = openSync(path.join(directory, 'log'), 'w')
    daemon = spawn('dockerd', ['--config-file', path.join(directory, 'daemon.json')], { stdio: ['ignore', log, log] })
    await eventually(() => existsSync(path.join(directory, 'docker.sock')) && docker('version').status === 0, 60_000)
    expect(docker('import', imageTar(directory), 'image')).toMatchObject({ status: 0 })
  })
  afterAll(async () => {
    for (const id of docker('ps', '--all', '--quiet').stdout.split('\n').filter(Boolean)) docker('rm', '--force', id)
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill('SIGTERM')
    await ended
    execFileSync('ip', ['link', 'delete', bridge])
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
    for (const mount of mounts.filter((at) => at.startsWith(directory))) spawnSync('umount', ['--lazy', mount])
    rmSync(directory, { recursive: true, force: true })
  })

  commonTests(docker)

  it('updates, and runs an init and a privileged container', () => {
    docker('run', '--detach', '--name', 'updated', '--network', 'none', '--memory', '64m', 'image', 'sleep', '1000')
    expect(docker('update', '--memory', '32m', '--memory-swap', '64m', 'updated').status).toBe(0)
    expect(docker('stats', '--no-stream', 'updated').stdout).toContain('32MiB')
    docker('rm', '--force', 'updated')
    expect(docker('run', '--rm', '--init', '--network', 'none', 'image', 'cat', '/proc/1/comm').stdout).toMatch(/init/)
    expect(docker('run', '--rm', '--privileged', '--network', 'none', 'image', 'grep', 'CapEff', '/proc/self/status').stdout).not.toContain(
      '00000000a80425fb',
    )
  })
})

describe('ctr', () => {
  const directory = path.join(tmpdir(), `berth-ctr-${process.pid}`)
  const cgroup = `/berth-ctr-${process.pid}`
  let image: Runtime
  const ctr = (...args: string[]) => command('ctr', ['--address', `${directory}/containerd.sock`, ...args], {})
  // --runc-root is where the shim has the runtime keep its state: in a directory per namespace.
  const run = (flags: string[], name: string, ...args: string[]) =>
    ctr(
      ...[
        'run',
        '--runc-binary',
        binary,
        '--runc-root',
        `${directory}/runc`,
        '--fifo-dir',
        `${directory}/fifo`,
        '--env',
        'PATH=/bin',
        '--cgroup',
        `${cgroup}/${name}`,
      ],
      ...flags,
      ...['--rootfs', image.rootfs, name, ...args],
    )
  let daemon: ChildProcess

  beforeAll(async () => {
    mkdirSync(directory)
    image = new Runtime()
    const config = `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${directory}/containerd.sock"
[ttrpc]
address = "${directory}/containerd.sock.ttrpc"
`
    writeFileSync(path.join(directory, 'config.toml'), config)
    const log = openSync(path.join(directory, 'log'), 'w')
    daemon = spawn('containerd', ['--config', path.join(directory, 'config.toml')], { stdio: ['ignore', log, log] })
    await eventually(() => existsSync(`${directory}/containerd.sock`) && ctr('version').status === 0, 60_000)
  })
  afterAll(async () => {
    ctr('task', 'kill', '--signal', 'SIGKILL', 'one')
    await eventually(() => !ctr('task', 'list').stdout.includes('RUNNING'))
    for (const noun of ['task', 'container']) ctr(noun, 'delete', 'one')
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill('SIGTERM')
    await ended
    for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
      const parent = path.join('/sys/fs/cgroup', hierarchy, cgroup)
      if (existsSync(parent)) rmdirSync(parent)
    }
    image.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  it('runs, with the status of the process, and leaves nothing', () => {
    expect(run(['--rm'], 'short', 'sh', '-c', 'echo hello; exit 5')).toMatchObject({ status: 5, stdout: 'hello\n' })
    expect(run(['--rm', '--seccomp', '--read-only'], 'short', 'sh', '-c', 'touch /x || grep Seccomp: /proc/self/status')).toMatchObject({
      status: 0,
      stdout: 'Seccomp:\t2\n',
    })
    expect(run(['--rm'], 'short', '/nope')).toMatchObject({ status: 1, stderr: expect.stringContaining('no such file or directory') })
    expect(ctr('container', 'list', '--quiet').stdout).toBe('')
    expect(readdirSync(`${directory}/runc/default`).filter((name) => !name.includes('@'))).toEqual([])
  })

  it('executes, pauses, measures, kills and deletes', async () => {
    expect(run(['--detach', '--memory-limit', '67108864'], 'one', 'sleep', '1000')).toMatchObject({ status: 0, stderr: '' })
    const exec = (...args: string[]) => ctr('task', 'exec', '--fifo-dir', `${directory}/fifo`, '--exec-id', 'two', ...args)
    expect(exec('one', 'sh', '-c', 'cat /proc/1/comm; exit 4')).toMatchObject({ status: 4, stdout: 'sleep\n' })
    expect(ctr('task', 'metrics', 'one').stdout).toMatch(/memory.limit_in_bytes\s+67108864/)
    const pid = /^one\s+(\d+)\s+RUNNING/m.exec(ctr('task', 'list').stdout)?.[1]
    expect(ctr('task', 'ps', 'one').stdout).toContain(pid)
    expect(ctr('task', 'pause', 'one').status).toBe(0)
    expect(ctr('task', 'list').stdout).toContain('PAUSED')
    expect(ctr('task', 'resume', 'one').status).toBe(0)
    expect(ctr('task', 'kill', '--signal', 'SIGKILL', 'one').status).toBe(0)
    await eventually(() => ctr('task', 'list').stdout.includes('STOPPED'))
    // Its own status is the process's.
    expect(ctr('task', 'delete', 'one').stderr).toContain('non-zero exit code 137')
    expect(ctr('container', 'delete', 'one').status).toBe(0)
    expect(existsSync(`${directory}/runc/default/one`)).toBe(false)
  })
})
