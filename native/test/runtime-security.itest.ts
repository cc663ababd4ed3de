// The classes of container escapes that runtimes have had, each tried on berth-runtime. The number is the class in SECURITY's list; CVEs are
// named where a class is known by one. One file as long as that list, so that a class without a test is seen.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { binary, type Config } from './runtime-harness.ts'
import { runtimeOfSuite } from './runtime-suite.ts'

const runtime = runtimeOfSuite()

const shell = (script: string) => ['sh', '-c', script]

/** A second image, to be spoilt by a test. */
function image(name: string, spoil: (rootfs: string) => void): string {
  const rootfs = path.join(runtime.directory, `image-${name}`)
  runtime.makeRootfs(rootfs)
  spoil(rootfs)
  return rootfs
}

/** Without the tmpfs on /dev, so that the image's own /dev is used. */
function withoutDev(config: Config): void {
  config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
}

/** A directory of the host in which nothing may appear. */
function hostDirectory(): string {
  const directory = path.join(runtime.directory, 'host-victim')
  mkdirSync(directory, { recursive: true })
  return directory
}

describe('the runtime itself', () => {
  it('1: cannot be overwritten through /proc/self/exe (CVE-2019-5736)', () => {
    const before = readFileSync(binary)
    const bundle = runtime.bundle('exe', ['true'])
    expect(runtime.call(['create', '--bundle', bundle, 'exe']).status).toBe(0)
    const { pid } = runtime.inspect('exe')
    const held = openSync(`/proc/${pid}/exe`, constants.O_RDONLY)
    runtime.call(['delete', '--force', 'exe'])
    expect(() => closeSync(openSync(`/proc/self/fd/${held}`, constants.O_WRONLY))).toThrow(/EROFS|EPERM|EACCES/)
    closeSync(held)
    const script = runtime.run('selfexe', ['/bin/script'], (config) => {
      config.root.path = image('selfexe', (rootfs) => writeFileSync(path.join(rootfs, 'bin/script'), '#!/proc/self/exe\n', { mode: 0o755 }))
    })
    expect(script.status).not.toBe(0)
    runtime.start('selfexec', (config) => {
      config.root.path = image('selfexec', (rootfs) => symlinkSync('/proc/self/exe', path.join(rootfs, 'bin/link')))
    })
    runtime.call(['exec', 'selfexec', '/bin/link', '--version'])
    runtime.call(['delete', '--force', 'selfexec'])
    expect(readFileSync(binary).equals(before)).toBe(true)
  })

  it('2: leaks neither descriptors nor a working directory (CVE-2024-21626)', () => {
    const bundle = runtime.bundle('leak', ['true'])
    runtime.call(['create', '--bundle', bundle, 'leak'])
    const { pid } = runtime.inspect('leak')
    for (const fd of readdirSync(`/proc/${pid}/fd`).filter((name) => Number(name) > 2)) {
      const flags = Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0', 8)
      expect(flags & 0o2000000, `descriptor ${fd} of init: ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`).toBe(0o2000000)
    }
    runtime.call(['delete', '--force', 'leak'])
    runtime.start('cwd')
    for (let fd = 3; fd < 16; fd++) {
      const cwd = `/proc/self/fd/${fd}`
      const run = runtime.run('leakcwd', ['cat', '../../../../../../etc/hostname'], (config) => {
        config.process.cwd = cwd
      })
      expect(run.status, cwd).not.toBe(0)
      expect(runtime.call(['exec', '--cwd', cwd, 'cwd', 'cat', '../../../../../etc/hostname']).status, cwd).not.toBe(0)
      expect(runtime.run('leakarg', [cwd]).status).not.toBe(0)
    }
    runtime.call(['delete', '--force', 'cwd'])
  })

  it('10: leaves pipes alone, and neither opens nor chowns a file of the host (CVE-2026-88265)', () => {
    const victim = path.join(hostDirectory(), 'file')
    writeFileSync(victim, 'mine', { mode: 0o600 })
    const result = runtime.run('stdio', shell('echo out; echo err >&2'), (config) => {
      config.process.user = { uid: 1000, gid: 1000 }
      config.mounts.push({ destination: '/dev/null', type: 'bind', source: victim, options: ['bind', 'ro'] })
      config.linux.devices = []
    })
    if (result.status === 0) expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n' })
    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect(statSync(victim).uid).toBe(0)
    rmSync(victim)
  })
})

describe('files of the image in the place of devices and file systems', () => {
  it('3: masks with the real null device, or refuses (CVE-2025-31133)', () => {
    for (const [name, spoil] of Object.entries({
      procfs: (rootfs: string) => symlinkSync('/proc/sys/kernel/core_pattern', path.join(rootfs, 'dev/null')),
      regular: (rootfs: string) => writeFileSync(path.join(rootfs, 'dev/null'), 'fake'),
    })) {
      const result = runtime.run(`null${name}`, shell('stat -c %t:%T /proc/keys; cat /proc/keys'), (config) => {
        config.root.path = image(`null-${name}`, spoil)
        withoutDev(config)
      })
      if (result.status === 0) expect(result.stdout).toBe('1:3\n')
      else expect(result.stderr).toMatch(/dev\/null/)
    }
  })

  it('4: does not put a terminal where /dev/console points (CVE-2025-52565)', () => {
    const victim = path.join(hostDirectory(), 'console')
    const bundle = runtime.bundle('console', ['true'], (config) => {
      config.root.path = image('console', (rootfs) => symlinkSync(`../../../../../../../${victim}`, path.join(rootfs, 'dev/console')))
      config.mounts = config.mounts.filter(({ destination }) => destination !== '/dev')
      config.process.terminal = true
    })
    const result = runtime.call(['run', '--bundle', bundle, 'console'])
    expect(result.stderr).toContain('/dev/console of the image is a symbolic link')
    expect(existsSync(victim)).toBe(false)
  })

  it('5: writes labels and sysctls to procfs only (CVE-2025-52881, 2019-16884)', () => {
    const fake = path.join(runtime.directory, 'fake-proc')
    mkdirSync(path.join(fake, 'sys/net/ipv4'), { recursive: true })
    writeFileSync(path.join(fake, 'sys/net/ipv4/ip_forward'), 'untouched')
    const result = runtime.run('fakeproc', ['true'], (config) => {
      config.mounts[0] = { destination: '/proc', type: 'bind', source: fake, options: ['rbind'] }
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1' }
    })
    expect(result.stderr).toContain('not of type proc')
    const inside = runtime.run('inproc', ['true'], (config) => {
      config.mounts.push({ destination: '/proc/sys/net', type: 'bind', source: fake, options: ['rbind'] })
    })
    expect(inside.stderr).toContain('inside /proc')
    expect(readFileSync(path.join(fake, 'sys/net/ipv4/ip_forward'), 'utf8')).toBe('untouched')
  })

  it('6: refuses a /proc or /sys that is a link (CVE-2019-19921, 2023-27561)', () => {
    for (const name of ['proc', 'sys']) {
      const result = runtime.run(`link${name}`, ['true'], (config) => {
        config.root.path = image(`link-${name}`, (rootfs) => {
          rmSync(path.join(rootfs, name), { recursive: true })
          mkdirSync(path.join(rootfs, 'elsewhere'))
          symlinkSync('elsewhere', path.join(rootfs, name))
        })
      })
      expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('ordinary directory') })
    }
  })

  it('9: makes no devices through a /dev that is a link (CVE-2026-47766)', () => {
    const victim = hostDirectory()
    const result = runtime.run('linkdev', ['true'], (config) => {
      config.root.path = image('link-dev', (rootfs) => {
        rmSync(path.join(rootfs, 'dev'), { recursive: true })
        symlinkSync(victim, path.join(rootfs, 'dev'))
      })
      withoutDev(config)
    })
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('symbolic link') })
    expect(readdirSync(victim)).toEqual([])
  })
})

describe('mount destinations', () => {
  it('7, 8: stay in the root through links, absolute, relative, dangling (CVE-2021-30465, 2024-45310)', () => {
    const victim = hostDirectory()
    const source = path.join(runtime.directory, 'mount-source')
    mkdirSync(source, { recursive: true })
    writeFileSync(path.join(source, 'marker'), 'inside')
    const rootfs = image('links', (target) => {
      symlinkSync(victim, path.join(target, 'absolute'))
      symlinkSync(`${'../'.repeat(20)}${victim}`, path.join(target, 'relative'))
      symlinkSync(`${victim}/dangling`, path.join(target, 'dangling'))
      symlinkSync('loop', path.join(target, 'loop'))
    })
    for (const destination of ['/absolute', '/relative', '/absolute/new/deep', '/dangling', '/relative/../x', '/../../../y']) {
      const result = runtime.run('dest', ['true'], (config) => {
        config.root.path = rootfs
        config.mounts.push({ destination, type: 'bind', source, options: ['bind'] })
        config.mounts.push({ destination: `${destination}-file`, type: 'bind', source: path.join(source, 'marker'), options: ['bind'] })
      })
      expect([0, 1]).toContain(result.status)
      expect(readdirSync(victim), destination).toEqual([])
    }
    const loop = runtime.run('dest', ['true'], (config) => {
      config.root.path = rootfs
      config.mounts.push({ destination: '/loop/x', type: 'bind', source, options: ['bind'] })
    })
    expect(loop).toMatchObject({ status: 1, stderr: expect.stringContaining('symbolic links') })
  })

  it('7: stay in the root while links are swapped under the mount (CVE-2021-30465)', async () => {
    const victim = hostDirectory()
    const volume = path.join(runtime.directory, 'volume')
    mkdirSync(path.join(volume, 'target'), { recursive: true })
    symlinkSync(victim, path.join(volume, 'link'))
    const worker = new Worker(
      `const fs = require('node:fs'); const v = ${JSON.stringify(volume)};
       for (;;) { try { fs.renameSync(v + '/target', v + '/aside'); fs.renameSync(v + '/link', v + '/target'); fs.renameSync(v + '/target', v + '/link'); fs.renameSync(v + '/aside', v + '/target') } catch {} }`,
      { eval: true },
    )
    const bundle = runtime.bundle('swap', ['true'], (config) => {
      config.mounts.push({ destination: '/vol', type: 'bind', source: volume, options: ['rbind'] })
      config.mounts.push({ destination: '/vol/target', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] })
      config.mounts.push({ destination: '/vol/target/made/below', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] })
    })
    let runs = 0
    for (; runs < 60; runs++) {
      runtime.call(['run', '--bundle', bundle, 'swap'])
      expect(readdirSync(victim)).toEqual([])
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(victim)
    }
    await worker.terminate()
    expect(runs).toBe(60)
  })

  it('14: handles over-long fields without corruption (CVE-2021-43784)', () => {
    const long = runtime.run('long', ['true'], (config) => {
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [`context=${'x'.repeat(70_000)}`] })
    })
    expect(long.status).toBe(1)
    const env = runtime.run('longenv', shell('echo ok'), (config) => {
      for (let i = 0; i < 9; i++) config.process.env.push(`V${i}=${'y'.repeat(100_000)}`)
    })
    expect(env).toMatchObject({ status: 0, stdout: 'ok\n' })
  })
})

describe('privileges', () => {
  it('11: gives no inheritable capabilities, in run and exec (CVE-2022-29162)', () => {
    runtime.start('inherit', (config) => {
      config.process.noNewPrivileges = false
    })
    for (const extra of [[], ['--cap', 'CAP_NET_ADMIN']]) {
      const { stdout } = runtime.call(['exec', ...extra, '-u', '1000', 'inherit', 'grep', '-E', 'CapInh|CapAmb', '/proc/self/status'])
      expect(stdout).toBe('CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n')
    }
    expect(readFileSync(`/proc/${runtime.inspect('inherit').pid}/status`, 'utf8')).toContain('CapInh:\t0000000000000000')
    runtime.call(['delete', '--force', 'inherit'])
  })

  it('12: takes no user that is not a plain number (CVE-2026-30892)', () => {
    runtime.start('users')
    for (const user of [
      '1000x',
      '-1',
      '4294967295',
      '4294967296',
      '1000:-1',
      ':',
      '',
      '1000:',
      'root',
      ' 1',
      '+1',
      '0x10',
      '1000:4294967295',
    ])
      expect(runtime.call(['exec', '--user', user, 'users', 'id']), user).toMatchObject({ status: 255, stdout: '' })
    runtime.call(['delete', '--force', 'users'])
    const bad = runtime.run('baduid', ['id'], (config) => {
      config.process.user.uid = 4294967295
    })
    expect(bad).toMatchObject({ status: 1, stdout: '' })
  })

  it('13: takes no id or cgroup path that leads elsewhere', () => {
    const bundle = runtime.bundle('ids', ['true'])
    for (const id of ['../x', '/abs', 'a/b', 'a\nb', '.', '..', '', 'a b', 'x'.repeat(300)])
      expect(runtime.call(['create', '--bundle', bundle, id]).stderr, id).toMatch(/invalid container ID|requires/)
    for (const cgroupsPath of ['/../../escape', '../x', '/a/../../b']) {
      const result = runtime.run('cgpath', ['true'], (config) => {
        config.linux.cgroupsPath = cgroupsPath
      })
      expect(result.stderr).toContain('must not contain')
    }
    runtime.start('cgexec')
    expect(runtime.call(['exec', '--cgroup', '../..', 'cgexec', 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('..'),
    })
    runtime.call(['delete', '--force', 'cgexec'])
  })

  it('15: opens no device that is not listed, even one that was made with mknod', () => {
    const script = 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem; mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk; head -c 1 /dev/zero | wc -c'
    for (const resources of [undefined, { devices: [{ allow: false, access: 'rwm' }] }]) {
      const result = runtime.run('nodev', shell(script), (config) => {
        config.linux.resources = resources
        config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' })
      })
      expect(result.stderr.match(/Operation not permitted/g), result.stderr).toHaveLength(2)
      expect(result.stdout).toBe('1\n')
    }
    const allowed = runtime.run('yesdev', shell('mknod /tmp/fuse c 10 229 && : < /tmp/fuse && echo $?'), (config) => {
      config.linux.resources = {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 10, minor: 229, access: 'r' },
        ],
      }
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' })
    })
    expect(allowed.stdout).toBe('0\n')
  })

  it('16: sets no sysctl outside the namespaces of the container (CVE-2022-0811)', () => {
    const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
    for (const key of [
      'kernel.core_pattern',
      'vm.swappiness',
      'net/../kernel/core_pattern',
      'net.ipv4/../../kernel/core_pattern',
      'fs.file-max',
    ]) {
      const result = runtime.run('sysctl', ['true'], (config) => {
        config.linux.sysctl = { [key]: '1' }
      })
      expect(result.stderr, key).toContain('not in a separate kernel namespace')
    }
    const shared = runtime.run('sysctl', ['true'], (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network')
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1' }
    })
    expect(shared.stderr).toContain('would affect the host')
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(core)
  })

  it('17, 18: shows control groups that cannot be written (CVE-2022-0492, 2023-25809)', () => {
    const script =
      'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/x 2>/dev/null && echo made $d; done; find /sys/fs/cgroup -name release_agent; grep cgroup /proc/self/mountinfo | cut -d" " -f6'
    const result = runtime.run('cgro', shell(script), (config) => {
      config.root.path = image('cut', (rootfs) => symlinkSync('busybox', path.join(rootfs, 'bin/cut')))
    })
    const lines = result.stdout.trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toMatch(/^ro,/)
  })

  it('18: makes the cgroups that come with a bound /sys read-only as well (CVE-2023-25809)', () => {
    const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    const result = runtime.run('sysbind', shell('grep -E " /sys/fs/cgroup[ /]" /proc/self/mountinfo'), (config) => {
      config.linux.namespaces = [...config.linux.namespaces.filter(({ type }) => type !== 'cgroup'), { type: 'user' }]
      config.linux.uidMappings = mappings
      config.linux.gidMappings = mappings
      config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/sys'))
      config.mounts.push({ destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'nosuid', 'nodev', 'noexec', 'ro'] })
      config.linux.maskedPaths = ['/proc/kcore']
    })
    const lines = result.stdout.trim().split('\n')
    expect(lines.length, result.stderr).toBeGreaterThan(0)
    for (const line of lines) expect(line.split(' ')[5]).toMatch(/^ro,/)
  })

  it('19: gives exactly the listed supplementary groups, none of the caller', () => {
    const result = runtime.run('groups', ['grep', 'Groups', '/proc/self/status'], (config) => {
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [1000] }
    })
    expect(result.stdout.trim()).toMatch(/^Groups:\s+1000$/)
    expect(runtime.run('nogroups', ['grep', 'Groups', '/proc/self/status']).stdout.trim()).toBe('Groups:')
  })

  it('24: lets no annotation change anything', () => {
    const result = runtime.run('annotated', ['grep', 'CapEff', '/proc/self/status'], (config) => {
      config.process.capabilities = {}
      config.annotations = { 'run.oci.handler': 'krun', 'org.systemd.property.Delegate': 'true', 'run.oci.keep_original_groups': '1' }
    })
    expect(result).toMatchObject({ status: 0, stdout: 'CapEff:\t0000000000000000\n' })
  })

  it('25: keeps no_new_privs in exec', () => {
    runtime.start('nnp')
    expect(runtime.call(['exec', 'nnp', 'grep', 'NoNewPrivs', '/proc/self/status']).stdout).toBe('NoNewPrivs:\t1\n')
    runtime.call(['delete', '--force', 'nnp'])
  })

  it('26: signals no process that only has the same pid', () => {
    const pid = runtime.start('reused')
    runtime.call(['kill', 'reused', 'KILL'])
    const file = path.join(runtime.state, 'reused/state.json')
    const state = JSON.parse(readFileSync(file, 'utf8'))
    expect(state.pid).toBe(pid)
    state.pid = process.pid // as if the kernel had given the number to us
    writeFileSync(file, JSON.stringify(state))
    expect(runtime.call(['kill', 'reused', 'KILL'])).toMatchObject({ status: 1, stderr: expect.stringContaining('not running') })
    expect(runtime.inspect('reused').status).toBe('stopped')
    expect(runtime.call(['delete', '--force', 'reused']).status).toBe(0)
  })

  it('27: prints no control characters of process titles', () => {
    runtime.start('titles', (config) => {
      config.process.args = ['sh', '-c', 'sleep 1000; : \u001b]0;owned\u0007']
    })
    const { stdout } = runtime.call(['ps', 'titles'])
    expect(stdout).toContain('owned')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/)
    runtime.call(['delete', '--force', 'titles'])
  })
})

describe('seccomp', () => {
  const profile = (edit: object = {}) => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
    ...edit,
  })
  /** A static program that makes one system call by number, natively, through x32's numbers, or through int 0x80. */
  function probe(rootfs: string): void {
    const source = path.join(runtime.directory, 'probe.c')
    writeFileSync(
      source,
      `#include <errno.h>
       #include <stdio.h>
       #include <stdlib.h>
       #include <unistd.h>
       #include <sys/syscall.h>
       int main(int c, char **v) {
         long n = atol(v[2]), r;
         if (v[1][0] == 'i') { __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(0) : "memory"); printf("%ld\\n", r); return 0; }
         r = syscall(v[1][0] == 'x' ? n | 0x40000000 : n, 0, 0, 0, 0, 0, 0);
         printf("%ld\\n", r < 0 ? -(long)errno : r);
       }`,
    )
    execFileSync('gcc', ['-static', '-o', path.join(rootfs, 'bin/probe'), source])
  }

  it('23: answers as listed, ENOSYS for unknown calls, and blocks other entries', () => {
    const rootfs = image('probe', probe)
    const run = (args: string[], seccomp: object) =>
      runtime.run('seccomp', args, (config) => {
        config.root.path = rootfs
        config.linux.seccomp = seccomp
        config.process.noNewPrivileges = args[1] !== 'n'
      })
    expect(run(['mkdir', '/tmp/x'], profile()).stderr).toContain('not supported')
    const names =
      'read write open openat close execve exit exit_group brk mmap munmap mprotect arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink readlinkat getrandom newfstatat fstat ioctl futex accept4 accept recvmsg sendmsg recvfrom sendto close_range fcntl rt_sigaction rt_sigprocmask setresuid setresgid setgroups capset capget prctl umask faccessat2 stat'.split(
        ' ',
      )
    const strict = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }], architectures: ['SCMP_ARCH_X86_64'] }
    expect(run(['probe', 'n', '39'], strict).stdout).toBe('-1\n') // getpid: known, not listed: EPERM
    expect(run(['probe', 'n', '9999'], strict).stdout).toBe('-38\n') // unknown: ENOSYS
    expect(run(['probe', 'x', '39'], strict).stdout).not.toMatch(/^[1-9]/) // x32 entry: killed or refused
    expect(run(['probe', 'i', '20'], strict).stdout).not.toMatch(/^[1-9]/) // i386 getpid
  })

  it('keeps the compiled program, and does not believe a spoilt one', () => {
    const cache = path.join(runtime.state, 'seccomp@cache')
    rmSync(cache, { recursive: true, force: true })
    const run = () =>
      runtime.run('cached', ['mkdir', '/tmp/x'], (config) => {
        config.linux.seccomp = profile()
      })
    expect(run().stderr).toContain('not supported')
    const [file] = readdirSync(cache)
    expect(readdirSync(cache)).toHaveLength(1)
    const full = path.join(cache, file as string)
    const bytes = readFileSync(full)
    expect(run().stderr).toContain('not supported')
    writeFileSync(full, bytes.subarray(0, bytes.length - 8))
    expect(run().stderr).toContain('not supported')
    const forged = Buffer.from(bytes)
    forged[40] = (forged[40] ?? 0) ^ 1 // another profile's text
    writeFileSync(full, forged)
    expect(run().stderr).toContain('not supported')
    chmodSync(full, 0o666)
    expect(run().stderr).toContain('not supported')
  })

  it('refuses what it does not know', () => {
    for (const [seccomp, words] of [
      [profile({ defaultAction: 'SCMP_ACT_NONE' }), 'unknown action'],
      [profile({ flags: ['SECCOMP_FILTER_FLAG_NONE'] }), 'not supported'],
      [profile({ architectures: ['SCMP_ARCH_NONE'] }), 'unknown architecture'],
      [profile({ syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }), 'listenerPath'],
    ] as const) {
      const result = runtime.run('badseccomp', ['true'], (config) => {
        config.linux.seccomp = seccomp
      })
      expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining(words) })
    }
  })
})
