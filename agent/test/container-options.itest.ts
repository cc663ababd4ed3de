import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine, parseOptions, type TestEngine, testConfig } from './engine.ts'
import { busyboxImage, busyboxLayer, imageOf, layerOf, tarOf, tinyTar } from './images.ts'
import { settledLeftovers } from './leaks.ts'

let engine: TestEngine
const config = testConfig()
beforeAll(async () => {
  const data = layerOf(
    tarOf((directory) => {
      chmodSync(directory, 0o755)
      mkdirSync(join(directory, 'data'))
      writeFileSync(join(directory, 'data', 'seed'), 'from the image\n')
      mkdirSync(join(directory, 'etc'))
      writeFileSync(join(directory, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\n')
      writeFileSync(join(directory, 'etc', 'group'), 'root:x:0:\nweb:x:1001:\nvideo:x:44:web\n')
    }),
  )
  engine = await openTestEngine(config, {
    'busybox:1': busyboxImage(),
    'volumes:1': imageOf([busyboxLayer(), data], {
      Volumes: { '/data': {} },
      User: 'web',
      Env: ['COLOUR=red', 'PATH=/bin'],
      WorkingDir: '/tmp',
      Labels: { made: 'test' },
    }),
  })
})
afterEach(async () => {
  for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
    await engine.containers.remove(id, { force: true, volumes: true })
})
afterAll(async () => {
  const left = await settledLeftovers(config)
  await engine?.destroy()
  expect(left).toEqual([])
})

const sh = (script: string, options: Record<string, unknown> = {}) =>
  engine.output({ image: 'busybox:1', cmd: ['sh', '-c', script], networkMode: 'none', ...options })

describe('process options', () => {
  it('user, groups, environment, directory and host name', async () => {
    const result = await sh('id -u; id -g; id -G; pwd; echo $COLOUR $SIZE $HOME; hostname; dnsdomainname 2>/dev/null; true', {
      image: 'volumes:1',
      env: ['SIZE=9', 'COLOUR=blue'],
      hostname: 'ship',
      groupAdd: ['77'],
      workingDir: '/var/made',
    })
    expect(result).toMatchObject({ exit: 0, stdout: '1000\n1001\n1001 44 77\n/var/made\nblue 9 /srv\nship\n' })
  })

  it('read-only root, tmpfs, shm size, ulimits and init', async () => {
    const result = await sh(
      'touch /x 2>&1; touch /scratch/y && df -k /scratch | tail -1 | tr -s " " | cut -d" " -f2; df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2; ulimit -n; tr "\\0" " " < /proc/1/cmdline',
      {
        readOnlyRootfs: true,
        tmpfs: { '/scratch': 'size=1m' },
        shmSizeBytes: 2 * 1024 * 1024,
        ulimits: [{ name: 'nofile', soft: 123, hard: 456 }],
        init: true,
      },
    )
    expect(result.stdout).toMatch(/^touch: \/x: Read-only file system\n1024\n2048\n123\n\/sbin\/berth-init -- sh -c/)
  })

  it('capabilities, seccomp, masked paths and no-new-privileges', async () => {
    const caps = async (options: Record<string, unknown>) =>
      (await sh('grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status | cut -f2', options)).stdout.split('\n').slice(0, 3)
    expect(await caps({})).toEqual(['00000000a80425fb', '0', '2'])
    expect(await caps({ capDrop: ['ALL'], capAdd: ['net_admin'], securityOpt: ['no-new-privileges'] })).toEqual([
      '0000000000001000',
      '1',
      '2',
    ])
    expect((await caps({ securityOpt: ['seccomp=unconfined'] }))[2]).toBe('0')
    const privileged = await caps({ privileged: true })
    expect(privileged[2]).toBe('0')
    expect(Number.parseInt((privileged[0] as string).slice(-8), 16)).toBeGreaterThan(0xa80425fb)
    expect(
      (await sh('cat /proc/kcore | head -c 1 | wc -c; echo x > /proc/sys/kernel/hostname; unshare -m true; mount -t tmpfs x /mnt')).stderr,
    ).toMatch(/Read-only|denied|not permitted/)
    expect(
      (
        await sh('unshare -m true 2>&1; chmod 700 /tmp 2>&1; true', {
          securityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmodat"],"action":"SCMP_ACT_ERRNO"}]}'],
        })
      ).stdout,
    ).toMatch(/chmod:.*not permitted/)
  })

  it('devices, sysctls and groups of devices', async () => {
    const result = await sh(
      'cat /dev/mem0 2>&1 | head -c 0; ls -l /dev/zz | cut -c1; cat /proc/sys/net/ipv4/ip_forward; head -c 3 /dev/zz | od -An -tx1',
      {
        devices: [{ hostPath: '/dev/zero', containerPath: '/dev/zz', permissions: 'r' }],
        sysctls: { 'net.ipv4.ip_forward': '1' },
      },
    )
    expect(result.stdout).toBe('c\n1\n 00 00 00\n')
    await expect(sh('true', { devices: [{ hostPath: '/dev/nope', containerPath: '', permissions: 'rwm' }] })).rejects.toThrow(
      'error gathering device information',
    )
  })

  it('namespaces of the host and of another container', async () => {
    const inode = (name: string) => execFileSync('readlink', [`/proc/self/ns/${name}`], { encoding: 'utf8' }).trim()
    const links = (
      await sh('for n in net pid ipc uts; do readlink /proc/self/ns/$n; done', {
        networkMode: 'host',
        pidMode: 'host',
        ipcMode: 'host',
        utsMode: 'host',
      })
    ).stdout
    expect(links.trim().split('\n')).toEqual(['net', 'pid', 'ipc', 'uts'].map(inode))
    const first = await engine.run({
      image: 'busybox:1',
      cmd: ['sh', '-c', 'echo hi > /dev/shm/note; exec sleep 60'],
      name: 'first',
      ipcMode: 'shareable',
    } as never)
    await expect.poll(async () => (await engine.exec(first, { cmd: ['cat', '/dev/shm/note'] })).stdout).toBe('hi\n')
    const joined = await sh('ip -4 addr show eth0 | grep -c inet; ps | grep -q "sleep 60" && echo there; cat /dev/shm/note', {
      networkMode: `container:${first}`,
      pidMode: `container:${first}`,
      ipcMode: `container:${first}`,
    })
    expect(joined.stdout).toMatch(/^1\nthere\nhi\n$/)
    await engine.containers.stop(first, { timeoutSeconds: 0 })
    await expect(sh('true', { networkMode: `container:${first}` })).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  it('is an unprivileged range outside with --userns=auto, without touching the layers', async () => {
    const { id } = await engine.containers.create({
      options: parseOptions({
        image: 'volumes:1',
        user: 'root',
        cmd: ['sh', '-c', 'id -u; stat -c %u /bin/busybox /data/seed; echo mine > /made; stat -c %u /made; sleep 60'],
        usernsMode: 'auto',
      }),
    })
    await engine.containers.start(id)
    await expect
      .poll(async () =>
        (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 10 })).records.map(({ text }) => text),
      )
      .toEqual(['0', '0', '0', '0'])
    const { state, storage } = await engine.containers.inspect(id)
    const outside = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${state.pid}/status`, 'utf8'))?.[1]
    expect(Number(outside)).toBeGreaterThanOrEqual(0x20000000)
    expect(execFileSync('stat', ['-c', '%u', join(storage.upper, 'made')], { encoding: 'utf8' }).trim()).toBe(outside)
    expect(execFileSync('stat', ['-c', '%u', join(storage.lower.at(-1) as string, 'bin/busybox')], { encoding: 'utf8' }).trim()).toBe('0')
    expect((await engine.exec(id, { cmd: ['id', '-u'] })).stdout).toBe('0\n')
    // What is copied in belongs to root inside, not to nobody; running or not.
    const put = (name: string) =>
      engine.containers.putArchive(id, '/', Readable.from([tinyTar(name, 'x')]), { noOverwriteDirNonDir: false, copyUidGid: false })
    await put('live')
    expect((await engine.exec(id, { cmd: ['stat', '-c', '%u:%g', '/live'] })).stdout).toBe('0:0\n')
    await engine.containers.stop(id, { timeoutSeconds: 0 })
    await put('idle')
    expect(execFileSync('stat', ['-c', '%u:%g', join(storage.upper, 'idle')], { encoding: 'utf8' }).trim()).toBe(`${outside}:${outside}`)
  })
})

describe('data', () => {
  it('binds directories and files both ways, and enforces ro', async () => {
    const host = mkdtempSync(join(tmpdir(), 'berth-bind-'))
    try {
      writeFileSync(join(host, 'file'), 'one')
      const result = await sh('cat /b/file; echo two > /b/new; echo x > /r/new; cat /one', {
        mounts: [
          { type: 'bind', source: host, target: '/b' },
          { type: 'bind', source: host, target: '/r', readOnly: true },
          { type: 'bind', source: join(host, 'file'), target: '/one' },
        ],
      })
      expect(result.stdout).toBe('oneone')
      expect(result.stderr).toContain('Read-only file system')
      expect(readFileSync(join(host, 'new'), 'utf8')).toBe('two\n')
      await expect(sh('true', { mounts: [{ type: 'bind', source: join(host, 'absent'), target: '/b' }] })).rejects.toThrow(
        'bind source path does not exist',
      )
      await sh('true', { mounts: [{ type: 'bind', source: join(host, 'made/deep'), target: '/b', createSource: true }] })
      expect(existsSync(join(host, 'made/deep'))).toBe(true)
    } finally {
      rmSync(host, { recursive: true, force: true })
    }
  })

  it('copies the image into a new volume, keeps named ones, shares them by volumes-from and removes anonymous ones', async () => {
    const first = await sh('cat /data/seed; id -u; echo kept > /tmp/x; echo more > /named/file', {
      image: 'volumes:1',
      user: 'root',
      mounts: [{ type: 'volume', source: 'named', target: '/named' }],
    })
    expect(first.stdout).toBe('from the image\n0\n')
    expect((await sh('cat /named/file', { mounts: [{ type: 'volume', source: 'named', target: '/named' }] })).stdout).toBe('more\n')
    await engine.containers.create({ name: 'store', options: parseOptions({ image: 'volumes:1' }) })
    expect((await sh('cat /data/seed; echo new > /data/n; cat /data/n', { volumesFrom: ['store'] })).stdout).toBe('from the image\nnew\n')
    expect((await sh('cat /data/n; echo x > /data/y', { volumesFrom: ['store:ro'] })).stderr).toContain('Read-only file system')
    const volume = (await engine.containers.inspect('store')).mounts[0]?.name as string
    await expect(engine.volumes.remove(volume, { force: false })).rejects.toMatchObject({ code: 'failed_precondition' })
    await engine.containers.remove('store', { force: false, volumes: true })
    expect((await engine.volumes.list()).map(({ name }) => name)).toEqual(['named'])
    await engine.volumes.remove('named', { force: false })
  })

  it('cannot be led outside by links when files are copied', async () => {
    const secret = '/etc/hostname'
    const id = await engine.run({
      image: 'busybox:1',
      cmd: ['sh', '-c', `ln -s / /out; ln -s ${secret} /tmp/link; mkdir -p /d; ln -s /etc /d/etc; echo ready; sleep 60`],
      networkMode: 'none',
      hostname: 'inside',
    })
    await expect
      .poll(async () => (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 5 })).records.length)
      .toBe(1)
    for (const running of [true, false]) {
      if (!running) await engine.containers.stop(id, { timeoutSeconds: 0 })
      expect((await engine.containers.statPath(id, '/out/bin/busybox')).sizeBytes).toBeGreaterThan(100_000)
      const { archive } = await engine.containers.getArchive(id, '/tmp/link', { follow: true })
      const text = execFileSync('tar', ['-xO'], {
        input: await buffer(archive as Readable),
        encoding: 'utf8',
      })
      if (running) expect(text).toBe('inside\n')
      expect(text).not.toBe(readFileSync(secret, 'utf8'))
      const tar = tarOf((directory) => writeFileSync(join(directory, 'planted'), 'x'))
      await engine.containers.putArchive(id, '/d/etc', Readable.from([tar]), { noOverwriteDirNonDir: false, copyUidGid: false })
      expect(existsSync('/etc/planted')).toBe(false)
      expect((await engine.containers.listFiles(id, '/etc', 1000)).map(({ name }) => name)).toContain('planted')
      await expect(engine.containers.statPath(id, '/nope')).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('Could not find the file /nope in container'),
      })
    }
    expect((await engine.containers.changes(id)).map(({ kind, path }) => `${kind} ${path}`)).toContain('A /etc/planted')
  })

  it('reaches the volumes of a container that does not run', async () => {
    const { id } = await engine.containers.create({
      options: parseOptions({ image: 'volumes:1', mounts: [{ type: 'volume', source: 'vol', target: '/vol', readOnly: true }] }),
    })
    const tar = tarOf((directory) => writeFileSync(join(directory, 'put'), 'there'))
    await engine.containers.putArchive(id, '/data', Readable.from([tar]), { noOverwriteDirNonDir: false, copyUidGid: false })
    await expect(
      engine.containers.putArchive(id, '/vol', Readable.from([tar]), { noOverwriteDirNonDir: false, copyUidGid: false }),
    ).rejects.toMatchObject({ code: 'permission_denied' })
    const volume = (await engine.containers.inspect(id)).mounts.find(({ destination }) => destination === '/data')?.source as string
    expect(readFileSync(join(volume, 'put'), 'utf8')).toBe('there')
    expect((await engine.containers.statPath(id, '/data/put')).sizeBytes).toBe(5)
    const { archive } = await engine.containers.getArchive(id, '/data')
    expect(execFileSync('tar', ['-t'], { input: await buffer(archive as Readable), encoding: 'utf8' })).toContain('data/put')
    await engine.containers.remove(id, { force: false, volumes: true })
    await engine.volumes.remove('vol', { force: false })
  })

  it('mounts a part of a volume, and is not led out of it', async () => {
    const all = { type: 'volume', source: 'parts', target: '/v' } as const
    const script = 'mkdir -p /v/a/b; echo deep > /v/a/b/f; echo one > /v/file; ln -s /etc /v/out; ln -s a /v/in'
    expect((await engine.output({ image: 'busybox:1', cmd: ['sh', '-c', script], networkMode: 'none', mounts: [all] })).exit).toBe(0)
    const part = (subpath: string, target = '/p') => ({ type: 'volume', source: 'parts', target, subpath }) as const
    const show = (subpath: string, command: string[]) =>
      engine.output({ image: 'busybox:1', cmd: command, networkMode: 'none', mounts: [part(subpath)] })
    expect((await show('a/b', ['sh', '-c', 'cat /p/f; echo new > /p/g; ls /p'])).stdout).toBe('deep\nf\ng\n')
    expect((await show('file', ['cat', '/p'])).stdout).toBe('one\n')
    for (const [subpath, code] of [
      ['out', 'invalid_argument'],
      ['out/ssh', 'invalid_argument'],
      ['in/b', 'invalid_argument'],
      ['a/none', 'not_found'],
      ['../x', 'invalid_argument'],
      ['/etc', 'invalid_argument'],
    ] as const)
      await expect(show(subpath, ['true']), subpath).rejects.toMatchObject({ code })
    // Also of one that does not run.
    const { id } = await engine.containers.create({ options: parseOptions({ image: 'busybox:1', mounts: [part('a/b')] }) })
    expect((await engine.containers.statPath(id, '/p/g')).sizeBytes).toBe(4)
    await engine.containers.remove(id, { force: false, volumes: false })
    expect(await settledLeftovers(config, (left) => left.includes('subpaths'))).toEqual([])
    await engine.volumes.remove('parts', { force: false })
  })

  it('commits and exports', async () => {
    const id = await engine.run({
      image: 'busybox:1',
      cmd: ['sh', '-c', 'echo made > /made; echo ok; sleep 60'],
      networkMode: 'none',
      env: ['A=1'],
    })
    await expect
      .poll(async () => (await engine.logs.read({ container: id, stdout: true, stderr: true, tail: null, limit: 5 })).records.length)
      .toBe(1)
    await engine.containers.commit(id, { reference: 'made:1', comment: 'c', author: 'a', changes: ['CMD ["cat","/made"]'], pause: true })
    expect((await engine.output({ image: 'made:1', networkMode: 'none' })).stdout).toBe('made\n')
    // What every container is mounted on is the engine's: neither shown nor taken along.
    expect(await engine.containers.changes(id)).toEqual([{ kind: 'A', path: '/made' }])
    const { digest } = (await engine.images.inspect('made:1')).layers.at(-1) as { digest: string }
    const layer = readFileSync(`${config.dataRoot}/content/blobs/sha256/${digest.slice('sha256:'.length)}`)
    expect(execFileSync('tar', ['-tz'], { input: layer, encoding: 'utf8' })).toBe('made\n')
    const signs = await engine.exec(id, { cmd: ['sh', '-c', 'ls /.dockerenv; readlink /etc/mtab; stat -c %a /etc'] })
    expect(signs.stdout).toBe('/.dockerenv\n/proc/mounts\n755\n')
    const list = execFileSync('tar', ['-t'], {
      input: await buffer((await engine.containers.export(id)) as Readable),
      encoding: 'utf8',
    })
    expect(list).toMatch(/^(\.\/)?made$/m)
    await engine.images.remove('made:1', { force: true, prune: true })
  })
})

describe('names and lists', () => {
  it('keeps names apart and finds by prefix', async () => {
    const options = parseOptions({ image: 'busybox:1', cmd: ['true'], labels: { app: 'x' } })
    const { id } = await engine.containers.create({ name: 'web', options })
    await expect(engine.containers.create({ name: 'web', options })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining(`The container name "/web" is already in use by container "${id}"`),
    })
    const { id: other } = await engine.containers.create({ options })
    expect((await engine.containers.inspect(other)).name).toMatch(/^[a-z]+_[a-z]+/)
    expect(engine.containers.resolveId(id.slice(0, 12))).toBe(id)
    await engine.containers.rename('web', 'site')
    expect((await engine.containers.list({ all: true, filters: { name: ['^site$'] }, limit: 0, size: true }))[0]).toMatchObject({
      id,
      sizeRwBytes: expect.any(Number),
    })
    expect(await engine.containers.list({ all: false, filters: {}, limit: 0, size: false })).toEqual([])
    const dry = await engine.containers.prune({ labels: ['app=x'], notLabels: [], dryRun: true })
    expect(dry.removed).toHaveLength(2)
    expect(
      (await engine.containers.prune({ labels: ['app=x'], notLabels: [], dryRun: false })).removed.map((one) => one.id).sort(),
    ).toEqual([id, other].sort())
  })
})
