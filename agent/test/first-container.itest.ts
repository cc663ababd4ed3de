import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachAll, collector, openTestEngine, parseExec, parseOptions, type TestEngine } from './engine.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await openTestEngine()
})
afterAll(() => engine?.destroy())

describe('the first container', () => {
  it('is pulled, created, started, heard, exec-ed into, stopped and removed', async () => {
    const { id, warnings } = await engine.containers.create({
      name: 'first',
      options: parseOptions({
        image: 'busybox:1',
        cmd: ['sh', '-c', 'echo hello; echo oops >&2; trap "exit 7" TERM; while :; do sleep 0.05; done'],
      }),
    })
    expect(warnings).toEqual([])
    const viewer = collector()
    await engine.containers.attach(id, attachAll, viewer)
    expect(await engine.containers.start('first')).toBe(true)
    expect(await engine.containers.start('first')).toBe(false)
    const detail = await engine.containers.inspect('first')
    expect(detail.state).toMatchObject({ status: 'running', exitCode: 0, error: '' })
    expect(detail.networks[0]).toMatchObject({ networkName: 'bridge', ipv4: expect.stringMatching(/^10\./) })
    expect(await engine.exec('first', { cmd: ['sh', '-c', 'hostname; id -u; ip -4 addr show eth0 | grep -c inet; exit 3'] })).toEqual({
      exit: 3,
      stdout: `${id.slice(0, 12)}\n0\n1\n`,
      stderr: '',
    })
    expect((await engine.containers.top('first', ['-o', 'pid,args'])).processes.map((row) => row[1])).toContainEqual(
      expect.stringContaining('echo hello'),
    )
    const waiting = engine.containers.wait('first', 'next-exit')
    expect(await engine.containers.stop('first')).toBe(true)
    expect(await waiting).toEqual({ exitCode: 7, error: '' })
    expect(await viewer.done).toMatchObject({ exit: { exitCode: 7 } })
    expect([viewer.out(), viewer.err()]).toEqual(['hello\n', 'oops\n'])
    const page = await engine.logs.read({ container: 'first', stdout: true, stderr: true, tail: null, limit: 10 })
    expect(page.records.map(({ stream, text }) => `${stream}: ${text}`).sort()).toEqual(['stderr: oops', 'stdout: hello'])
    await engine.containers.remove('first', { force: false, volumes: true })
    await expect(engine.containers.inspect('first')).rejects.toMatchObject({ code: 'not_found', message: 'No such container: first' })
  })

  it('says 127, 126 and the signal as docker does', async () => {
    const started = engine.run({ image: 'busybox:1', cmd: ['no-such-command'], networkMode: 'none' })
    await expect(started).rejects.toMatchObject({ exitStatus: 127, message: expect.stringContaining('executable file not found in $PATH') })
    await expect(engine.run({ image: 'busybox:1', cmd: ['/etc/passwd'], networkMode: 'none' })).rejects.toMatchObject({ exitStatus: 126 })
    const id = await engine.run({ image: 'busybox:1', cmd: ['sleep', '60'], networkMode: 'none' })
    const waiting = engine.containers.wait(id, 'next-exit')
    await engine.containers.kill(id, 'KILL')
    expect((await waiting).exitCode).toBe(137)
    await engine.containers.remove(id, { force: false, volumes: true })
    expect((await engine.output({ image: 'busybox:1', cmd: ['sh', '-c', 'exit 42'] })).exit).toBe(42)
  })

  it('types into a terminal that outlives its viewer', async () => {
    const id = await engine.run({ image: 'busybox:1', cmd: ['sh'], terminal: true, openStdin: true })
    const first = collector()
    const attachment = await engine.containers.attach(id, { ...attachAll, stdin: true }, first)
    attachment.resize(100, 30)
    await attachment.write(Buffer.from('stty size\n'))
    await expect.poll(() => first.out()).toContain('30 100')
    attachment.close()
    const second = collector()
    const again = await engine.containers.attach(id, { ...attachAll, stdin: true, replay: true }, second)
    expect(again.size).toEqual({ cols: 100, rows: 30 })
    await expect.poll(() => second.replayText()).toContain('30 100')
    await again.write(Buffer.from('exit 5\n'))
    expect(await second.done).toMatchObject({ exit: { exitCode: 5 } })
    await engine.containers.remove(id, { force: false, volumes: true })
  })

  it('feeds stdin and its end to a pipe', async () => {
    const { id } = await engine.containers.create({
      options: parseOptions({ image: 'busybox:1', cmd: ['sha256sum'], openStdin: true, stdinOnce: true, networkMode: 'none' }),
    })
    const viewer = collector()
    const attachment = await engine.containers.attach(id, { ...attachAll, stdin: true }, viewer)
    const written = attachment.write(Buffer.alloc(3_000_000, 'x'))
    attachment.closeStdin()
    await engine.containers.start(id)
    await written
    expect(await viewer.done).toMatchObject({ exit: { exitCode: 0 } })
    expect(viewer.out().split(' ')[0]).toBe(createHash('sha256').update(Buffer.alloc(3_000_000, 'x')).digest('hex'))
    await engine.containers.remove(id, { force: false, volumes: true })
  })

  it('lets a plain exec fail with 127 and keeps running', async () => {
    const id = await engine.run({ image: 'busybox:1', cmd: ['sleep', '60'], networkMode: 'none' })
    const { id: exec } = await engine.containers.createExec(id, parseExec({ cmd: ['nope'] }))
    await expect(engine.containers.startExec(exec)).rejects.toMatchObject({ exitStatus: 127 })
    expect(engine.containers.inspectExec(exec)).toMatchObject({ running: false, exitCode: 127 })
    expect((await engine.containers.inspect(id)).state.status).toBe('running')
    await engine.containers.remove(id, { force: true, volumes: true })
  })
})
