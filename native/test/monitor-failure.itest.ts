// What berth-monitor leaves behind when things go wrong: a fault at every step, a killed caller, a killed monitor, a full disk. With the sanitizer build.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { frame, isAlive, MonitorHarness, runtimePath, sleep, until } from './monitor-harness.ts'

const nativeDir = path.resolve(import.meta.dirname, '..')
const sanitized = path.join(nativeDir, 'build/san/bin/berth-monitor')
const harness = new MonitorHarness(sanitized)
const netns = harness.makeNetns('vtbr1', '172.31.202.1/24')

const network = {
  attachments: [
    { bridge: 'vtbr1', hostName: 'vbfault', containerName: 'eth0', addresses: ['172.31.202.2/24'], gateways: ['172.31.202.1'] },
  ],
  ports: [{ proto: 'tcp', hostIp: '0.0.0.0', hostPort: 18090, containerIp: '172.31.202.2', containerPort: 80 }],
}

beforeAll(() => {
  execFileSync('make', ['-s', '-C', nativeDir, 'SAN=1', 'build/san/bin/berth-monitor'])
})

afterAll(() => harness.close())

afterEach(async () => {
  for (const started of harness.started.splice(0)) {
    if (isAlive(started.answer.pid)) harness.signal(started, 'SIGKILL')
    await harness.gone(started)
  }
  expect(await harness.remains()).toEqual([])
})

describe('a fault', () => {
  const steps = [
    'directories',
    'runtime',
    'keeping',
    'attach',
    'namespace',
    'mounts',
    'ports',
    'stdio',
    'create',
    'network',
    'start',
    'record',
    'answer',
  ]

  it.each(steps)('before "%s" leaves nothing', async (step) => {
    const failed = await harness.start({ args: ['sleep', '1000'], netns, network, env: { BERTH_FAIL_AT: step } })
    expect(failed).toMatchObject({ exitCode: 1, answer: { ok: false, step, message: `injected fault before ${step}` } })
    expect(readdirSync(path.join(failed.dir, 'run'))).toEqual([])
    expect(harness.leftovers().filter((found) => !found.includes('with our mounts'))).toEqual([])
    expect(execFileSync('ip', ['netns', 'exec', netns, 'ss', '-ltnH'], { encoding: 'utf8' })).not.toContain(':18090')
  })

  it.each(['create', 'record', 'answer'])('before "%s" of a terminal or an exec leaves nothing', async (step) => {
    const terminal = { cols: 80, rows: 24 }
    const failed = await harness.start({ args: ['sleep', '1000'], terminal, env: { BERTH_FAIL_AT: step } })
    expect(failed.answer).toMatchObject({ ok: false, step })
    const container = await harness.start({ args: ['sleep', '1000'] })
    const exec = await harness.exec(container, { args: ['sleep', '1234'], terminal, env: { BERTH_FAIL_AT: step } })
    expect(exec.answer).toMatchObject({ ok: false, step })
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toMatch(/^sleep 1234$/m)
    expect(isAlive(container.answer.pid)).toBe(true)
  })

  it('of the machine names the thing', async () => {
    const cases: [string, RegExp, (document: Record<string, unknown>) => void][] = [
      ['open', /runDir .*nowhere/, (d) => Object.assign(d, { runDir: '/nowhere' })],
      ['open', /stateDir .*nowhere/, (d) => Object.assign(d, { stateDir: '/nowhere' })],
      ['runtime', /nowhere\/runtime/, (d) => Object.assign(d, { runtime: { path: '/nowhere/runtime', root: '/tmp' } })],
      ['log', /nowhere\/logs/, (d) => Object.assign(d, { log: { dir: '/nowhere/logs', maxSizeBytes: 0, maxFiles: 1 } })],
      ['mount', /lower-that-is-not/, (d) => editLower(d, '/lower-that-is-not')],
      ['mount', /option no_such_option/, (d) => editOption(d, 'no_such_option')],
      ['create', /./, (d) => Object.assign(d, { bundle: '/nowhere' })],
      ['create', /failed|could not be executed/, (d) => Object.assign(d, { runtime: { path: '/bin/false', root: '/tmp' } })],
    ]
    for (const [step, message, edit] of cases) {
      const failed = await harness.start({ edit })
      expect(failed).toMatchObject({ exitCode: 1, answer: { ok: false, step } })
      expect(failed.answer.message).toMatch(message)
    }
  })
})

type Rootfs = { mounts: { options: string[] }[] }

function editLower(document: Record<string, unknown>, lower: string) {
  const mount = (document.rootfs as Rootfs).mounts[0]
  if (mount) mount.options[0] = `lowerdir=${lower}`
}

function editOption(document: Record<string, unknown>, option: string) {
  ;(document.rootfs as Rootfs).mounts[0]?.options.push(option)
}

describe('the caller', () => {
  it('may be killed: the monitor stays, is found again, and nothing is lost', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'echo before; read x; echo after'], wrapper: [] })
    // The direct child has exited, so its caller may be gone; what is left is what the next agent finds.
    const record = JSON.parse(readFileSync(path.join(started.dir, 'run/monitor.json'), 'utf8'))
    expect(readFileSync(`/proc/${record.monitorPid}/stat`, 'utf8').split(' ')[3]).not.toBe(String(process.pid))
    const client = (await harness.attach(started)).hello()
    await client.waitText('before', frame.replay, frame.stdout)
    client.send(frame.data, 'x\n')
    await client.waitText('after')
    expect(await client.exit()).toMatchObject({ exitCode: 0 })
  })

  it('may be killed in the middle of the set-up', async () => {
    const killer = `const c=require('child_process').spawn(process.argv[1],{stdio:['pipe','pipe','ignore'],detached:true});c.stdin.end(require('fs').readFileSync(0));setTimeout(()=>process.kill(process.pid,'SIGKILL'),Number(process.argv[2]))`
    for (const delay of [0, 3, 6, 10]) {
      let document = ''
      const probe = await harness.start({
        args: ['sleep', '1000'],
        edit: (d) => {
          document = JSON.stringify(d)
          d.version = 0 // this one only makes the directories
        },
      })
      const child = spawn(process.execPath, ['-e', killer, sanitized, String(delay)], { stdio: ['pipe', 'ignore', 'ignore'] })
      child.stdin.end(document)
      await new Promise((resolve) => child.once('close', resolve))
      // Either it was killed before the document was whole, or there is a container that the next agent finds.
      const record = path.join(probe.dir, 'run/monitor.json')
      await sleep(300)
      if (!existsSync(record)) continue
      const found = JSON.parse(readFileSync(record, 'utf8'))
      harness.started.push({ ...probe, answer: { ...probe.answer, ...found, ok: true } })
      expect(isAlive(found.pid)).toBe(true)
    }
  })
})

describe('a monitor that is killed', () => {
  it('leaves a process that can be found and cleaned by what it has recorded', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'while echo tick; do sleep 0.05; done; sleep 1000'], netns, network })
    const client = (await harness.attach(started)).hello()
    await client.waitText('tick', frame.stdout, frame.replay)
    process.kill(started.answer.monitorPid, 'SIGKILL')
    await until('the end of the socket', () => client.ended)
    expect(client.of(frame.exit)).toEqual([])
    // Its next write meets a broken pipe: this shell dies of it (SIGPIPE), being PID 1 it gets EPIPE and goes on.
    await sleep(200)
    const runtime = [`--root=${harness.runtimeRoot}`, 'delete', '--force', started.id]
    execFileSync(runtimePath(), runtime)
    await until('the process to be gone', () => !isAlive(started.answer.pid))
    expect(existsSync(path.join(started.dir, 'state/exit.json'))).toBe(false)
    rmSync(path.join(started.dir, 'run/attach.sock'))
    await until('the link to be gone with its namespace', () => harness.leftovers().length === 0)
  })
})

describe('a full disk', () => {
  it('loses log records, says so, and does not touch the process', async () => {
    const small = path.join(harness.root, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small])
    try {
      writeFileSync(path.join(small, 'ballast'), Buffer.alloc(180_000))
      const script = 'seq 1 20000; echo half; read x; echo later; sleep 1000'
      const started = await harness.start({ args: ['sh', '-c', script], log: { dir: path.join(small, 'logs') }, attachFds: 1 })
      const client = started.clients[0]?.hello()
      await client?.waitText('half')
      truncateSync(path.join(small, 'ballast'), 0)
      client?.send(frame.data, 'x\n')
      await client?.waitText('later')
      const log = await until('the notice', () => {
        const text = readFileSync(path.join(small, 'logs/00000000000000000000.log'), 'utf8')
        return text.includes('later') && text
      })
      const lines = log.split('\n').slice(0, -1)
      expect(lines.every((line) => /^\d{4}-.*Z (stdout|stderr) F /.test(line))).toBe(true)
      // A small batch may find room between two that do not: then there are several notices.
      const notices = lines.map(
        (line) => / stderr F \[berth\] (\d+) log records \(\d+ bytes\) were lost here: No space left/.exec(line)?.[1],
      )
      const lost = notices.reduce((sum, count) => sum + Number(count ?? 0), 0)
      expect(lost).toBeGreaterThan(1000)
      expect(notices.filter((count) => !count).length + lost).toBe(20_002)
      harness.signal(started, 'SIGKILL')
      await harness.gone(started)
    } finally {
      execFileSync('umount', ['-l', small]) // lazily: after a failed check the container still runs
    }
  })

  it('does not lose the exit status', async () => {
    const small = path.join(harness.root, 'state-small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=2', 'tmpfs', small])
    try {
      writeFileSync(path.join(small, 'last-inode'), '')
      const started = await harness.start({ args: ['sh', '-c', 'exit 6'], edit: (d) => Object.assign(d, { stateDir: small }) })
      await harness.gone(started)
      expect(JSON.parse(readFileSync(path.join(started.dir, 'run/exit.json'), 'utf8'))).toMatchObject({ exitCode: 6 })
    } finally {
      execFileSync('umount', ['-l', small]) // lazily: after a failed check the container still runs
    }
  })
})

describe('the layers', () => {
  const idmap = {
    uidMappings: [{ containerID: 0, hostID: 200_000, size: 65_536 }],
    gidMappings: [{ containerID: 0, hostID: 300_000, size: 65_536 }],
  }
  const script = 'stat -c "%u %g %n" /bin/busybox; echo text > /new; cat /extra; mount | grep " / "'

  function twoLayers(document: Record<string, unknown>) {
    const second = path.join(harness.root, 'layer:two') // a colon must be escaped in the option
    mkdirSync(second, { recursive: true })
    writeFileSync(path.join(second, 'extra'), 'extra\n')
    editLower(document, `${second.replaceAll(':', '\\:')}:${harness.layer}`)
  }

  it.each([
    ['of a new kernel', {}],
    ['of a kernel before 6.7', { BERTH_FAIL_AT: 'lowerdir+' }],
  ])('%s are mounted, with their owners shifted if that is asked for', async (_name, env) => {
    const plain = await harness.start({ args: ['sh', '-c', script], env, edit: twoLayers })
    expect(plain.answer).toMatchObject({ ok: true })
    await harness.gone(plain)
    expect(harness.logText(plain)).toMatch(/^0 0 \/bin\/busybox\nextra\n/)
    expect(readFileSync(path.join(plain.dir, 'upper/new'), 'utf8')).toBe('text\n')
    const shifted = await harness.start({
      args: ['sh', '-c', script],
      env,
      edit: (d) => {
        twoLayers(d)
        Object.assign(d.rootfs as object, { idmap })
      },
    })
    expect(shifted.answer).toMatchObject({ ok: true })
    await harness.gone(shifted)
    expect(harness.logText(shifted)).toMatch(/^200000 300000 \/bin\/busybox\nextra\n/)
    expect(readdirSync(path.join(shifted.dir, 'run')).sort()).toEqual(['init.pid', 'monitor.json'])
  })

  it.each([
    ['', {}],
    [' of a kernel before 6.7', { BERTH_FAIL_AT: 'lowerdir+' }],
  ])('that are missing%s leave nothing', async (_name, env) => {
    const failed = await harness.start({
      env,
      edit: (d) => {
        editLower(d, `${harness.layer}:/lower-that-is-not`)
        Object.assign(d.rootfs as object, { idmap })
      },
    })
    expect(failed.answer).toMatchObject({ ok: false, step: 'mount' })
    expect(failed.answer.message).toContain('/lower-that-is-not')
    expect(readdirSync(path.join(failed.dir, 'run'))).toEqual([])
  })
})

it('cuts a torn last record off and goes on', async () => {
  const first = await harness.start({ args: ['sh', '-c', 'echo one; echo two'] })
  await harness.gone(first)
  const file = path.join(first.dir, 'logs/00000000000000000000.log')
  truncateSync(file, statSync(file).size - 3)
  const second = await harness.start({ args: ['echo', 'three'], log: { dir: path.join(first.dir, 'logs') } })
  await harness.gone(second)
  expect(harness.logText(first)).toBe('one\nthree\n')
})
