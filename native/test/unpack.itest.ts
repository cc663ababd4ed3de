import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { tarArchive } from './tar-archive.ts'
import { answer, run, unpack, useDirectory } from './unpack-program.ts'

const directory = useDirectory()
const at = (...parts: string[]) => join(directory(), ...parts)
const make = (...parts: string[]) => {
  mkdirSync(at(...parts), { recursive: true })
  return at(...parts)
}
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A tree with one of everything that a layer can hold. */
function makeSource(): string {
  const source = make('source')
  mkdirSync(join(source, 'dir/sub'), { recursive: true })
  writeFileSync(join(source, 'dir/file'), 'content')
  run('ln', join(source, 'dir/file'), join(source, 'dir/sub/hard'))
  symlinkSync('/etc/passwd', join(source, 'absolute-link'))
  run('mkfifo', join(source, 'fifo'))
  run('mknod', join(source, 'null'), 'c', '1', '3')
  run('mknod', join(source, 'loop'), 'b', '7', '0')
  writeFileSync(join(source, 'caf\u00e9 \u{1f600}'), 'utf-8')
  run('cp', '/bin/true', join(source, 'capable'))
  run('chown', '1000:2000', join(source, 'dir/sub'), join(source, 'capable'))
  run('setcap', 'cap_net_raw+ep', join(source, 'capable'))
  run('cp', '/bin/true', join(source, 'setuid'))
  chmodSync(join(source, 'setuid'), 0o4755)
  chmodSync(join(source, 'dir/sub'), 0o1777)
  run('truncate', '-s', '5M', join(source, 'sparse'))
  run('touch', '-d', '2001-02-03T04:05:06.123456789Z', join(source, 'dir/file'), join(source, 'dir'))
  return source
}

/** Everything about a tree that a layer must keep, as text. */
function describeTree(root: string): string {
  const lines = run('find', root, '-mindepth', '1', '-printf', '%P %y %m %U:%G %n %s %T@ %l\\n').split('\n')
  const devices = run('bash', '-c', `cd '${root}' && find . -type b -o -type c | sort | xargs -r stat -c '%n %t:%T'`)
  const capabilities = run('bash', '-c', `cd '${root}' && getcap -r . | sort`)
  return [...lines.map((line) => line.replace(/ d (\S+) (\S+) \d+ \d+ /, ' d $1 $2 ')).sort(), devices, capabilities].join('\n')
}

function overlay<T>(lower: string, work: (mount: string, upper: string) => T): T {
  const [upper, workdir, mount] = [make('upper'), make('work'), make('mount')]
  run(
    'mount',
    '-t',
    'overlay',
    'overlay',
    '-o',
    `lowerdir=${lower},upperdir=${upper},workdir=${workdir},redirect_dir=off,metacopy=off`,
    mount,
  )
  try {
    return work(mount, upper)
  } finally {
    run('umount', mount)
  }
}

/** Lengths of everything but directories, each inode once. */
function lengthsIn(directory: string): number {
  const lines = run('find', directory, '!', '-type', 'd', '-printf', '%i %s\\n').trim().split('\n')
  return [...new Set(lines)].reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
}

describe('berth-unpack apply', () => {
  for (const compression of ['cat', 'gzip', 'zstd', 'bzip2', 'xz'])
    it(`unpacks everything that GNU tar packs, through ${compression}, and hashes both streams`, () => {
      const source = makeSource()
      run('bash', '-c', `tar -C '${source}' --xattrs --xattrs-include='*' --sparse --format=pax -c . > '${at('plain')}'`)
      run('bash', '-c', `${compression} < '${at('plain')}' > '${at('layer')}'`)
      const layer = readFileSync(at('layer'))
      const [result] = answer(['apply', '--target', make('target')], layer)
      expect(result).toMatchObject({ digest: sha256(layer), sizeBytes: layer.length, diffId: sha256(readFileSync(at('plain'))) })
      expect(result?.plainBytes).toBe(statSync(at('plain')).size)
      expect(describeTree(at('target'))).toBe(describeTree(source))
      expect(lengthsIn(at('target'))).toBe(result?.usageBytes)
      expect(statSync(at('target/sparse')).blocks).toBe(0)
    })

  it('decodes members put one after the other, cut anywhere', () => {
    const plain = tarArchive([{ name: 'file', content: Buffer.alloc(300_000, 'abc') }])
    for (const cut of [1, 511, 100_000, plain.length - 1]) {
      const layer = Buffer.concat([gzipSync(plain.subarray(0, cut)), gzipSync(plain.subarray(cut))])
      const target = make(`target-${cut}`)
      expect(answer(['apply', '--target', target], layer)[0]?.diffId).toBe(sha256(plain))
      expect(readFileSync(join(target, 'file')).equals(Buffer.alloc(300_000, 'abc'))).toBe(true)
    }
  })

  for (const format of ['--format=gnu', '--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0'])
    it(`keeps the holes of sparse files, GNU tar ${format}`, () => {
      const script = `truncate -s 5M s; printf hello | dd of=s bs=1 seek=500000 conv=notrunc status=none
        printf end | dd of=s bs=1 seek=5242877 conv=notrunc status=none; tar --sparse ${format} -cf ../layer s`
      run('bash', '-c', `cd '${make('source')}' && ${script}`)
      const [applied] = answer(['apply', '--target', make('target')], readFileSync(at('layer')))
      expect(applied).toMatchObject({ usageBytes: 5 << 20 })
      expect(readFileSync(at('target/s')).equals(readFileSync(at('source/s')))).toBe(true)
      expect(statSync(at('target/s')).blocks).toBeLessThan(100)
    })

  it('translates whiteouts, whatever their order', () => {
    const target = make('target')
    answer(
      ['apply', '--target', target],
      tarArchive([
        { name: 'gone/.wh.file' },
        { name: 'opaque/', type: '5' },
        { name: 'opaque/.wh..wh..opq' },
        { name: '.wh.replaced' },
        { name: 'replaced/', type: '5' },
        { name: 'replaced/new', content: 'x' },
        { name: 'kept', content: 'kept' },
        { name: '.wh.kept' },
        { name: '.wh..wh.plnk/', type: '5' },
      ]),
    )
    const lower = make('lower')
    for (const name of ['gone/file', 'opaque/old', 'replaced/old']) {
      mkdirSync(join(lower, name, '..'), { recursive: true })
      writeFileSync(join(lower, name), 'old')
    }
    run('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${target}:${lower}`, make('mount'))
    try {
      expect(run('find', at('mount'), '-mindepth', '1', '-printf', '%P\\n').trim().split('\n').sort()).toEqual([
        'gone',
        'kept',
        'opaque',
        'replaced',
        'replaced/new',
      ])
    } finally {
      run('umount', at('mount'))
    }
  })

  it('takes an empty archive as an empty layer and refuses a directory that is not empty', () => {
    expect(answer(['apply', '--target', make('a')], '')[0]).toMatchObject({ entries: 0, plainBytes: 0 })
    expect(answer(['apply', '--target', make('b')], tarArchive([]))[0]).toMatchObject({ entries: 0, plainBytes: 1024 })
    writeFileSync(at('b/there'), '')
    expect(unpack(['apply', '--target', at('b')], tarArchive([])).error?.code).toBe('failed_precondition')
    expect(existsSync(at('b/there'))).toBe(true)
  })
})

describe('berth-unpack diff and changes', () => {
  function change(mount: string): void {
    rmSync(join(mount, 'dir/file'))
    rmSync(join(mount, 'old'), { recursive: true })
    mkdirSync(join(mount, 'old'))
    writeFileSync(join(mount, 'old/new'), 'new')
    mkdirSync(join(mount, 'added/deep'), { recursive: true })
    writeFileSync(join(mount, 'added/a'), 'a')
    run('ln', join(mount, 'added/a'), join(mount, 'added/b'))
    writeFileSync(join(mount, 'temporary'), '')
    rmSync(join(mount, 'temporary'))
    chmodSync(join(mount, 'capable'), 0o700)
    run('setcap', 'cap_net_admin+ep', join(mount, 'capable'))
    writeFileSync(join(mount, `long-${'x'.repeat(200)}`), 'é')
  }

  it('lists what changed, with the parents that it makes changed', () => {
    const lower = makeSource()
    mkdirSync(join(lower, 'old'))
    writeFileSync(join(lower, 'old/gone'), '')
    const lines = overlay(lower, (mount, upper) => {
      change(mount)
      return answer(['changes', '--upper', upper, '--lower', lower]).map((line) => `${line.kind} ${line.path}`)
    })
    expect(lines).toEqual([
      'A /added',
      'A /added/a',
      'A /added/b',
      'A /added/deep',
      'C /capable',
      'C /dir',
      'D /dir/file',
      `A /long-${'x'.repeat(200)}`,
      'D /old',
      'A /old/new',
    ])
  })

  for (const compression of ['none', 'gzip', 'zstd'])
    it(`makes a layer that gives the same view again, ${compression}, byte for byte the same each time`, () => {
      const lower = makeSource()
      mkdirSync(join(lower, 'old'))
      writeFileSync(join(lower, 'old/gone'), '')
      overlay(lower, (mount, upper) => {
        change(mount)
        const call = ['diff', '--upper', upper, '--lower', lower, '--compress', compression]
        const first = unpack(call)
        const second = unpack(call)
        expect(first.status).toBe(0)
        expect(first.stdout.equals(second.stdout)).toBe(true)
        expect(JSON.parse(first.answer)).toMatchObject({ digest: sha256(first.stdout), sizeBytes: first.stdout.length })
        const [applied] = answer(['apply', '--target', make('target')], first.stdout)
        expect(applied?.diffId).toBe(JSON.parse(first.answer).diffId)
        run('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${at('target')}:${lower}`, make('again'))
        try {
          expect(describeTree(at('again'))).toBe(describeTree(mount))
        } finally {
          run('umount', at('again'))
        }
      })
    })

  it('is read by GNU tar, bsdtar and Python without a warning', () => {
    const upper = makeSource()
    writeFileSync(at('layer.tar'), unpack(['diff', '--upper', upper]).stdout)
    for (const reader of [`tar -tf`, `bsdtar -tf`])
      expect(run('bash', '-c', `LC_ALL=C.UTF-8 ${reader} '${at('layer.tar')}' 2>&1`)).toContain('dir/sub/hard')
    const python = 'import sys,tarfile; t=tarfile.open(sys.argv[1]); m=t.getmember("dir/file"); print(m.mtime, m.pax_headers.get("mtime"))'
    expect(run('python3', '-c', python, at('layer.tar')).trim()).toBe('981173106.1234568 981173106.123456789')
  })
})

describe('berth-unpack in and out of roots', () => {
  it('answers like docker cp: names, links, rebasing', () => {
    const root = make('root')
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/passwd'), 'inside')
    symlinkSync('../../../../etc', join(root, 'escape'))
    const members = (args: string[]) => {
      writeFileSync(at('got.tar'), unpack(args).stdout)
      return run('tar', '-Ptf', at('got.tar')).trim().split('\n')
    }
    expect(answer(['stat', '--root', root, '--path', '/escape'])[0]).toMatchObject({ name: 'escape', linkTarget: '/etc', isDir: false })
    expect(answer(['stat', '--root', root, '--path', '/escape/'])[0]).toMatchObject({ name: 'escape', linkTarget: null, isDir: true })
    expect(members(['get', '--root', root, '--path', '/escape'])).toEqual(['escape'])
    expect(members(['get', '--root', root, '--path', '/escape', '--follow'])).toEqual(['escape/', 'escape/passwd'])
    expect(members(['get', '--root', root, '--path', '/etc/.'])).toEqual(['./', './passwd'])
    expect(members(['get', '--root', root, '--path', '/'])).toEqual(['/', '/escape', '/etc/', '/etc/passwd'])
    expect(unpack(['stat', '--root', root, '--path', '/none']).error?.code).toBe('not_found')
  })

  it('puts archives below a directory reached through links, never above it', () => {
    const root = make('root')
    mkdirSync(join(root, 'real'))
    symlinkSync('/real', join(root, 'link'))
    writeFileSync(join(root, 'real/file'), '')
    expect(
      unpack(['put', '--root', root, '--path', '/link', '--uid', '5', '--gid', '6'], tarArchive([{ name: 'x', content: 'x', uid: 9 }]))
        .status,
    ).toBe(0)
    expect(lstatSync(join(root, 'real/x'))).toMatchObject({ uid: 5, gid: 6 })
    expect(unpack(['put', '--root', root, '--path', '/link'], tarArchive([{ name: '../up', content: 'x' }])).error?.code).toBe(
      'invalid_argument',
    )
    expect(existsSync(join(root, 'up'))).toBe(false)
    expect(unpack(['put', '--root', root, '--path', '/real/file'], tarArchive([])).error?.message).toContain(
      'extraction point is not a directory',
    )
    const keep = ['put', '--root', root, '--path', '/real', '--no-overwrite-dir-non-dir']
    expect(unpack(keep, tarArchive([{ name: 'file/', type: '5' }])).error?.message).toContain('cannot overwrite non-directory')
    mkdirSync(join(root, 'real/directory'))
    expect(unpack(keep, tarArchive([{ name: 'directory' }])).error?.message).toContain('cannot overwrite directory')
  })

  it('manages files: list, mkdir, rename without overwriting, remove', () => {
    const root = make('root')
    expect(unpack(['mkdir', '--root', root, '--path', '/a', '--mode', '1777']).status).toBe(0)
    writeFileSync(join(root, 'b'), 'bytes')
    symlinkSync('/etc', join(root, 'c'))
    expect(answer(['list', '--root', root, '--path', '/'])).toMatchObject([
      { name: 'a', type: 'directory', mode: 0o1777 },
      { name: 'b', type: 'file', sizeBytes: 5 },
      { name: 'c', type: 'link', linkTarget: '/etc' },
    ])
    expect(answer(['list', '--root', root, '--path', '/', '--limit', '1'])).toHaveLength(1)
    expect(unpack(['rename', '--root', root, '--path', '/b', '--to', '/a']).error?.code).toBe('already_exists')
    expect(unpack(['rename', '--root', root, '--path', '/b', '--to', '/a/b']).status).toBe(0)
    expect(unpack(['remove', '--root', root, '--path', '/c']).status).toBe(0)
    expect(existsSync('/etc/passwd')).toBe(true)
    expect(unpack(['remove', '--root', root, '--path', '/a']).status).toBe(0)
    expect(unpack(['remove', '--root', root, '--path', '/']).error?.code).toBe('invalid_argument')
    expect(readdirSync(root)).toEqual([])
  })

  it("copies a directory with everything, for a volume's first use", () => {
    const source = makeSource()
    const target = make('target')
    expect(unpack(['copy', '--root', source, '--path', '/', '--to-dir', target]).status).toBe(0)
    expect(describeTree(target)).toBe(describeTree(source))
    expect(unpack(['copy', '--root', source, '--path', '/', '--to-dir', target]).error?.code).toBe('failed_precondition')
  })

  it("reaches a running process's root, and only that process's", async () => {
    const root = make('root')
    run('cp', '/bin/busybox', root)
    writeFileSync(join(root, 'marker'), 'inside')
    const child = spawn('chroot', [root, '/busybox', 'sleep', '60'], { stdio: 'ignore' })
    try {
      await expect.poll(() => readlinkSync(`/proc/${child.pid}/root`)).toBe(root)
      const pid = String(child.pid)
      const startTime = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[19] as string
      const call = ['stat', '--pid', pid, '--path', '/../../marker', '--start-time']
      expect(answer([...call, startTime])[0]).toMatchObject({ name: 'marker', sizeBytes: 6 })
      expect(unpack([...call, '1']).error?.code).toBe('not_found')
    } finally {
      child.kill('SIGKILL')
    }
  })

  it("mounts a stopped container's layers for the call and leaves no mount", () => {
    const [lower, root] = [make('lower'), make('rootfs')]
    writeFileSync(join(lower, 'file'), 'lower')
    const options = [`lowerdir=${lower}`, `upperdir=${make('up')}`, `workdir=${make('work')}`]
    writeFileSync(at('mounts.json'), JSON.stringify({ mounts: [{ type: 'overlay', source: 'overlay', target: root, options }], root }))
    expect(unpack(['put', '--mounts', at('mounts.json'), '--path', '/'], tarArchive([{ name: 'put', content: 'x' }])).status).toBe(0)
    expect(readdirSync(at('up'))).toEqual(['put'])
    expect(answer(['list', '--mounts', at('mounts.json'), '--path', '/']).map((line) => line.name)).toEqual(['file', 'put'])
    expect(readdirSync(root)).toEqual([])
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(root)
  })

  it('exports a root without what is mounted in it', () => {
    const root = make('root')
    mkdirSync(join(root, 'mounted'))
    writeFileSync(join(root, 'file'), 'x')
    run('mount', '-t', 'tmpfs', 'tmpfs', join(root, 'mounted'))
    try {
      writeFileSync(join(root, 'mounted/hidden'), 'x')
      writeFileSync(at('export.tar'), unpack(['export', '--root', root]).stdout)
      expect(run('tar', '-tf', at('export.tar')).trim().split('\n')).toEqual(['file', 'mounted/'])
      expect(unpack(['delete-tree', '--dir', root]).error?.code).toBe('failed_precondition')
      expect(existsSync(join(root, 'mounted/hidden'))).toBe(true)
    } finally {
      run('umount', join(root, 'mounted'))
    }
  })
})

describe('berth-unpack delete-tree and usage', () => {
  it('removes a tree deeper than any path, with links that lead out', () => {
    const root = make('root')
    const outside = make('outside')
    writeFileSync(join(outside, 'precious'), 'x')
    symlinkSync(outside, join(root, 'link'))
    run('python3', '-c', `import os\nos.chdir('${root}')\nfor _ in range(3000):\n  os.mkdir('d'); os.chdir('d'); open('f','w').close()`)
    expect(unpack(['delete-tree', '--dir', root]).status).toBe(0)
    expect(existsSync(root)).toBe(false)
    expect(existsSync(join(outside, 'precious'))).toBe(true)
    expect(unpack(['delete-tree', '--dir', root]).status).toBe(0)
    expect(unpack(['delete-tree', '--dir', '/']).error?.code).toBe('invalid_argument')
  })

  it('counts lengths, and hard links once', () => {
    const root = make('root')
    writeFileSync(join(root, 'file'), Buffer.alloc(10_000))
    run('ln', join(root, 'file'), join(root, 'link'))
    expect(answer(['usage', '--dir', root])[0]).toEqual({
      sizeBytes: lengthsIn(root),
      inodes: 2,
    })
  })
})
