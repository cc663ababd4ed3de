/** What is thrown at berth-unpack by images and archives: each class is refused by a sentence or harmless, and nothing outside is touched. */
import { execFileSync, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TarEntry, tarArchive, tarEntries } from './tar-archive.ts'
import { answer, run, unpack, useDirectory } from './unpack-program.ts'

const directory = useDirectory()
let target = ''
let fingerprint = ''

/** Names, sizes and contents outside the target, which must never change. */
function outside(): string {
  return run('bash', '-c', `cd '${directory()}' && find . -path ./target -prune -o -printf '%p %s %m %U %T@\\n' | sort; cat victim/file`)
}

beforeEach(() => {
  target = join(directory(), 'target')
  mkdirSync(target)
  mkdirSync(join(directory(), 'victim'))
  writeFileSync(join(directory(), 'victim/file'), 'victim')
  run('touch', '-d', '2020-01-01', directory())
  fingerprint = outside()
})

afterEach(() => {
  expect(outside()).toBe(fingerprint)
})

function refuse(entries: TarEntry[] | Buffer, ...options: string[]): string {
  const result = unpack(['apply', '--target', target, ...options], Buffer.isBuffer(entries) ? entries : tarArchive(entries))
  expect(result.stderr, result.stdout.toString()).toContain('"code":"invalid_argument"')
  expect(readdirSync(target)).toEqual([])
  return result.error?.message ?? ''
}

function accept(entries: TarEntry[]): void {
  const [applied] = answer(['apply', '--target', target], tarArchive(entries))
  // What it counted on the way is what a walk finds.
  expect(applied?.usageBytes).toBe(answer(['usage', '--dir', target])[0]?.sizeBytes)
}

describe('names that lead elsewhere', () => {
  for (const name of ['../victim/file', 'a/../../victim/file', '..', './..', '/../victim/file', 'x/../..'])
    it(`refuses ${name}`, () => {
      expect(refuse([{ name, content: 'x' }])).toContain(name)
    })

  it('puts absolute names inside', () => {
    accept([
      { name: '/etc/passwd', content: 'inside' },
      { name: '//double', content: 'x' },
    ])
    expect(readFileSync(join(target, 'etc/passwd'), 'utf8')).toBe('inside')
    expect(readdirSync(target).sort()).toEqual(['double', 'etc'])
  })

  it('keeps a file that goes through a link inside', () => {
    accept([
      { name: 'inside/', type: '5' },
      { name: 'link', type: '2', linkname: '/inside' },
      { name: 'link/file', content: 'x' },
    ])
    expect(readFileSync(join(target, 'inside/file'), 'utf8')).toBe('x')
  })

  for (const linkname of ['../victim', '/victim', '../../../../../../../../../../var', '/proc/self/root', '/proc/self/cwd'])
    it(`does not follow a link to ${linkname} out`, () => {
      refuse([
        { name: 'link', type: '2', linkname },
        { name: 'link/file', content: 'overwritten' },
      ])
    })

  it('replaces a link that a file of the same name follows', () => {
    accept([
      { name: 'link', type: '2', linkname: `${directory()}/victim/file` },
      { name: 'link', content: 'own' },
    ])
    expect(lstatSync(join(target, 'link')).isFile()).toBe(true)
  })

  for (const linkname of ['../victim/file', '/victim/file', 'missing', '.', 'directory'])
    it(`refuses a hard link to ${linkname}`, () => {
      refuse([
        { name: 'directory/', type: '5' },
        { name: 'hard', type: '1', linkname },
      ])
    })

  it('links to a symbolic link itself, not through it', () => {
    accept([
      { name: 'sym', type: '2', linkname: `${directory()}/victim/file` },
      { name: 'hard', type: '1', linkname: 'sym' },
    ])
    expect(readlinkSync(join(target, 'hard'))).toBe(`${directory()}/victim/file`)
  })

  for (const name of ['.wh..', '.wh...', '.wh.', 'd/.wh..', '.wh.../x'])
    it(`does not delete by the whiteout ${name}`, () => {
      const result = unpack(['apply', '--target', target], tarArchive([{ name: 'd/', type: '5' }, { name }]))
      if (name === '.wh.../x') expect(result.status).toBe(0)
      else expect(result.error?.code).toBe('invalid_argument')
    })

  it('refuses a root that is no directory', () => {
    refuse([{ name: './', type: '2', linkname: '/' }])
    refuse([{ name: '.', content: 'x' }])
  })
})

describe('names and attributes as bytes', () => {
  it('keeps names that are no UTF-8, in ustar, pax and GNU headers', () => {
    const raw = Buffer.from([0x63, 0xe9, 0xff, 0x01])
    accept([
      { name: raw, content: 'ustar' },
      { name: 'x', content: 'pax', pax: { path: Buffer.concat([Buffer.from('p'), raw]) } },
      { name: '././@LongLink', type: 'L', content: Buffer.concat([Buffer.from('g'), raw, Buffer.from([0])]) },
      { name: 'x', content: 'gnu' },
      // decomposed é must not be composed
      { name: 'x', content: 'nfd', pax: { path: 'e\u0301' } },
    ])
    const names = readdirSync(target, { encoding: 'buffer' }).map((name) => name.toString('hex'))
    expect(names.sort()).toEqual([raw.toString('hex'), `67${raw.toString('hex')}`, `70${raw.toString('hex')}`, '65cc81'].sort())
  })

  it('takes a path of nearly 4 KiB and refuses what the kernel cannot hold', () => {
    const part = 'p'.repeat(250)
    const long = Array(16).fill(part).join('/')
    accept([{ name: 'x', content: 'deep', pax: { path: `${long}/f` } }])
    expect(run('bash', '-c', `cd '${target}' && find . -type f | wc -c`).trim()).toBe(String(long.length + 5))
    run('bash', '-c', `rm -rf '${target}'/*`)
    refuse([{ name: 'x', pax: { path: 'n'.repeat(256) } }])
    refuse([{ name: 'x', pax: { path: Array(20).fill(part).join('/') } }])
  })

  it('keeps setuid and capabilities, in whatever order the header says them', () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    accept([{ name: 'tool', content: 'x', mode: 0o6755, uid: 12, gid: 13, pax: { 'SCHILY.xattr.security.capability': capability } }])
    expect(lstatSync(join(target, 'tool'))).toMatchObject({ mode: 0o106755, uid: 12, gid: 13 })
    expect(run('getcap', join(target, 'tool'))).toContain('cap_net_raw=ep')
  })

  it("does not let an archive set overlayfs's own attributes", () => {
    accept([
      { name: 'd/', type: '5', pax: { 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.trusted.overlay.redirect': '/etc' } },
      { name: 'f', pax: { 'SCHILY.xattr.trusted.overlay.metacopy': 'x', 'SCHILY.xattr.user.kept': 'yes' } },
    ])
    const list = 'import os,sys; print(os.listxattr(sys.argv[1]), os.listxattr(sys.argv[2]))'
    expect(run('python3', '-c', list, join(target, 'd'), join(target, 'f')).trim()).toBe("[] ['user.kept']")
  })

  it('refuses owners that mean something else to the kernel', () => {
    refuse([{ name: 'f', pax: { uid: '4294967295' } }])
    refuse([{ name: 'f', pax: { gid: '99999999999' } }])
    accept([{ name: 'f', pax: { uid: '4294967294' } }])
    expect(lstatSync(join(target, 'f')).uid).toBe(4294967294)
  })

  it('survives absurd times', () => {
    accept([
      { name: 'a', pax: { mtime: '-1.5' } },
      { name: 'b', pax: { mtime: '99999999999999999999' } },
      { name: 'c', pax: { mtime: 'NaN' } },
    ])
    expect(lstatSync(join(target, 'a')).mtimeMs).toBe(-1500)
  })

  it('makes device nodes and pipes without opening them', () => {
    accept([
      { name: 'memory', type: '3', major: 1, minor: 1, mode: 0o666 },
      { name: 'disk', type: '4', major: 8, minor: 0 },
      { name: 'pipe', type: '6' },
      { name: 'pipe', content: 'replaced, not written into' },
      { name: 'memory', content: 'replaced' },
    ])
    expect(readFileSync(join(target, 'pipe'), 'utf8')).toBe('replaced, not written into')
    expect(lstatSync(join(target, 'memory')).isFile()).toBe(true)
  })
})

describe('entries that contradict each other', () => {
  it('lets the later entry win: duplicates, a file for a directory and the reverse', () => {
    accept([
      { name: 'twice', content: 'first' },
      { name: 'twice', content: 'second' },
      { name: 'd/', type: '5' },
      { name: 'd/inner', content: 'x' },
      { name: 'd', content: 'now a file' },
      { name: 'f', content: 'x' },
      { name: 'f/', type: '5', mode: 0o700 },
      { name: 'f/inner', content: 'y' },
      { name: 'self', content: 'z' },
      { name: 'self', type: '1', linkname: 'self' },
    ])
    expect(readFileSync(join(target, 'twice'), 'utf8')).toBe('second')
    expect(readFileSync(join(target, 'd'), 'utf8')).toBe('now a file')
    expect(readFileSync(join(target, 'f/inner'), 'utf8')).toBe('y')
    expect(readFileSync(join(target, 'self'), 'utf8')).toBe('z')
  })

  it('gives a file the owner and mode that its hard link says, as docker does, and else touches nothing of it', () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    accept([
      { name: 'a', content: 'a', mode: 0o644 },
      { name: 'b', type: '1', linkname: 'a', mode: 0o4700, uid: 7, gid: 8 },
      { name: 'tool', content: 'x', mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } },
      { name: 'same', type: '1', linkname: 'tool', mode: 0o755 },
    ])
    expect(lstatSync(join(target, 'a'))).toMatchObject({ mode: 0o104700, uid: 7, gid: 8, nlink: 2 })
    expect(run('getcap', join(target, 'tool'))).toContain('cap_net_raw=ep')
  })

  it('does not write through a hard link that a later entry replaces', () => {
    accept([
      { name: 'a', content: 'a' },
      { name: 'b', type: '1', linkname: 'a' },
      { name: 'b', content: 'b' },
    ])
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('a')
  })
})

describe('archives that are damaged or meant to fill the disk', () => {
  const file = { name: 'file', content: Buffer.alloc(100_000, 'x') }

  it('refuses an archive cut anywhere, and says after which entry', () => {
    const whole = tarArchive([{ name: 'first', content: 'x' }, file])
    for (const cut of [100, 700, 1024 + 300, 1024 + 512 + 5000]) expect(refuse(whole.subarray(0, cut))).toMatch(/cut|not a tar/)
    const compressed = gzipSync(whole)
    for (const cut of [5, 12, 60, compressed.length - 1]) refuse(compressed.subarray(0, cut))
    for (const program of ['zstd', 'xz', 'bzip2']) {
      const other = execFileSync(program, ['-c'], { input: whole })
      for (const cut of [20, other.length - 1]) refuse(other.subarray(0, cut))
      refuse(Buffer.concat([other, Buffer.from('trailing')]))
    }
  })

  it('takes an archive that ends with the last byte of its last file, as the docker command line sends it', () => {
    const whole = tarArchive([{ name: 'first', content: 'x' }, file])
    answer(['apply', '--target', target], whole.subarray(0, 1024 + 512 + 100_000))
    expect(readFileSync(join(target, 'file')).length).toBe(100_000)
    run('bash', '-c', `rm -rf '${target}'/*`)
    refuse(whole.subarray(0, 1024 + 512 + 99_999))
  })

  it('refuses an archive whose second closing block is cut, as Docker does; what follows two whole ones is let be', () => {
    const whole = tarArchive([{ name: 'first', content: 'x' }])
    const end = 1024 + 1024
    expect(refuse(whole.subarray(0, end - 1))).toMatch('cut in the blocks that end it, after "first"')
    for (const bytes of [
      whole.subarray(0, end),
      whole.subarray(0, end - 512),
      Buffer.concat([whole.subarray(0, end), Buffer.alloc(100)]),
    ]) {
      answer(['apply', '--target', target], bytes)
      expect(readFileSync(join(target, 'first'), 'utf8')).toBe('x')
      run('bash', '-c', `rm -rf '${target}'/*`)
    }
  })

  it('refuses damaged headers, checksums and pax records', () => {
    const broken = tarArchive([file, { name: 'second' }])
    broken[512 + 100_352 + 3] = 0xff
    refuse(broken)
    const checksum = gzipSync(tarArchive([file]))
    checksum[checksum.length - 6] = (checksum[checksum.length - 6] as number) ^ 1
    expect(refuse(checksum)).toContain('checksum')
    refuse(Buffer.from('this is no archive at all'.repeat(50)))
    refuse(tarEntries([{ name: 'PaxHeaders', type: 'x', content: '999 path=lie\n' }, { name: 'x' }]))
  })

  it('ignores what follows the last gzip member, however it is cut into blocks, as gzip and docker do', () => {
    const whole = gzipSync(tarArchive([file]))
    for (const more of [Buffer.from('x'), Buffer.alloc(512), Buffer.alloc(600_000, 'trailing')]) {
      run('bash', '-c', `rm -rf '${target}'/*`)
      const [applied] = answer(['apply', '--target', target], Buffer.concat([whole, more]))
      expect(applied?.sizeBytes).toBe(whole.length + more.length)
      expect(readFileSync(join(target, 'file')).equals(file.content)).toBe(true)
    }
  })

  it('stops at the limits of bytes and entries', () => {
    const bomb = gzipSync(tarArchive([{ name: 'bomb', content: Buffer.alloc(50_000_000) }]))
    expect(bomb.length).toBeLessThan(100_000)
    expect(refuse(bomb, '--max-bytes', '1000000')).toContain('limit')
    expect(
      refuse(
        Array.from({ length: 20 }, (_, i) => ({ name: `f${i}` })),
        '--max-entries',
        '10',
      ),
    ).toContain('limit')
    const sparse = {
      name: 'x',
      content: '',
      pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9000000000000' },
    }
    sparse.content = '0\n'.padEnd(512, '\0')
    expect(refuse([sparse], '--max-bytes', '1000000')).toMatch(/limit/)
  })

  it('refuses a negative or lying size', () => {
    refuse([{ name: 'x', pax: { size: '-1' }, content: 'abc' }])
    refuse(tarEntries([{ name: 'x', size: 8_000_000_000, content: 'abc' }]))
  })

  it('ends at once when the sender hangs after a bad entry', () => {
    const bad = tarEntries([{ name: '../x', content: 'x' }, file, file, file])
    const script = `(cat; sleep 20) | timeout 5 "$0" apply --target "$1"`
    const program = join(process.env.BERTH_NATIVE_BIN ?? join(import.meta.dirname, '../build/bin'), 'berth-unpack')
    writeFileSync(join(directory(), 'target-input'), bad)
    try {
      expect(() =>
        run(
          'bash',
          '-c',
          `set -o pipefail; ${script.replace('cat', `cat '${directory()}/target-input'`).replace('sleep 20', 'exec sleep 0.2')}`,
          program,
          target,
        ),
      ).toThrow(/leads out/)
    } finally {
      run('rm', join(directory(), 'target-input'))
      run('touch', '-d', '2020-01-01', directory())
    }
    expect(existsSync(join(target, 'file'))).toBe(false)
  })
})

describe('a root whose container runs on', () => {
  it('22: is left by no link that is swapped in on the way (CVE-2018-15664)', async () => {
    mkdirSync(join(target, 'swap'))
    writeFileSync(join(target, 'swap/file'), 'inside')
    symlinkSync(join(directory(), 'victim'), join(target, 'link'))
    const worker = new Worker(
      `const fs = require('node:fs'); const t = ${JSON.stringify(target)};
       for (;;) { try { fs.renameSync(t + '/swap', t + '/aside'); fs.renameSync(t + '/link', t + '/swap'); fs.renameSync(t + '/swap', t + '/link'); fs.renameSync(t + '/aside', t + '/swap') } catch {} }`,
      { eval: true },
    )
    const tar = tarArchive([{ name: 'file', content: 'hostile' }])
    const read = new Set<string>()
    for (let runs = 0; runs < 80; runs++) {
      unpack(['put', '--root', target, '--path', '/swap'], tar)
      const got = unpack(['get', '--root', target, '--path', '/swap/file'])
      if (got.status === 0) read.add(got.stdout.toString('latin1', 512, 519).replaceAll('\0', ''))
      expect(readFileSync(join(directory(), 'victim/file'), 'utf8')).toBe('victim')
    }
    await worker.terminate()
    read.delete('inside')
    expect([...read]).toEqual(['hostile'])
  })

  it('22: has none of its code run outside of it (CVE-2019-14271)', async () => {
    // A library that tells of itself, under the names that name-service look-ups and the dynamic linker use, and programs that tell of themselves.
    const told = join(target, 'told')
    const source = join(target, 'evil.c')
    writeFileSync(
      source,
      `#include <fcntl.h>\n__attribute__((constructor)) static void tell(void) { open("${told}", O_CREAT, 0600); open("/told", O_CREAT, 0600); }\n`,
    )
    const library = join(target, 'evil.so')
    run('cc', '-shared', '-fPIC', '-o', library, source)
    run('python3', '-c', `import ctypes, os; os.umask(0); ctypes.CDLL('${library}')`)
    expect(existsSync(told)).toBe(true)
    run('rm', '-f', told, '/told')
    const root = join(target, 'root')
    for (const name of [
      'etc',
      'bin',
      'usr/bin',
      'lib',
      'lib64',
      'lib/x86_64-linux-gnu',
      'usr/lib/x86_64-linux-gnu',
      told.slice(1, told.lastIndexOf('/')),
    ])
      mkdirSync(join(root, name), { recursive: true })
    for (const name of ['lib', 'lib64', 'lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'])
      for (const victim of ['libnss_files.so.2', 'libnss_compat.so.2', 'libc.so.6', 'libz.so.1', 'libzstd.so.1'])
        copyFileSync(library, join(root, name, victim))
    writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: compat files\ngroup: compat files\n')
    writeFileSync(join(root, 'etc/ld.so.preload'), '/lib/libc.so.6\n')
    writeFileSync(join(root, 'etc/passwd'), 'evil:x:1234:1234::/:/bin/sh\n')
    for (const name of ['bin/tar', 'bin/gzip', 'usr/bin/zstd', 'bin/unpigz', 'bin/xz'])
      writeFileSync(join(root, name), `#!/bin/sh\ntouch ${told}\n`, { mode: 0o755 })
    copyFileSync('/bin/busybox', join(root, 'busybox'))
    const child = spawn('chroot', [root, '/busybox', 'sleep', '60'], { stdio: 'ignore' })
    try {
      await expect.poll(() => readlinkSync(`/proc/${child.pid}/root`)).toBe(root)
      const startTime = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[19] as string
      for (const from of [
        ['--root', root],
        ['--pid', String(child.pid), '--start-time', startTime],
      ]) {
        for (const compress of [(tar: Buffer) => tar, gzipSync])
          expect(
            unpack(['put', ...from, '--path', '/'], compress(tarArchive([{ name: 'put', uid: 1234, gid: 1234, content: 'x' }]))),
          ).toMatchObject({ status: 0 })
        expect(unpack(['get', ...from, '--path', '/etc/passwd']).status).toBe(0)
        expect(unpack(['list', ...from, '--path', '/bin']).status).toBe(0)
        expect(unpack(['stat', ...from, '--path', '/put']).status).toBe(0)
        expect(unpack(['export', ...from]).status).toBe(0)
      }
    } finally {
      child.kill('SIGKILL')
    }
    expect(['told', `root${told}`, 'root/told'].filter((name) => existsSync(join(target, name)))).toEqual([])
    expect(existsSync('/told')).toBe(false)
  })
})
