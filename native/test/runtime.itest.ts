// berth-runtime's verbs and the runtime-spec's properties, on real containers. Longer than other files because it follows the specification's own order, one test a property.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, cgroupV2, eventually, type Runtime } from './runtime-harness.ts'
import { runtimeOfSuite } from './runtime-suite.ts'

const runtime = runtimeOfSuite()

const shell = (script: string) => ['sh', '-c', script]

describe('the life of a container', () => {
  it('is created, started, and deleted when it has stopped', async () => {
    const bundle = runtime.bundle('life', shell('cat /dev/null; exit 3'), (config) => {
      config.annotations = { 'org.example.key': 'value' }
    })
    const pidFile = path.join(runtime.directory, 'life.pid')
    expect(runtime.call(['create', '--bundle', bundle, '--pid-file', pidFile, 'life'])).toMatchObject({ status: 0, stderr: '' })
    const created = runtime.inspect('life')
    expect(created).toMatchObject({
      status: 'created',
      id: 'life',
      bundle,
      ociVersion: '1.2.0',
      annotations: { 'org.example.key': 'value' },
    })
    expect(readFileSync(pidFile, 'utf8')).toBe(String(created.pid))
    expect(runtime.call(['delete', 'nobody']).stderr).toContain('does not exist')
    expect(runtime.call(['start', 'life']).status).toBe(0)
    await eventually(() => runtime.inspect('life').status === 'stopped')
    expect(runtime.inspect('life').pid).toBe(0)
    expect(runtime.call(['start', 'life'])).toMatchObject({ status: 1, stderr: expect.stringContaining('has stopped') })
    expect(runtime.call(['delete', 'life']).status).toBe(0)
    expect(runtime.call(['state', 'life'])).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') })
    expect(runtime.call(['delete', '--force', 'life']).status).toBe(0)
  })

  it('refuses what does not fit its state', () => {
    runtime.start('busy')
    const bundle = runtime.bundle('busy', ['true'])
    expect(runtime.call(['create', '--bundle', bundle, 'busy']).stderr).toContain('already exists')
    expect(runtime.call(['start', 'busy']).stderr).toContain('cannot start an already running container')
    expect(runtime.call(['delete', 'busy']).stderr).toContain('is not stopped: running')
    expect(runtime.call(['resume', 'busy']).stderr).toContain('not paused')
    expect(runtime.call(['kill', 'busy', 'NOSUCH']).stderr).toContain('unknown signal')
    expect(runtime.call(['checkpoint', '--image-path', '/x', 'busy'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not supported'),
    })
    expect(runtime.call(['delete', '--force', 'busy']).status).toBe(0)
  })

  it('kills by name, by name with SIG, and by number', async () => {
    for (const signal of ['KILL', 'SIGKILL', 'sigkill', '9']) {
      runtime.start('killed')
      expect(runtime.call(['kill', 'killed', signal]).status).toBe(0)
      await eventually(() => runtime.inspect('killed').status === 'stopped')
      expect(runtime.call(['kill', 'killed', signal]).stderr).toContain('container not running')
      runtime.call(['delete', 'killed'])
    }
  })

  it('writes errors as the JSON lines that conmon and the shim read', () => {
    const log = path.join(runtime.directory, 'log.json')
    const bundle = runtime.bundle('logged', ['/no/such'])
    const globals = ['--log', log, '--log-format', 'json']
    expect(runtime.call(['create', '--bundle', bundle, 'logged'], { globals }).status).toBe(1)
    const line = JSON.parse(readFileSync(log, 'utf8').trim())
    expect(line).toMatchObject({ level: 'error', msg: expect.stringContaining('no such file or directory') })
    expect(Date.parse(line.time)).not.toBeNaN()
  })
})

describe('the process', () => {
  it('gets its user, groups, directory, limits, environment and mask', () => {
    const result = runtime.run('user', shell('id; pwd; ulimit -n; umask; echo $HOME; echo $X; grep Groups /proc/self/status'), (config) => {
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [7, 8], umask: 0o077 }
      config.process.cwd = '/tmp'
      config.process.env.push('X=a b')
      config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]
    })
    expect(result.stdout.split('\n').map((line) => line.trim())).toEqual([
      'uid=1000(user) gid=1000 groups=7,8',
      '/tmp',
      '100',
      '0077',
      '/home/user',
      'a b',
      expect.stringMatching(/^Groups:\s+7 8$/),
      '',
    ])
  })

  it('ends with its own status, or 128 and the signal', () => {
    expect(runtime.run('seven', shell('exit 7')).status).toBe(7)
    expect(
      runtime.run('signalled', shell('kill -TERM $$; sleep 5'), (config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid')
      }).status,
    ).toBe(143)
  })

  it('is refused at create, with the words that clients turn into 127 and 126', () => {
    expect(runtime.run('absent', ['nope'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('executable file not found in $PATH'),
    })
    expect(runtime.run('missing', ['/nope'])).toMatchObject({ status: 1, stderr: expect.stringContaining('no such file or directory') })
    expect(runtime.run('denied', ['/etc/passwd'])).toMatchObject({ status: 1, stderr: expect.stringContaining('permission denied') })
    expect(runtime.run('directory', ['/etc'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is a directory: permission denied'),
    })
    writeFileSync(path.join(runtime.rootfs, 'bin/garbage'), 'not a program', { mode: 0o755 })
    const bundle = runtime.bundle('garbage', ['/bin/garbage'])
    expect(runtime.call(['create', '--bundle', bundle, 'garbage']).status).toBe(0)
    expect(runtime.call(['start', 'garbage'])).toMatchObject({ status: 1, stderr: expect.stringContaining('exec format error') })
    expect(runtime.call(['delete', '--force', 'garbage']).status).toBe(0)
  })

  it('keeps the descriptors that are to be preserved, and no others', () => {
    const extra = openSync('/etc/hostname', 'r')
    const bundle = runtime.bundle('fds', ['ls', '/proc/self/fd'])
    const result = runtime.call(['run', '--preserve-fds', '1', '--bundle', bundle, 'fds'], { stdio: [extra, extra] })
    expect(result.stdout.trim().split('\n')).toEqual(['0', '1', '2', '3', '4'])
    expect(runtime.call(['run', '--preserve-fds', '7', '--bundle', bundle, 'fds']).stderr).toContain('unable to preserve file descriptor')
  })

  it('has capabilities as listed and none inheritable', () => {
    const result = runtime.run('caps', ['grep', 'Cap', '/proc/self/status'], (config) => {
      config.process.capabilities = { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN', 'CAP_KILL'] }
    })
    const value = (name: string) => BigInt(`0x${new RegExp(`${name}:\\s+(\\S+)`).exec(result.stdout)?.[1]}`)
    expect([value('CapInh'), value('CapPrm'), value('CapEff'), value('CapBnd'), value('CapAmb')]).toEqual([0n, 33n, 33n, 33n, 0n]) // root's execve makes effective what is permitted
  })

  it('has its priority, scheduler, personality and OOM score', () => {
    const result = runtime.run('prio', shell('cat /proc/self/oom_score_adj; ionice; uname -m; grep ^policy /proc/self/sched'), (config) => {
      symlinkOnce('busybox', path.join(runtime.rootfs, 'bin/uname'))
      config.process.oomScoreAdj = 500
      config.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 6 }
      config.process.scheduler = { policy: 'SCHED_BATCH', nice: 3 }
      config.linux.personality = { domain: 'LINUX32' }
    })
    expect(result.stdout).toContain('500\n')
    expect(result.stdout).toContain('best-effort: prio 6')
    expect(result.stdout).toMatch(/i[36]86/)
    const bad = runtime.run('badsched', ['true'], (config) => {
      config.process.scheduler = { policy: 'SCHED_OTHER', priority: 5 }
    })
    expect(bad.stderr).toContain('scheduler.priority can only be specified')
  })
})

function symlinkOnce(text: string, at: string): void {
  if (!existsSync(at)) symlinkSync(text, at)
}

describe('exec', () => {
  it('runs with the status of the command and 255 for its own errors', () => {
    runtime.start('host')
    expect(runtime.call(['exec', 'host', 'sh', '-c', 'echo $A; exit 4'])).toMatchObject({ status: 4, stdout: '\n' })
    expect(
      runtime.call(['exec', '-e', 'A=1', '--cwd', '/tmp', '-u', '1000:7', '-g', '9', 'host', 'sh', '-c', 'echo $A; pwd; id']),
    ).toMatchObject({
      status: 0,
      stdout: '1\n/tmp\nuid=1000(user) gid=7 groups=9\n',
    })
    expect(runtime.call(['exec', 'host', 'nope'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('executable file not found'),
    })
    expect(runtime.call(['exec', 'nobody', 'true'])).toMatchObject({ status: 255, stderr: expect.stringContaining('does not exist') })
    expect(runtime.call(['exec', '--tty', 'host', 'tty'])).toMatchObject({ status: 0, stdout: '/dev/pts/0\r\n' })
    expect(runtime.call(['exec', 'host', 'cat', '/proc/1/cgroup']).stdout).toBe(
      runtime.call(['exec', 'host', 'cat', '/proc/self/cgroup']).stdout,
    )
    runtime.call(['delete', '--force', 'host'])
    expect(runtime.call(['exec', 'host', 'true']).status).toBe(255)
  })

  it('takes a process document, detaches, and writes the pid', async () => {
    runtime.start('detach')
    const file = path.join(runtime.directory, 'process.json')
    const pidFile = path.join(runtime.directory, 'exec.pid')
    writeFileSync(file, JSON.stringify({ args: ['sh', '-c', 'echo $B > /tmp/marker; sleep 100'], env: ['PATH=/bin', 'B=two'], cwd: '/' }))
    expect(runtime.call(['exec', '--process', file, '--detach', '--pid-file', pidFile, 'detach']).status).toBe(0)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await eventually(
      () =>
        existsSync(path.join(runtime.rootfs, 'tmp/marker')) && readFileSync(path.join(runtime.rootfs, 'tmp/marker'), 'utf8') === 'two\n',
    )
    expect(JSON.parse(runtime.call(['ps', '--format', 'json', 'detach']).stdout)).toContain(pid)
    expect(runtime.call(['ps', 'detach']).stdout).toContain('sleep')
    runtime.call(['delete', '--force', 'detach'])
    await eventually(() => !existsSync(`/proc/${pid}`))
  })
})

describe('pause, update, events, list', () => {
  it('freezes and thaws', () => {
    runtime.start('frozen')
    expect(runtime.call(['pause', 'frozen'])).toMatchObject({ status: 0, stderr: '' })
    expect(runtime.inspect('frozen').status).toBe('paused')
    expect(runtime.call(['exec', 'frozen', 'true']).stderr).toContain('cannot exec in a paused container')
    expect(runtime.call(['delete', 'frozen']).stderr).toContain('not stopped: paused')
    expect(runtime.call(['resume', 'frozen'])).toMatchObject({ status: 0, stderr: '' })
    expect(runtime.inspect('frozen').status).toBe('running')
    runtime.call(['pause', 'frozen'])
    expect(runtime.call(['delete', '--force', 'frozen'])).toMatchObject({ status: 0, stderr: '' })
  })

  it('applies limits at create and changes them live', () => {
    runtime.start('limits', (config) => {
      config.linux.resources = { memory: { limit: 1 << 26 }, pids: { limit: 30 }, cpu: { shares: 512, quota: 50_000, period: 100_000 } }
    })
    const memory = () => runtime.cgroupValue('limits', 'memory', cgroupV2 ? 'memory.max' : 'memory.limit_in_bytes')
    expect(memory()).toBe(String(1 << 26))
    expect(runtime.cgroupValue('limits', 'pids', 'pids.max')).toBe('30')
    const cpu = () =>
      cgroupV2
        ? runtime.cgroupValue('limits', '', 'cpu.max')
        : `${runtime.cgroupValue('limits', 'cpu', 'cpu.cfs_quota_us')} ${runtime.cgroupValue('limits', 'cpu', 'cpu.cfs_period_us')}`
    expect(cpu()).toBe('50000 100000')
    expect(runtime.call(['update', '--memory', '32M', '--pids-limit', '10', '--cpu-quota', '20000', 'limits'])).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect([memory(), runtime.cgroupValue('limits', 'pids', 'pids.max'), cpu()]).toEqual([String(1 << 25), '10', '20000 100000'])
    const resources = JSON.stringify({ memory: { limit: 1 << 27 }, pids: { limit: -1 } })
    expect(runtime.call(['update', '--resources', '-', 'limits'], { input: resources }).status).toBe(0)
    expect([memory(), runtime.cgroupValue('limits', 'pids', 'pids.max')]).toEqual([String(1 << 27), 'max'])
    expect(runtime.call(['update', '--memory', 'lots', 'limits']).stderr).toContain('invalid value')
    const stats = JSON.parse(runtime.call(['events', '--stats', 'limits']).stdout)
    expect(stats).toMatchObject({ type: 'stats', id: 'limits', data: { memory: { usage: { limit: 1 << 27 } }, pids: { current: 1 } } })
    expect(stats.data.cpu.usage.total).toBeGreaterThan(0)
    const listed = JSON.parse(runtime.call(['list', '--format', 'json']).stdout)
    expect(listed).toMatchObject([{ id: 'limits', status: 'running' }])
    expect(runtime.call(['list', '-q']).stdout).toBe('limits\n')
    runtime.call(['delete', '--force', 'limits'])
  })

  it.runIf(cgroupV2)('writes unified values, and refuses them on v1', () => {
    runtime.start('unified', (config) => {
      config.linux.resources = { unified: { 'memory.high': '33554432', 'pids.max': '12' } }
    })
    expect(runtime.cgroupValue('unified', '', 'memory.high')).toBe('33554432')
    runtime.call(['delete', '--force', 'unified'])
  })

  it.runIf(!cgroupV2)('refuses unified values on v1', () => {
    const result = runtime.run('unified', ['true'], (config) => {
      config.linux.resources = { unified: { 'memory.high': '1' } }
    })
    expect(result.stderr).toContain('cgroup v1 does not support unified')
  })

  it('says what it can do', () => {
    const features = JSON.parse(runtime.call(['features']).stdout)
    expect(features).toMatchObject({ ociVersionMin: '1.0.0', linux: { mountExtensions: { idmap: { enabled: true } } } })
    expect(features.mountOptions).toContain('rro')
    expect(runtime.call(['--version']).stdout).toMatch(/^berth-runtime version \S+\ncommit: \S+\nspec: 1\.3\.0\n/)
    const directory = path.join(runtime.directory, 'fresh')
    mkdirSync(directory)
    expect(runtime.call(['spec', '--bundle', directory]).status).toBe(0)
    expect(JSON.parse(readFileSync(path.join(directory, 'config.json'), 'utf8')).ociVersion).toBe('1.3.0')
    expect(runtime.call(['spec', '--bundle', directory]).stderr).toContain('exists')
  })
})

describe('hooks', () => {
  const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']

  it('run in order, each with the state on stdin', () => {
    const log = path.join(runtime.directory, 'hooks.log')
    writeFileSync(log, '')
    const result = runtime.run('hooked', ['true'], (config) => {
      config.mounts.push({ destination: '/hooks.log', type: 'bind', source: log, options: ['bind', 'rw'] })
      config.hooks = Object.fromEntries(
        kinds.map((kind) => {
          const inside = kind === 'startContainer'
          return [
            kind,
            [
              {
                path: '/bin/sh',
                args: ['sh', '-c', `echo "${kind} $(cat)" >> ${inside ? '/hooks.log' : log}`],
                env: ['PATH=/bin:/usr/bin'],
              },
            ],
          ]
        }),
      )
    })
    expect(result).toMatchObject({ status: 0, stderr: '' })
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual(kinds)
    const states = lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))))
    expect(states.map(({ status }) => status)).toEqual(['creating', 'creating', 'creating', 'created', 'running', 'stopped'])
    expect(states[0]).toMatchObject({ id: 'hooked', bundle: expect.stringContaining('bundles/hooked') })
    expect(states[0].pid).toBeGreaterThan(0)
  })

  it('stop the create when they fail or take too long, and nothing is left', () => {
    for (const kind of kinds.slice(0, 3)) {
      const failed = runtime.run('hookfail', ['true'], (config) => {
        config.hooks = { [kind]: [{ path: '/bin/sh', args: ['sh', '-c', 'echo sorry >&2; exit 9'] }] }
      })
      expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining(`error running ${kind} hook`) })
      expect(failed.stderr).toContain('sorry')
      expect(runtime.leftovers()).toEqual([])
    }
    const slow = runtime.run('hookslow', ['true'], (config) => {
      config.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '30'], timeout: 1 }] }
    })
    expect(slow.stderr).toContain('timed out')
  })
})

describe('the file system', () => {
  it('binds with attributes of one mount and of the whole tree', () => {
    const source = path.join(runtime.directory, 'source')
    mkdirSync(source, { recursive: true })
    writeFileSync(path.join(source, 'file'), 'text')
    const result = runtime.run(
      'bind',
      shell('cat /mnt/file; touch /mnt/x; grep /mnt /proc/self/mountinfo | head -1; cat /etc/one'),
      (config) => {
        config.mounts.push({ destination: '/mnt', source, options: ['rbind', 'rro', 'nosuid', 'rnoexec'] })
        config.mounts.push({ destination: '/etc/one', type: 'bind', source: path.join(source, 'file'), options: ['bind'] })
      },
    )
    expect(result.stdout).toMatch(/^text.* \/mnt ro,nosuid,noexec,\S+ .*\ntext$/s)
    expect(result.stderr).toContain('Read-only file system')
  })

  it('fills a tmpfs with what it covers', () => {
    mkdirSync(path.join(runtime.rootfs, 'var/data'), { recursive: true })
    writeFileSync(path.join(runtime.rootfs, 'var/data/kept'), 'kept')
    const result = runtime.run('copyup', shell('cat /var/data/kept; touch /var/data/new && stat -c %a /var/data'), (config) => {
      config.mounts.push({ destination: '/var/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'size=1m'] })
    })
    expect(result).toMatchObject({ status: 0, stdout: 'kept755\n' })
    expect(readdirSync(path.join(runtime.rootfs, 'var/data'))).toEqual(['kept'])
  })

  it('makes the root read-only, masks and protects paths', () => {
    const result = runtime.run(
      'readonly',
      shell('touch /x; cat /proc/keys; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/domainname; echo done'),
      (config) => {
        config.root.readonly = true
      },
    )
    expect(result.stdout).toBe('0\ndone\n')
    expect(result.stderr.match(/Read-only file system/g)).toHaveLength(2)
  })

  it('makes the listed devices beside the default ones', () => {
    const result = runtime.run('devices', shell('ls -l /dev/fuse /dev/null; head -c 4 /dev/zero | wc -c; readlink /dev/ptmx'), (config) => {
      config.linux.devices = [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 5, gid: 6 }]
    })
    expect(result.stdout).toMatch(/^crw-r-----\s+1 5\s+6\s+10, 229 .*\/dev\/fuse\ncrw-rw-rw-.*\/dev\/null\n4\npts\/ptmx\n$/)
  })

  it('names the mount that fails, and leaves nothing', () => {
    const missing = runtime.run('nosource', ['true'], (config) => {
      config.mounts.push({ destination: '/mnt', source: '/no/such/source', options: ['bind'] })
    })
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringMatching(/\/no\/such\/source.*no such file or directory/) })
    const option = runtime.run('nooption', ['true'], (config) => {
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nonsense=1'] })
    })
    expect(option.stderr).toMatch(/tmpfs.*nonsense/)
  })
})

describe('namespaces', () => {
  const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]

  it('maps users, with mounts that are id-mapped to match', () => {
    const source = path.join(runtime.directory, 'mapped')
    mkdirSync(source, { recursive: true })
    writeFileSync(path.join(source, 'roots'), '')
    const edit = (idmap: boolean) => (config: Parameters<NonNullable<Parameters<Runtime['run']>[2]>>[0]) => {
      config.linux.namespaces.push({ type: 'user' })
      config.linux.uidMappings = mappings
      config.linux.gidMappings = mappings
      config.mounts.push({ destination: '/tmp', source, options: idmap ? ['bind', 'idmap'] : ['bind'] })
    }
    const script = shell(
      'cat /proc/self/uid_map | tr -s " "; stat -c %u /tmp/roots; head -c 1 /dev/zero | wc -c; grep Cap /proc/self/status | wc -l',
    )
    expect(runtime.run('userns', script, edit(false))).toMatchObject({ status: 0, stdout: ' 0 100000 65536\n65534\n1\n5\n' })
    const mapped = runtime.run('idmap', script, edit(true))
    if (mapped.status !== 0)
      expect(mapped.stderr).toContain('id-map the mount') // a file system that cannot (virtiofs): said so
    else expect(mapped.stdout).toBe(' 0 100000 65536\n0\n1\n5\n')
  })

  it('executes in a user namespace', () => {
    runtime.start('userexec', (config) => {
      config.linux.namespaces.push({ type: 'user' })
      config.linux.uidMappings = mappings
      config.linux.gidMappings = mappings
      config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 100 }]
    })
    expect(runtime.call(['exec', 'userexec', 'sh', '-c', 'id -u; ulimit -n; cat /proc/1/comm'])).toMatchObject({
      status: 0,
      stdout: '0\n100\nsleep\n',
    })
    runtime.call(['delete', '--force', 'userexec'])
  })

  it('joins the namespaces of another container', () => {
    const pid = runtime.start('first')
    const join = (types: string[]) => (config: Parameters<NonNullable<Parameters<Runtime['run']>[2]>>[0]) => {
      config.hostname = undefined
      for (const namespace of config.linux.namespaces)
        if (types.includes(namespace.type)) namespace.path = `/proc/${pid}/ns/${namespace.type === 'network' ? 'net' : namespace.type}`
    }
    const result = runtime.run(
      'second',
      shell('readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/pid; cat /proc/1/comm'),
      join(['network', 'ipc', 'pid']),
    )
    const first = runtime.call(['exec', 'first', 'sh', '-c', 'readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/pid'])
    expect(result.stdout).toBe(`${first.stdout}sleep\n`)
    runtime.call(['delete', '--force', 'first'])
    const wrong = runtime.run('wrong', ['true'], (config) => {
      config.linux.namespaces = [{ type: 'mount' }, { type: 'network', path: '/proc/self/ns/uts' }]
      config.hostname = undefined
    })
    expect(wrong.stderr).toContain('is not a network namespace')
  })

  it('sets names, sysctls and clock offsets of its own', () => {
    const result = runtime.run(
      'names',
      shell(
        'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; cut -d. -f1 /proc/uptime',
      ),
      (config) => {
        symlinkOnce('busybox', path.join(runtime.rootfs, 'bin/cut'))
        config.hostname = 'named'
        config.domainname = 'example.org'
        config.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '9000' }
        config.linux.namespaces.push({ type: 'time' })
        config.linux.timeOffsets = { boottime: { secs: 10_000_000 } }
      },
    )
    const lines = result.stdout.split('\n')
    expect(lines.slice(0, 4)).toEqual(['named', 'example.org', '1', '9000'])
    expect(Number(lines[4])).toBeGreaterThan(10_000_000)
  })

  it('brings the loopback interface up', () => {
    expect(runtime.run('loopback', ['ip', 'address', 'show', 'dev', 'lo']).stdout).toContain('127.0.0.1')
  })
})

describe('without privileges', () => {
  it('runs in a user namespace of the caller, without control groups', () => {
    const directory = path.join(runtime.directory, 'unprivileged')
    mkdirSync(path.join(directory, 'bundle'), { recursive: true, mode: 0o777 })
    runtime.makeRootfs(path.join(directory, 'bundle/rootfs'))
    const unprivileged = (args: string[]) =>
      spawnSync('setpriv', ['--reuid=65500', '--regid=65500', '--clear-groups', binary, '--root', path.join(directory, 'state'), ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    execFileSync('chown', ['-R', '65500:65500', directory])
    expect(unprivileged(['spec', '--rootless', '--bundle', path.join(directory, 'bundle')]).status).toBe(0)
    const file = path.join(directory, 'bundle/config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    config.process.terminal = false
    config.process.args = ['/bin/sh', '-c', 'id -u; cat /proc/self/uid_map; head -c1 /dev/zero | wc -c']
    config.process.env = ['PATH=/bin']
    writeFileSync(file, JSON.stringify(config))
    const result = unprivileged(['run', '--bundle', path.join(directory, 'bundle'), 'rootless'])
    expect(result, result.stderr).toMatchObject({ status: 0 })
    expect(result.stdout.replaceAll(/ +/g, ' ')).toBe('0\n 0 65500 1\n1\n')
    // A path that was asked for must be had; a refused one was once mistaken for its parent.
    config.linux.cgroupsPath = '/berth-test-refused'
    writeFileSync(file, JSON.stringify(config))
    expect(unprivileged(['run', '--bundle', path.join(directory, 'bundle'), 'rootless'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/create cgroup .*permission denied/),
    })
    expect(readdirSync(path.join(directory, 'state'))).toEqual([])
  })
})

describe('what the caller hands over', () => {
  it('moves network devices with their addresses, under their new names', () => {
    const made = spawnSync('ip', ['link', 'add', 'btveth', 'type', 'veth', 'peer', 'name', 'btvethp'], { encoding: 'utf8' })
    expect(made, made.stderr).toMatchObject({ status: 0 })
    spawnSync('ip', ['address', 'add', '10.231.7.5/24', 'dev', 'btveth'])
    const result = runtime.run('netdev', ['ip', 'address', 'show', 'dev', 'moved'], (config) => {
      config.linux.netDevices = { btveth: { name: 'moved' } }
    })
    spawnSync('ip', ['link', 'delete', 'btvethp'], { stdio: 'ignore' })
    expect(result.stdout).toContain('inet 10.231.7.5/24')
    expect(result.stdout).toMatch(/moved@.*UP/)
    const absent = runtime.run('netdev', ['true'], (config) => {
      config.linux.netDevices = { nosuchdev0: {} }
    })
    expect(absent.stderr).toContain('nosuchdev0: it does not exist on the host')
  })

  it('passes readiness on to $NOTIFY_SOCKET', () => {
    const socket = path.join(runtime.directory, 'notify.sock')
    const listener = path.join(runtime.directory, 'listen.py')
    writeFileSync(
      listener,
      `import socket, subprocess, sys, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(${JSON.stringify(socket)}); s.settimeout(20)
r = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, 'NOTIFY_SOCKET': ${JSON.stringify(socket)}})
print(r.returncode, s.recv(4096).decode())`,
    )
    const client = path.join(runtime.rootfs, 'bin/ready')
    const source = path.join(runtime.directory, 'ready.c')
    writeFileSync(
      source,
      `#include <stdlib.h>
       #include <string.h>
       #include <sys/socket.h>
       #include <sys/un.h>
       #include <unistd.h>
       int main(void) { struct sockaddr_un a = {.sun_family = AF_UNIX}; strcpy(a.sun_path, getenv("NOTIFY_SOCKET"));
         int s = socket(AF_UNIX, SOCK_DGRAM, 0); sendto(s, "STATUS=x\\nREADY=1", 16, 0, (void *)&a, sizeof a); sleep(100); }`,
    )
    execFileSync('gcc', ['-static', '-o', client, source])
    const bundle = runtime.bundle('notify', ['/bin/ready'])
    const output = execFileSync('python3', [listener, binary, '--root', runtime.state, 'run', '--detach', '--bundle', bundle, 'notify'], {
      encoding: 'utf8',
    })
    expect(output).toBe(`0 READY=1\nMAINPID=${runtime.inspect('notify').pid}\n`)
    runtime.call(['delete', '--force', 'notify'])
  })
})
