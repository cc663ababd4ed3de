// berth-monitor with real containers: stdio, log, attach, exit, exec. monitor-network.itest.ts and monitor-failure.itest.ts have the rest;
// what is here shares one way of making a container, which is why it stays together.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { descriptors, frame, isAlive, joinRecords, logFiles, MonitorHarness, sleep, until } from './monitor-harness.ts'

const harness = new MonitorHarness()

afterAll(() => harness.close())

async function nothingLeft() {
  for (const started of harness.started.splice(0)) {
    harness.end(started)
    for (const client of started.clients) client.close()
    await harness.gone(started)
  }
  expect(await harness.remains()).toEqual([])
}

afterEach(nothingLeft)

describe('a process and its end', () => {
  it('answers, writes the log, exit.json and goes', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'echo out; echo err >&2; exit 3'] })
    expect(started).toMatchObject({ exitCode: 0, answer: { ok: true } })
    expect(started.answer.startTime).toMatch(/^[1-9]\d*$/)
    const exit = await harness.exitOf(started)
    expect(exit).toMatchObject({ exitCode: 3, signal: null, oomKilled: false, startedAt: started.answer.startedAt })
    expect(exit.exitedAt >= exit.startedAt).toBe(true)
    await harness.gone(started)
    expect(harness.logText(started, 'stdout')).toBe('out\n')
    expect(harness.logText(started, 'stderr')).toBe('err\n')
    expect(existsSync(path.join(started.dir, 'run/attach.sock'))).toBe(false)
  })

  it('tells a signal as 128+n', async () => {
    const started = await harness.start({ args: ['sleep', '1000'] })
    harness.signal(started, 'SIGKILL')
    expect(await harness.exitOf(started)).toMatchObject({ exitCode: 137, signal: 9, oomKilled: false })
  })

  it('records itself where the agent looks for it', async () => {
    const started = await harness.start({ args: ['sleep', '1000'] })
    const record = JSON.parse(readFileSync(path.join(started.dir, 'run/monitor.json'), 'utf8'))
    expect(record).toMatchObject({ monitorPid: started.answer.monitorPid, pid: started.answer.pid, startTime: started.answer.startTime })
    expect(Number(readFileSync(path.join(started.dir, 'run/init.pid'), 'utf8'))).toBe(started.answer.pid)
    expect(statSync(path.join(started.dir, 'run/attach.sock')).mode & 0o777).toBe(0o600)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(started.dir)
  })

  it('does not end by SIGTERM while its process lives', async () => {
    const started = await harness.start({ args: ['sleep', '1000'] })
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(started.answer.monitorPid, signal)
    const client = (await harness.attach(started)).hello()
    await client.waitFor(frame.welcome)
    expect(isAlive(started.answer.pid)).toBe(true)
    client.number(frame.signal, 9)
    expect(await client.exit()).toMatchObject({ exitCode: 137 })
  })

  it("reaps and ends what a container in the host's pid namespace leaves", async () => {
    const script = '(sleep 0.05; exit 1) & sleep 4321 & (sleep 4321 &) ; sleep 0.3; exit 2'
    const started = await harness.start({ args: ['sh', '-c', script], hostPid: true })
    expect(await harness.exitOf(started)).toMatchObject({ exitCode: 2 })
    await harness.gone(started)
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toMatch(/^sleep 4321$/m)
  })

  it('says 127 and 126 when the command cannot be executed, and leaves nothing', async () => {
    const missing = await harness.start({ args: ['no-such-command'] })
    expect(missing).toMatchObject({ exitCode: 1, answer: { ok: false, exitStatus: 127, code: 'not_found' } })
    expect(missing.answer.message).toContain('no-such-command')
    const directory = await harness.start({ args: ['/etc'] })
    expect(directory).toMatchObject({ exitCode: 1, answer: { ok: false, exitStatus: 126 } })
  })

  it('refuses a document that it does not understand', async () => {
    const edits: [string, (document: Record<string, unknown>) => void][] = [
      ['version', (d) => Object.assign(d, { version: 2 })],
      ['kind', (d) => Object.assign(d, { kind: 'pod' })],
      ['stdin', (d) => Object.assign(d, { stdin: 'sometimes' })],
      ['bundle', (d) => Object.assign(d, { bundle: 'relative' })],
      ['replayBytes', (d) => Object.assign(d, { replayBytes: -1 })],
      ['attachFds', (d) => Object.assign(d, { attachFds: [0] })],
      ['mac', (d) => Object.assign(d, { network: { attachments: [{ bridge: 'b', hostName: 'h', containerName: 'c', mac: 'zz' }] } })],
    ]
    for (const [name, edit] of edits) {
      const refused = await harness.start({ edit })
      expect(refused).toMatchObject({ exitCode: 1, answer: { ok: false, step: 'document', code: 'invalid_argument' } })
      expect(refused.answer.message).toContain(`"${name}"`)
    }
  })
})

describe('the log', () => {
  it('keeps every byte of lines long and short, and of an unfinished one', async () => {
    const script = 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo short; printf unfinished'
    const started = await harness.start({ args: ['sh', '-c', script] })
    await harness.gone(started)
    expect(harness.logText(started)).toBe(`${'x'.repeat(40_000)}\nshort\nunfinished`)
    expect(
      harness
        .log(started)
        .split('\n')
        .map((line) => line.slice(38, 39))
        .join(''),
    ).toBe('PPFFP')
  })

  it('rotates by size without losing or cutting a line', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'seq 1 60000; sleep 1000'], log: { maxSizeBytes: 100_000, maxFiles: 1000 } })
    const dir = path.join(started.dir, 'logs')
    await until('the last line', () => harness.log(started).includes(' 60000\n'))
    const files = logFiles(dir)
    expect(files.length).toBeGreaterThan(20)
    let offset = 0
    for (const name of files) {
      expect(Number(name.slice(0, 20))).toBe(offset)
      offset += statSync(path.join(dir, name)).size
    }
    expect(harness.logText(started)).toBe(Array.from({ length: 60_000 }, (_, i) => `${i + 1}\n`).join(''))
  })

  it('keeps at most maxFiles, and those are the newest', async () => {
    const started = await harness.start({ args: ['seq', '1', '60000'], log: { maxSizeBytes: 100_000, maxFiles: 3 } })
    await harness.gone(started)
    expect(logFiles(path.join(started.dir, 'logs'))).toHaveLength(3)
    expect(joinRecords(harness.log(started)).endsWith('59999\n60000\n')).toBe(true)
  })

  it('begins a new file when it is told to', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'echo one; read x; echo two; sleep 1000'] })
    const client = (await harness.attach(started)).hello()
    await client.waitText('one', frame.stdout, frame.replay)
    client.send(frame.logRotate)
    client.send(frame.data, 'go\n')
    await client.waitText('two')
    const files = logFiles(path.join(started.dir, 'logs'))
    expect(files).toHaveLength(2)
    expect(joinRecords(readFileSync(path.join(started.dir, 'logs', files[1] as string), 'utf8'))).toBe('two\n')
  })

  it('goes on behind what an earlier run wrote', async () => {
    const first = await harness.start({ args: ['echo', 'first'] })
    await harness.gone(first)
    const second = await harness.start({ args: ['echo', 'second'], log: { dir: path.join(first.dir, 'logs') } })
    await harness.gone(second)
    expect(harness.logText(first)).toBe('first\nsecond\n')
    expect(logFiles(path.join(first.dir, 'logs'))).toHaveLength(1)
  })
})

describe('attach', () => {
  it('gives stdin, both streams and acknowledgements through pipes', async () => {
    const started = await harness.start({
      args: ['sh', '-c', 'while read line; do echo "got $line"; echo "err $line" >&2; done; echo end'],
    })
    const client = (await harness.attach(started)).hello()
    expect(JSON.parse((await client.waitFor(frame.welcome)).payload.toString())).toMatchObject({ pid: started.answer.pid, terminal: false })
    client.send(frame.data, 'a\nb\n')
    await client.waitText('got b')
    await client.waitText('err b', frame.stderr)
    const acknowledged = client.of(frame.stdinAck).reduce((sum, f) => sum + f.payload.readUInt32BE(0), 0)
    expect(acknowledged).toBe(4)
    client.send(frame.closeStdin)
    await client.waitText('end')
    expect(await client.exit()).toMatchObject({ exitCode: 0 })
    await until('the end of the socket', () => client.ended)
  })

  it('serves several clients, each with what it asked for', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'read x; echo out; echo err >&2; sleep 1000'] })
    const [both, out, err] = await Promise.all([harness.attach(started), harness.attach(started), harness.attach(started)])
    both.hello()
    out.hello({ stderr: false, stdin: false })
    err.hello({ stdout: false, stdin: false })
    await Promise.all([both, out, err].map((client) => client.waitFor(frame.replayEnd)))
    both.send(frame.data, 'go\n')
    await Promise.all([both.waitText('err', frame.stderr), out.waitText('out'), err.waitText('err', frame.stderr)])
    await both.waitText('out')
    expect(out.of(frame.stderr)).toEqual([])
    expect(err.of(frame.stdout)).toEqual([])
  })

  it('loses nothing before the first hello of an attach descriptor', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'echo first; sleep 1000'], attachFds: 2 })
    await sleep(200)
    expect(harness.log(started)).toBe('')
    const [one, two] = started.clients
    one?.hello({ replay: false })
    await sleep(100)
    two?.hello({ replay: false })
    expect(await one?.waitText('first')).toBe('first\n')
    expect(await two?.waitText('first')).toBe('first\n')
  })

  it('closes stdin after the first client when that was asked for', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'cat; echo end'], stdin: 'once' })
    const watcher = (await harness.attach(started)).hello({ stdin: false })
    const client = (await harness.attach(started)).hello()
    await client.waitFor(frame.welcome)
    client.send(frame.data, 'text\n')
    await client.waitFor(frame.stdinAck)
    client.close()
    expect(await watcher.waitText('end', frame.stdout, frame.replay)).toContain('text')
    expect(await watcher.exit()).toMatchObject({ exitCode: 0 })
  })

  it('stops the process when the credit is used up, and only then', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'read x; yes flood'], log: { maxSizeBytes: 1_000_000, maxFiles: 2 } })
    const client = (await harness.attach(started)).hello({ flow: 'credit', credit: 50_000, replay: false })
    await client.waitFor(frame.welcome)
    client.send(frame.data, 'go\n')
    await until('the credit to be used up', () => client.bytes(frame.stdout).length >= 50_000)
    await sleep(300)
    expect(client.bytes(frame.stdout).length).toBe(50_000)
    const size = () => harness.logText(started).length
    const stopped = size()
    await sleep(200)
    expect(size()).toBe(stopped)
    client.number(frame.credit, 7_000)
    await until('the new credit to be used up', () => client.bytes(frame.stdout).length >= 57_000)
    await sleep(200)
    expect(client.bytes(frame.stdout).length).toBe(57_000)
    client.close()
    await until('the flood to go on', () => logFiles(path.join(started.dir, 'logs')).some((name) => Number(name.slice(0, 20)) > 1_000_000))
  })

  it('cuts off a client that does not read, and never waits for it', async () => {
    const started = await harness.start({
      args: ['sh', '-c', 'read x; yes flood | head -c 20000000; sleep 1000'],
      log: { maxSizeBytes: 1_000_000, maxFiles: 2 },
    })
    const lazy = (await harness.attach(started)).hello()
    const busy = (await harness.attach(started)).hello({ flow: 'credit', credit: 2 ** 31 })
    await Promise.all([lazy.waitFor(frame.welcome), busy.waitFor(frame.welcome)])
    lazy.socket.pause()
    busy.send(frame.data, 'go\n')
    await until('the whole flood', () => busy.bytes(frame.stdout).length === 20_000_000, 30_000)
    lazy.socket.resume()
    await until('the lazy client to be cut off', () => lazy.ended)
    expect(lazy.of(frame.exit)).toEqual([])
    expect(lazy.bytes(frame.stdout).length).toBeLessThan(4_000_000)
  })

  it('keeps the end of what was printed for those who come later', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'seq 1 50000; echo last >&2; sleep 1000'], replayBytes: 16_384 })
    await until('all output', () => harness.log(started).includes('last'))
    const client = (await harness.attach(started)).hello()
    await client.waitFor(frame.replayEnd)
    const frames = client.of(frame.replay)
    expect(new Set(frames.map((f) => f.payload[0]))).toEqual(new Set([1, 2]))
    const text = frames.map((f) => f.payload.subarray(1).toString()).join('')
    expect(text.endsWith('49999\n50000\nlast\n')).toBe(true)
    expect(text.length).toBeGreaterThan(8_192)
    expect(text.length).toBeLessThanOrEqual(16_384)
  })

  it('does not spin when it has no descriptor left, and recovers', async () => {
    const started = await harness.start({ args: ['sleep', '1000'], wrapper: ['prlimit', '--nofile=48:48'] })
    expect(started.answer).toMatchObject({ ok: true })
    const clients = await Promise.all(Array.from({ length: 60 }, () => harness.attach(started)))
    for (const client of clients) client.hello()
    await until('the descriptors to be used up', () => clients.filter((client) => client.of(frame.welcome).length).length > 20)
    await sleep(100)
    const ticks = () => Number(readFileSync(`/proc/${started.answer.monitorPid}/stat`, 'utf8').split(') ')[1]?.split(' ')[12])
    const before = ticks()
    await sleep(700)
    expect(ticks() - before).toBeLessThan(20) // of 70
    for (const client of clients) client.close()
    const late = (await harness.attach(started)).hello()
    await late.waitFor(frame.welcome)
  })

  it('disconnects who breaks the protocol', async () => {
    const started = await harness.start({ args: ['sleep', '1000'] })
    const bad: ((client: Awaited<ReturnType<typeof harness.attach>>) => void)[] = [
      (client) => client.send(frame.data, 'before hello'),
      (client) => client.hello().send(0x55),
      (client) => client.hello().send(frame.resize, 'x'),
      (client) => client.hello({ stdin: false }).send(frame.data, 'x'),
      (client) => client.send(frame.hello, '{'),
      (client) => client.hello().hello(),
      (client) => client.hello().number(frame.signal, 0),
      (client) => client.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1])),
    ]
    for (const act of bad) {
      const client = await harness.attach(started)
      act(client)
      await until('to be disconnected', () => client.ended)
    }
    const client = (await harness.attach(started)).hello()
    await client.waitFor(frame.welcome)
  })

  it('serves 128 at once, of whom many never read, and turns the next away', async () => {
    const started = await harness.start({
      args: ['sh', '-c', 'read x; yes flood | head -c 1999998; sleep 1000'],
      log: { maxSizeBytes: 0, maxFiles: 1 },
    })
    const clients = await Promise.all(Array.from({ length: 128 }, () => harness.attach(started)))
    for (const client of clients) client.hello({ flow: 'credit', credit: 2 ** 31 })
    await Promise.all(clients.map((client) => client.waitFor(frame.welcome)))
    const lazy = (await harness.attach(started)).hello()
    await until('the 129th to be turned away', () => lazy.ended)
    // A place that becomes free is taken by the next.
    for (const client of clients.splice(0, 110)) client.close()
    const late = await Promise.all(Array.from({ length: 110 }, () => harness.attach(started)))
    for (const client of late) client.hello()
    await Promise.all(late.map((client) => client.waitFor(frame.welcome)))
    for (const client of late) client.socket.pause()
    clients[0]?.send(frame.data, 'go\n')
    await until('the flood to reach who reads', () => clients.every((client) => client.bytes(frame.stdout).length === 1_999_998))
    expect(harness.logText(started).length).toBe(1_999_998)
    for (const client of late) client.socket.resume()
    await until('those who did not read to be cut off', () => late.every((client) => client.ended))
  })

  it('has bounded memory whatever is printed', async () => {
    const started = await harness.start({
      args: ['sh', '-c', 'head -c 200000000 /dev/zero; sleep 1000'],
      log: { maxSizeBytes: 1_000_000, maxFiles: 1 },
    })
    const lazy = (await harness.attach(started)).hello({ stdin: false })
    lazy.socket.pause()
    await until('all of it', () => logFiles(path.join(started.dir, 'logs')).some((name) => Number(name.slice(0, 20)) > 199_000_000), 50_000)
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${started.answer.monitorPid}/status`, 'utf8'))?.[1])
    if (!process.env.BERTH_NATIVE_BIN?.includes('san')) expect(peak).toBeLessThan(6_000)
    lazy.close()
  })
})

describe('a terminal', () => {
  it('has the size that was asked for, changes it, and echoes', async () => {
    const started = await harness.start({ args: ['sh'], terminal: { cols: 100, rows: 30 } })
    const client = (await harness.attach(started)).hello()
    expect(JSON.parse((await client.waitFor(frame.welcome)).payload.toString())).toMatchObject({ terminal: true, cols: 100, rows: 30 })
    client.send(frame.data, 'stty size\n')
    await client.waitText('30 100', frame.stdout, frame.replay)
    client.resize(132, 43)
    expect([...(await client.waitFor(frame.resized)).payload]).toEqual([0, 132, 0, 43])
    client.send(frame.data, 'stty size; exit 5\n')
    await client.waitText('43 132')
    expect(await client.exit()).toMatchObject({ exitCode: 5 })
    expect(harness.logText(started)).toContain('43 132\r\n')
  })

  it('replays bytes and sizes in their order', async () => {
    const started = await harness.start({ args: ['sh'], terminal: { cols: 80, rows: 24 } })
    const first = (await harness.attach(started)).hello()
    first.send(frame.data, 'echo before\n')
    await first.waitText('\r\nbefore\r\n', frame.stdout, frame.replay)
    first.resize(90, 25)
    await first.waitFor(frame.resized)
    first.send(frame.data, 'echo after\n')
    await first.waitText('\r\nafter\r\n')
    first.close()
    const second = (await harness.attach(started)).hello()
    await second.waitFor(frame.replayEnd)
    const order = second.frames.map((f) => (f.type === frame.resized ? 'resized' : f.type === frame.replay ? f.payload.toString() : ''))
    const text = order.join('|')
    expect(text.indexOf('before')).toBeLessThan(text.indexOf('resized'))
    expect(text.indexOf('resized')).toBeLessThan(text.indexOf('after'))
  })

  it('loses nothing of the last output', async () => {
    const started = await harness.start({ args: ['sh', '-c', 'seq 1 5000'], terminal: { cols: 80, rows: 24 }, attachFds: 1 })
    const client = started.clients[0]?.hello({ replay: false })
    await client?.exit()
    expect(client?.text()).toBe(Array.from({ length: 5000 }, (_, i) => `${i + 1}\r\n`).join(''))
    expect(harness.logText(started)).toBe(client?.text())
  })

  it('stays open while nobody in the container has it open', async () => {
    const started = await harness.start({
      args: ['sh', '-c', 'exec </dev/null >/dev/null 2>&1; sleep 0.3; echo back >/dev/console'],
      terminal: { cols: 80, rows: 24 },
    })
    const client = (await harness.attach(started)).hello()
    await client.exit()
    expect(client.text(frame.stdout, frame.replay)).toBe('back\r\n')
  })
})

describe('an exec', () => {
  it('runs with pipes, with a terminal, and tells its own exit', async () => {
    const container = await harness.start({ args: ['sleep', '1000'] })
    const piped = await harness.exec(container, { args: ['sh', '-c', 'cat; echo err >&2; exit 9'], attachFds: 1 })
    const client = piped.clients[0]?.hello()
    client?.send(frame.data, 'through')
    client?.send(frame.closeStdin)
    expect(await client?.exit()).toMatchObject({ exitCode: 9 })
    expect(client?.text()).toBe('through')
    expect(client?.text(frame.stderr)).toBe('err\n')
    const terminal = await harness.exec(container, { args: ['stty', 'size'], terminal: { cols: 70, rows: 20 }, attachFds: 1 })
    const other = terminal.clients[0]?.hello()
    expect(await other?.exit()).toMatchObject({ exitCode: 0 })
    expect(other?.text()).toBe('20 70\r\n')
    expect(isAlive(container.answer.pid)).toBe(true)
  })

  it('does not wait for a background process that keeps the pipe', async () => {
    const container = await harness.start({ args: ['sleep', '1000'] })
    const exec = await harness.exec(container, { args: ['sh', '-c', 'sleep 1000 & echo done'], attachFds: 1 })
    const client = exec.clients[0]?.hello()
    expect(await client?.exit()).toMatchObject({ exitCode: 0 })
    expect(client?.text()).toBe('done\n')
  })

  it('may be one of many at the same time', async () => {
    const container = await harness.start({ args: ['sleep', '1000'] })
    const numbers = Array.from({ length: 40 }, (_, number) => number)
    const execs = await Promise.all(
      numbers.map((number) => harness.exec(container, { args: ['sh', '-c', `echo number ${number}; exit ${number}`], attachFds: 1 })),
    )
    for (const number of numbers) {
      const client = execs[number]?.clients[0]?.hello()
      expect(await client?.exit()).toMatchObject({ exitCode: number })
      expect(client?.text()).toBe(`number ${number}\n`)
    }
  })

  it('is told that the command is not there', async () => {
    const container = await harness.start({ args: ['sleep', '1000'] })
    const missing = await harness.exec(container, { args: ['no-such-command'] })
    expect(missing.answer).toMatchObject({ ok: false, exitStatus: 127, code: 'not_found', step: 'exec' })
  })

  it('ends with its container', async () => {
    const container = await harness.start({ args: ['sleep', '1000'] })
    const exec = await harness.exec(container, { args: ['sleep', '1000'], attachFds: 1 })
    const client = exec.clients[0]?.hello()
    await client?.waitFor(frame.welcome)
    harness.signal(container, 'SIGKILL')
    expect(await client?.exit()).toMatchObject({ exitCode: 137, signal: 9 })
  })
})

describe('out of memory', () => {
  it('is told live and in the verdict', async () => {
    const script = 'read x; head -c 100000000 /dev/zero | tail'
    const started = await harness.start({ args: ['sh', '-c', script], memoryLimit: 8_000_000, attachFds: 1 })
    const client = started.clients[0]?.hello()
    await client?.waitFor(frame.welcome)
    client?.send(frame.data, 'go\n')
    await client?.waitFor(frame.oom)
    expect(await client?.exit()).toMatchObject({ oomKilled: true })
  })
})

it.skipIf(process.env.BERTH_NATIVE_BIN?.includes('san'))('is small while it waits, also after a flood', async () => {
  const pss = (pid: number) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
  const idle = await harness.start({ args: ['sleep', '1000'] })
  await until('the memory to be given back', () => pss(idle.answer.monitorPid) < 50)
  const flooded = await harness.start({ args: ['sh', '-c', 'seq 1 200000; sleep 1000'], replayBytes: 0 })
  await until('the memory to be given back', () => harness.log(flooded).includes(' 200000\n') && pss(flooded.answer.monitorPid) < 50)
})

it('leaves no descriptor of its own in the process', async () => {
  const started = await harness.start({ args: ['sh', '-c', 'ls /proc/self/fd; sleep 1000'], attachFds: 1, stdin: 'closed' })
  const client = started.clients[0]?.hello()
  // 0, 1, 2 and the directory that ls itself has opened
  expect((await client?.waitText('3'))?.trim().split('\n')).toEqual(['0', '1', '2', '3'])
  // and the monitor has let go of what its caller had open
  const odd = descriptors(started.answer.monitorPid).filter(
    (target) => !/^(socket:|pipe:|anon_inode:|\/dev\/null$|\/sys\/fs\/cgroup\/|\/$)/.test(target),
  )
  expect(odd.filter((target) => !target.startsWith(started.dir))).toEqual([])
  expect(readdirSync(path.join(started.dir, 'run')).sort()).toEqual(['attach.sock', 'init.pid', 'monitor.json'])
})
