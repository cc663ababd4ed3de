// What callers of runc and crun rely on beyond the runtime-spec: words in errors, where flags may stand, orders and defaults.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, cgroupV2, eventually } from './runtime-harness.ts'
import { runtimeOfSuite } from './runtime-suite.ts'

const runtime = runtimeOfSuite()

const shell = (script: string) => ['sh', '-c', script]

describe('the command line', () => {
  it('takes flags behind operands, but leaves the command of exec alone', () => {
    runtime.start('behind')
    expect(runtime.call(['update', 'behind', '--pids-limit', '33'])).toMatchObject({ status: 0, stderr: '' })
    expect(runtime.cgroupValue('behind', 'pids', 'pids.max')).toBe('33')
    expect(runtime.call(['update', 'behind', '--no-such'])).toMatchObject({ status: 1, stderr: expect.stringContaining('--no-such') })
    expect(runtime.call(['exec', 'behind', 'echo', '--env', 'A=1', '-t']).stdout).toBe('--env A=1 -t\n')
    expect(runtime.call(['delete', 'behind', '--force']).status).toBe(0)
  })

  it('reads a process document from a descriptor that the shell has opened', () => {
    runtime.start('fd')
    const script = `"$0" --root "$1" exec --process <(echo '{"args":["echo","from a pipe"],"cwd":"/","env":["PATH=/bin"]}') fd`
    const result = spawnSync('bash', ['-c', script, binary, runtime.state], { encoding: 'utf8' })
    expect(result).toMatchObject({ status: 0, stdout: 'from a pipe\n', stderr: '' })
    runtime.call(['delete', '--force', 'fd'])
  })

  it('lists in the order of ids, and signals and deletes by pattern', async () => {
    for (const name of ['rx-c', 'rx-a', 'ry-b']) runtime.start(name)
    expect(runtime.call(['list', '--quiet']).stdout).toBe('rx-a\nrx-c\nry-b\n')
    expect(runtime.call(['kill', '--regex', '^rx-', 'KILL']).status).toBe(0)
    await eventually(() => runtime.inspect('rx-a').status === 'stopped' && runtime.inspect('rx-c').status === 'stopped')
    expect(runtime.inspect('ry-b').status).toBe('running')
    expect(runtime.call(['delete', '--regex', '(']).stderr).toContain('invalid regular expression')
    // Nothing is left that has not got the signal, so nothing is wrong.
    expect(runtime.call(['kill', '--all', 'rx-a', '0'])).toMatchObject({ status: 0, stderr: '' })
    expect(runtime.call(['delete', '--force', '--regex', '^r[xy]-']).status).toBe(0)
    expect(runtime.call(['list', '--quiet']).stdout).toBe('')
  })

  it('says with --debug how far it is', () => {
    const bundle = runtime.bundle('debug', ['true'])
    const log = path.join(runtime.directory, 'debug.log')
    const result = runtime.call(['run', '--bundle', bundle, 'debug'], { globals: ['--debug', '--log', log, '--log-format', 'json'] })
    expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' })
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(lines.map(() => 'debug'))
    expect(lines.map((line) => JSON.parse(line).msg).join(' ')).toMatch(/container setup.*waiting for start.*signal completion/)
  })

  it('preserves descriptors with gaps, and takes $LISTEN_FDS that name nobody else', () => {
    const bundle = runtime.bundle('gaps', shell('ls /proc/1/fd; echo $LISTEN_FDS $LISTEN_PID'))
    const file = openSync('/etc/hostname', 'r')
    const env = { ...process.env, LISTEN_FDS: '1' }
    const gaps = runtime.call(['run', '--preserve-fds', '9', '--bundle', bundle, 'gaps'], { stdio: [file] })
    expect(gaps.stdout.split('\n').slice(0, 4)).toEqual(['0', '1', '2', '3'])
    expect(runtime.call(['run', '--bundle', bundle, 'gaps'], { stdio: [file], env }).stdout).toContain('3\n1 1\n')
    const others = { ...env, LISTEN_PID: '1' }
    expect(runtime.call(['run', '--bundle', bundle, 'gaps'], { stdio: [file], env: others }).stdout).not.toContain('3\n')
    expect(runtime.call(['run', '--preserve-fds', '1', '--bundle', bundle, 'gaps']).stderr).toContain('preserved-fd 0')
  })
})

describe('hooks', () => {
  it('of the container start in its root, and inherit the environment unless they have their own', () => {
    const out = path.join(runtime.directory, 'hooks.out')
    const write = (name: string, env?: string[]) => ({
      path: '/bin/sh',
      args: ['sh', '-c', `echo ${name} $PWD $BERTH_HOOK >> ${out}`],
      env,
    })
    const bundle = runtime.bundle('hooks', ['true'], (config) => {
      config.hooks = { prestart: [write('bare', []), write('inherits')], createContainer: [write('inside')] }
    })
    const env = { ...process.env, BERTH_HOOK: 'yes' }
    expect(runtime.call(['run', '--bundle', bundle, 'hooks'], { env })).toMatchObject({ status: 0, stderr: '' })
    const [bare, inherits, inside] = readFileSync(out, 'utf8').trim().split('\n')
    expect([bare, inherits]).toEqual([`bare ${bundle}`, `inherits ${bundle} yes`])
    expect(inside).toBe(`inside ${runtime.rootfs} yes`)
  })

  it('are counted from 0, and those of startContainer are under the filter, even where it refuses clone3', () => {
    const failing = (kind: string) =>
      runtime.run('failing', ['true'], (config) => {
        config.hooks = { [kind]: [{ path: '/bin/true' }, { path: '/bin/false' }] }
      })
    for (const kind of ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart'])
      expect(failing(kind)).toMatchObject({ status: 1, stderr: expect.stringContaining(`error running ${kind} hook #1:`) })
    const filtered = (script: string, names: string[], action: string) =>
      runtime.run('filtered', ['true'], (config) => {
        config.hooks = { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', script] }] }
        config.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          architectures: ['SCMP_ARCH_X86_64'],
          syscalls: [{ names, action, ...(action.endsWith('ERRNO') && { errnoRet: 38 }) }],
        }
      })
    expect(filtered('mkdir /tmp/never', ['mkdir', 'mkdirat'], 'SCMP_ACT_KILL').stderr).toMatch(
      /startContainer hook #0:.*signal: bad system call/,
    )
    expect(existsSync(path.join(runtime.rootfs, 'tmp/never'))).toBe(false)
    expect(filtered('true', ['clone3', 'pidfd_open', 'pidfd_send_signal'], 'SCMP_ACT_ERRNO')).toMatchObject({ status: 0, stderr: '' })
    expect(filtered('exit 5', ['clone3', 'pidfd_open'], 'SCMP_ACT_ERRNO').stderr).toContain('exit status 5')
  })
})

describe('seccomp listeners', () => {
  const notify = (names: string[]) => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    listenerPath: path.join(runtime.directory, 'agent.sock'),
    listenerMetadata: 'for the agent',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
  })

  it.each([true, false])(
    'get the descriptor and the state, with noNewPrivileges %s, and answer for run and exec',
    async (noNewPrivileges) => {
      const source = path.join(runtime.directory, 'agent.py')
      // Answers every mkdir with ENOTNAM (118) after printing what came with the descriptor.
      writeFileSync(
        source,
        `import array, fcntl, json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.bind(sys.argv[1]); s.listen(4); print('ready', flush=True)
while True:
  c, _ = s.accept(); text, control, *_ = c.recvmsg(65536, 256); c.close()
  fd = array.array('i', control[0][2][:4])[0]; m = json.loads(text)
  print(json.dumps([m['fds'], m['metadata'], m['state']['id'], m['state']['status'], m['pid'] == m['state'].get('pid')]), flush=True)
  if os.fork() == 0:
    while True:
      request = bytearray(80)
      try: fcntl.ioctl(fd, 0xc0502100, request)
      except OSError: os._exit(0)
      fcntl.ioctl(fd, 0xc0182101, struct.pack('QqiI', struct.unpack_from('Q', request)[0], 0, -118, 0))
  os.close(fd)`,
      )
      const agent = spawn('python3', [source, path.join(runtime.directory, 'agent.sock')], { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      agent.stdout.on('data', (data) => (said += data))
      try {
        await eventually(() => said.includes('ready\n'))
        runtime.start('listened', (config) => {
          config.process.noNewPrivileges = noNewPrivileges
          config.linux.seccomp = notify(['mkdir', 'mkdirat'])
        })
        const result = runtime.call(['exec', 'listened', 'mkdir', '/tmp/asked'])
        expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('XENIX') })
        await eventually(() => said.trim().split('\n').length === 3)
        const [, first, second] = said
          .trim()
          .split('\n')
          .map((line) => (line === 'ready' ? null : JSON.parse(line)))
        expect(first).toEqual([['seccompFd'], 'for the agent', 'listened', 'creating', true])
        expect(second.slice(0, 3)).toEqual([['seccompFd'], 'for the agent', 'listened'])
        runtime.call(['delete', '--force', 'listened'])
      } finally {
        agent.kill('SIGKILL')
        rmSync(path.join(runtime.directory, 'agent.sock'), { force: true })
      }
    },
  )

  it('that are not there, or would wait for themselves, are refused', () => {
    const refused = (names: string[]) =>
      runtime.run('refused', ['true'], (config) => {
        config.linux.seccomp = notify(names)
      })
    expect(refused(['mkdir'])).toMatchObject({ status: 1, stderr: expect.stringContaining('failed to connect with seccomp agent') })
    for (const name of ['write', 'sendmsg', 'recvmsg'])
      expect(refused([name]).stderr).toContain(`SCMP_ACT_NOTIFY cannot be used for the ${name} syscall`)
  })
})

describe('control groups', () => {
  it('below the container are joined by exec --cgroup, and nothing else', () => {
    runtime.start('groups', (config) => {
      config.mounts = config.mounts.map((mount) => (mount.type === 'cgroup' ? { ...mount, options: ['rw'] } : mount))
    })
    const join = (...names: string[]) =>
      runtime.call(['exec', ...names.flatMap((name) => ['--cgroup', name]), 'groups', 'cat', '/proc/self/cgroup'])
    expect(join('..')).toMatchObject({ status: 255, stderr: expect.stringContaining('.. is not a sub cgroup path') })
    expect(join('a/../../b').stderr).toContain('bad sub cgroup path')
    expect(join('absent').stderr).toMatch(/adding pid .* to cgroups.*\/absent\/cgroup.procs: no such file or directory/)
    expect(join('/').status).toBe(0)
    const made = cgroupV2 ? ['sub'] : ['memory/sub', 'pids/deep']
    for (const name of made) expect(runtime.call(['exec', 'groups', 'mkdir', `/sys/fs/cgroup/${name}`]).status).toBe(0)
    if (cgroupV2) {
      expect(join('sub').stdout).toBe('0::/sub\n')
    } else {
      expect(join('nosuch:/').stderr).toContain('unknown controller nosuch')
      const lines = join('memory:sub', 'pids:deep').stdout.split('\n')
      expect(
        lines
          .filter((line) => /:(memory|pids):/.test(line))
          .map((line) => line.replace(/^\d+/, ''))
          .sort(),
      ).toEqual([':memory:/sub', ':pids:/deep'])
      expect(lines.filter((line) => line.includes(':freezer:'))[0]).toMatch(/:\/$/)
    }
    runtime.call(['delete', '--force', 'groups'])
  })

  it.runIf(!cgroupV2 && existsSync('/sys/fs/cgroup/unified/cgroup.procs'))('of the hybrid layout include the cgroup2 beside v1', () => {
    const pid = runtime.start('hybrid', (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'cgroup')
    })
    const line = `0::${runtime.cgroup}/hybrid`
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(`${line}\n`)
    expect(runtime.call(['exec', 'hybrid', 'cat', '/proc/self/cgroup']).stdout).toContain(`${line}\n`)
    expect(runtime.call(['delete', '--force', 'hybrid']).status).toBe(0)
    expect(existsSync(`/sys/fs/cgroup/unified${runtime.cgroup}/hybrid`)).toBe(false)
  })

  it.runIf(!cgroupV2)('that somebody left without processors are filled', () => {
    const parent = `/sys/fs/cgroup/cpuset${runtime.cgroup}/empty`
    mkdirSync(parent, { recursive: true })
    const result = runtime.run('cpuset', ['true'], (config) => {
      config.linux.cgroupsPath = `${runtime.cgroup}/empty/cpuset`
    })
    expect(result).toMatchObject({ status: 0, stderr: '' })
    for (const name of ['empty', '']) spawnSync('sh', ['-c', `rmdir /sys/fs/cgroup/*${runtime.cgroup}/${name}`], { stdio: 'ignore' })
  })

  it.runIf(!cgroupV2)('do not keep a container that was moved into a frozen one', async () => {
    const pid = runtime.start('moved')
    const frozen = `/sys/fs/cgroup/freezer/berth-test-frozen-${process.pid}`
    mkdirSync(frozen)
    try {
      writeFileSync(`${frozen}/cgroup.procs`, String(pid))
      writeFileSync(`${frozen}/freezer.state`, 'FROZEN')
      expect(runtime.call(['delete', '--force', 'moved'])).toMatchObject({ status: 0, stderr: '' })
      await eventually(() => !existsSync(`/proc/${pid}`)) // whoever inherited it has reaped it
    } finally {
      writeFileSync(`${frozen}/freezer.state`, 'THAWED')
      runtime.deleteAll()
      await eventually(() => !existsSync(`/proc/${pid}`))
      rmdirSync(frozen)
    }
  })

  it.runIf(!existsSync('/run/systemd/system'))('are made where systemd would make them, if asked for so', () => {
    const bundle = runtime.bundle('sliced', ['cat', '/proc/self/cgroup'], (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'cgroup')
      config.linux.cgroupsPath = `-.slice:bt${process.pid}:sliced`
    })
    for (const globals of [['--systemd-cgroup'], ['--cgroup-manager', 'systemd']]) {
      const result = runtime.call(['run', '--bundle', bundle, 'sliced'], { globals })
      expect(result).toMatchObject({ status: 0, stderr: '' })
      expect(result.stdout).toContain(`:/bt${process.pid}-sliced.scope\n`)
    }
  })

  it('decide the processors, not what the caller is pinned to', () => {
    const allowed = (line: string) => /Cpus_allowed_list:\s+(\S+)/.exec(line)?.[1]
    const own = allowed(readFileSync('/proc/self/status', 'utf8'))
    const pinned = (...args: string[]) =>
      allowed(spawnSync('taskset', ['-c', '0', binary, '--root', runtime.state, ...args], { encoding: 'utf8' }).stdout)
    const status = ['grep', 'Cpus_allowed_list', '/proc/self/status']
    expect(pinned('run', '--bundle', runtime.bundle('pinned', status), 'pinned')).toBe(own)
    runtime.start('affinity', (config) => {
      config.process.execCPUAffinity = { initial: '1', final: '0' }
    })
    expect(pinned('exec', 'affinity', ...status)).toBe('0')
    const file = path.join(runtime.directory, 'affinity.json')
    const document = (execCPUAffinity?: object) =>
      writeFileSync(file, JSON.stringify({ args: status, cwd: '/', env: ['PATH=/bin'], execCPUAffinity }))
    document()
    expect(pinned('exec', '--process', file, 'affinity')).toBe(own)
    document({ initial: '0', final: '1' })
    expect(pinned('exec', '--process', file, 'affinity')).toBe('1')
    document({ final: '1-' })
    expect(runtime.call(['exec', '--process', file, 'affinity']).stderr).toContain('invalid CPU list')
    runtime.call(['delete', '--force', 'affinity'])
  })
})

describe('files', () => {
  it('can be made below a /dev that is to be read-only', () => {
    const result = runtime.run(
      'devro',
      shell('grep " /dev " /proc/mounts; echo > /dev/null && ls /dev/pts && touch /dev/new'),
      (config) => {
        config.mounts = config.mounts.map((mount) =>
          mount.destination === '/dev' ? { ...mount, options: ['nosuid', 'strictatime', 'mode=755', 'ro'] } : mount,
        )
      },
    )
    expect(result.stdout).toMatch(/^tmpfs \/dev tmpfs ro,/)
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('Read-only file system') })
  })

  it('get their working directory before the root is made read-only', () => {
    const result = runtime.run('cwd', shell('pwd'), (config) => {
      config.root.readonly = true
      config.process.cwd = '/made/for/me'
    })
    expect(result).toMatchObject({ status: 0, stdout: '/made/for/me\n' })
  })

  it('of the host are not left below a root that was moved, not pivoted', () => {
    const bundle = runtime.bundle('moveroot', shell('ls /proc/1/ > /dev/null && cat /proc/self/mountinfo'))
    const result = runtime.call(['run', '--no-pivot', '--bundle', bundle, 'moveroot'])
    expect(result.status).toBe(0)
    const kernel = result.stdout.split('\n').filter((line) => / - (proc|sysfs) /.test(line))
    expect(kernel.filter((line) => !/ (\/proc|\/sys)(\/| )/.test(line))).toEqual([])
    expect(kernel.filter((line) => line.includes(' / /proc '))).toHaveLength(1)
  })

  it('are the devices listed, with their owners, also in a user namespace and where the host has none', () => {
    const directory = mkdtempSync(path.join(runtime.directory, 'devices-'))
    const other = path.join('/dev', path.basename(directory))
    execFileSync('mknod', [other, 'c', '1', '5']) // the host's is another device than the one asked for
    try {
      const result = runtime.run('devices', shell(`stat -c '%n %u:%g %t:%T' /dev/absent ${other}; head -c1 ${other} | wc -c`), (config) => {
        config.linux.namespaces.push({ type: 'user' })
        config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
        config.linux.devices = [
          { path: '/dev/absent', type: 'b', major: 1, minor: 5, uid: 10, gid: 11 },
          { path: other, type: 'c', major: 1, minor: 3, uid: 10, gid: 11 },
        ]
      })
      expect(result).toMatchObject({ status: 0, stdout: `/dev/absent 10:11 1:5\n${other} 10:11 1:3\n0\n`, stderr: '' })
    } finally {
      rmSync(other)
    }
    expect(statSync('/dev/null').rdev).toBe(0x103)
  })

  it.each([
    ['shared', 'shared:'],
    ['slave', 'master:'],
    ['private', 'none'],
    ['unbindable', 'unbindable'],
  ])('have the propagation %s where rootfsPropagation says so', (propagation, word) => {
    const volume = mkdtempSync(path.join(runtime.directory, 'volume-'))
    // A peer to be the slave of: only a shared mount has one.
    const script = `mount -t tmpfs none ${volume} && mount --make-shared ${volume} && cp -a ${runtime.rootfs}/. ${volume}/ && exec "$@"`
    const bundle = runtime.bundle('propagation', ['cat', '/proc/self/mountinfo'], (config) => {
      config.root.path = volume
      config.linux.rootfsPropagation = propagation
    })
    const call = [binary, '--root', runtime.state, 'run', '--bundle', bundle, 'propagation']
    const result = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...call], { encoding: 'utf8' })
    expect(result).toMatchObject({ status: 0, stderr: '' })
    const root = result.stdout.split('\n').find((line) => line.split(' ')[4] === '/') ?? ''
    const optional = root.split(' - ')[0]?.split(' ').slice(6).join(' ')
    expect(optional || 'none').toContain(word)
  })
})

describe('what config.json may say', () => {
  it('about capabilities: inheritable ones as listed, unknown ones skipped', () => {
    const result = runtime.run('caps', ['grep', 'CapInh', '/proc/self/status'], (config) => {
      config.process.capabilities = { bounding: ['CAP_KILL', 'CAP_FUTURE'], inheritable: ['CAP_KILL', 'CAP_SYS_ADMIN'] }
    })
    expect(result.stdout).toBe('CapInh:\t0000000000000020\n')
    runtime.start('excaps')
    const exec = runtime.call(['exec', '--cap', 'CAP_FUTURE', 'excaps', 'true'])
    expect(exec).toMatchObject({ status: 0, stderr: expect.stringContaining('ignoring unknown capability') })
    runtime.call(['delete', '--force', 'excaps'])
  })

  it('about memory policy, sysctls, personality', () => {
    const edited = (linux: object, args = ['true']) => runtime.run('edited', args, (config) => Object.assign(config.linux, linux))
    expect(edited({ memoryPolicy: {} })).toMatchObject({ status: 0, stderr: '' })
    expect(edited({ memoryPolicy: { nodes: '0' } }).stderr).toContain('invalid memory policy mode')
    expect(edited({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-9876543210' } }).stderr).toContain('invalid memory policy node')
    expect(edited({ sysctl: { 'kernel.hostname': 'x' } }).stderr).toContain('kernel.hostname')
    expect(edited({ personality: { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] } }).stderr).toContain('personality flags')
  })
})
