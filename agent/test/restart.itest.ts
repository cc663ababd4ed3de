import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerDetail, ContainerSummary } from '@berth/contract/container'
import type { ExecDetail } from '@berth/contract/exec'
import type { LogPage } from '@berth/contract/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentBundle, AgentProcess, bundleAgent } from './agent-process.ts'
import { openTestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

/** What must survive the agent: everything but itself. */
const config = testConfig()
let bundle: AgentBundle
let agent: AgentProcess
const start = async () => {
  agent = new AgentProcess(bundle, config)
  await agent.ready
}
const list = () => agent.call<ContainerSummary[]>('containers.list', { all: true, filters: {}, limit: 0, size: false })
const one = async (name: string) => (await list()).find((container) => container.name === name) as ContainerSummary
/** A command that waits to be told, and ends with that status. */
const endsWith = (status: number) => ['sh', '-c', `trap "exit ${status}" TERM; while :; do sleep 0.05; done`]
/** Tells such a one while the agent is dead, and waits for its end. */
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  await expect.poll(() => existsSync(`/proc/${pid}`), { message: `the end of process ${pid}` }).toBe(false)
}
const quiet = { image: 'busybox:1', networkMode: 'none' }

beforeAll(async () => {
  const engine = await openTestEngine(config)
  await engine.close()
  bundle = await bundleAgent()
  await start()
})
afterAll(async () => {
  await agent?.stop()
  bundle?.remove()
  const engine = await openTestEngine(config, {})
  await engine.destroy()
})

describe('an agent that is killed', { timeout: 120_000 }, () => {
  it('leaves containers, logs, execs and terminals running, and finds them again', async () => {
    await agent.call('test.create', 'ticker', {
      image: 'busybox:1',
      cmd: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done'],
      ports: [{ containerPort: 80 }],
    })
    await agent.call('containers.start', 'ticker')
    await agent.call('test.create', 'shell', { ...quiet, cmd: ['sh'], terminal: true, openStdin: true })
    await agent.call('containers.start', 'shell')
    await agent.call('test.talk', { container: 'shell' }, 'x=survived\n', 'survived')
    const exec = await agent.call<string>('test.exec', 'ticker', { cmd: ['sh'], terminal: true, attachStdin: true })
    await agent.call('test.talk', { exec }, 'y=held; echo ready-$y\n', 'ready-held')
    const short = await agent.call<string>('test.exec', 'ticker', { cmd: endsWith(9) })
    const before = await one('ticker')
    const { pid } = await agent.call<ExecDetail>('containers.inspectExec', short)
    await agent.kill()
    await end(pid)
    await start()
    const after = await one('ticker')
    expect(after.state).toMatchObject({ status: 'running', pid: before.state.pid, startedAt: before.state.startedAt })
    expect([after.networks, after.ports]).toEqual([before.networks, before.ports])
    expect(await agent.call('test.talk', { container: 'shell' }, 'echo still-$x\n', 'still-survived')).toContain('x=survived')
    expect(await agent.call('test.talk', { exec }, 'echo and-$y\n', 'and-held')).toContain('ready-held')
    await expect.poll(() => agent.call<ExecDetail>('containers.inspectExec', short)).toMatchObject({ running: false, exitCode: 9 })
    const page = await agent.call<LogPage>('logs.read', { container: 'ticker', stdout: true, stderr: true, tail: null, limit: 10000 })
    const numbers = page.records.map(({ text }) => Number(text))
    expect(numbers.length).toBeGreaterThan(2)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })

  it('is told of exits that happened meanwhile, and keeps the policies', async () => {
    await agent.call('test.create', 'ends', { ...quiet, cmd: endsWith(6) })
    await agent.call('test.create', 'again', { ...quiet, cmd: endsWith(1), restart: { name: 'always' } })
    await agent.call('test.create', 'gone', { ...quiet, cmd: endsWith(0), autoRemove: true })
    await agent.call('test.create', 'stopped', {
      ...quiet,
      cmd: ['sleep', '60'],
      restart: { name: 'unless-stopped' },
      stopTimeoutSeconds: 0,
    })
    for (const name of ['ends', 'again', 'gone', 'stopped']) await agent.call('containers.start', name)
    await agent.call('containers.stop', 'stopped')
    const pids = await Promise.all(['ends', 'again', 'gone'].map(async (name) => (await one(name)).state.pid))
    await agent.kill()
    for (const pid of pids) await end(pid)
    await start()
    await expect.poll(async () => (await one('ends')).state).toMatchObject({ status: 'exited', exitCode: 6 })
    await expect.poll(async () => (await one('again')).state.status).toMatch(/running|restarting/)
    await expect.poll(() => one('gone')).toBeUndefined()
    expect((await one('stopped')).state.status).toBe('exited')
    await agent.call('containers.remove', 'again', { force: true, volumes: true })
  })

  it('keeps what is known of a health', async () => {
    await agent.call('test.create', 'ill', {
      ...quiet,
      cmd: ['sleep', '60'],
      stopTimeoutSeconds: 0,
      healthcheck: { test: ['CMD', 'false'], intervalMs: 1000, retries: 1 },
    })
    await agent.call('containers.start', 'ill')
    await expect.poll(async () => (await one('ill')).state.health).toBe('unhealthy')
    await agent.kill()
    await start()
    expect((await one('ill')).state.health).toBe('unhealthy')
    // One that is started anew is asked anew.
    await agent.call('containers.restart', 'ill')
    const { state } = await agent.call<ContainerDetail>('containers.inspect', 'ill')
    expect(state.health.log.filter(({ startedAt }) => Date.parse(startedAt) < Date.parse(state.startedAt as string))).toEqual([])
    await agent.call('containers.remove', 'ill', { force: true, volumes: true })
  })

  it('sees what is frozen, even if it was not told', async () => {
    await agent.call('test.create', 'ice', { ...quiet, cmd: ['sleep', '60'] })
    await agent.call('containers.start', 'ice')
    await agent.call('containers.pause', 'ice')
    await agent.kill()
    await start()
    expect((await one('ice')).state.status).toBe('paused')
    await agent.call('containers.unpause', 'ice')
    await agent.call('containers.remove', 'ice', { force: true, volumes: true })
  })

  it('ends what goes on running when the run root was emptied, and starts anew what is to be started', async () => {
    const again = { restart: { name: 'always', maximumRetryCount: 0 } }
    await agent.call('test.create', 'left', { ...quiet, networkMode: 'bridge', cmd: ['sleep', '600'] })
    await agent.call('test.create', 'frozen', { ...quiet, cmd: ['sh', '-c', 'sleep 601 & sleep 602'] })
    await agent.call('test.create', 'wanted', { ...quiet, cmd: ['sh', '-c', 'echo $$ >>/starts; sleep 603'], ...again })
    for (const name of ['left', 'frozen', 'wanted']) await agent.call('containers.start', name)
    await agent.call('test.exec', 'left', { cmd: ['sleep', '604'] })
    await agent.call('containers.pause', 'frozen')
    const before = await list()
    const of = (name: string) => before.find((container) => container.name === name) as ContainerSummary
    await agent.kill()
    for (const name of readdirSync(config.runRoot)) rmSync(join(config.runRoot, name), { recursive: true, force: true })
    await start()
    for (const name of ['left', 'frozen'])
      expect((await one(name)).state).toMatchObject({ status: 'exited', exitCode: 255, error: expect.stringContaining('went down') })
    await expect.poll(async () => (await one('wanted')).state.status).toBe('running')
    expect((await one('wanted')).state.pid).not.toBe(of('wanted').state.pid)
    for (const name of ['left', 'frozen', 'wanted']) expect([name, existsSync(`/proc/${of(name).state.pid}`)]).toEqual([name, false])
    const gone = [of('left').id, of('frozen').id]
    expect(await settledLeftovers(config, (left) => gone.some((id) => left.includes(id)) && !left.startsWith('file:'))).toEqual([])
    for (const name of ['left', 'frozen', 'wanted']) await agent.call('containers.remove', name, { force: true, volumes: true })
  })

  it('cleans up after a monitor that was killed too', async () => {
    await agent.call('test.create', 'orphan', { ...quiet, cmd: ['sleep', '60'] })
    await agent.call('containers.start', 'orphan')
    const { state, id } = await one('orphan')
    const monitor = Number(readFileSync(`/proc/${state.pid}/stat`, 'utf8').split(' ')[3])
    await agent.kill()
    process.kill(monitor, 'SIGKILL')
    await start()
    expect((await one('orphan')).state).toMatchObject({ status: 'exited', exitCode: 255, error: expect.stringContaining('monitor') })
    expect(await settledLeftovers(config, (left) => left.includes(id) && !left.startsWith('file:'))).toEqual([])
    // And while the agent watches.
    await agent.call('containers.start', 'orphan')
    const pid = (await one('orphan')).state.pid
    process.kill(Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3]), 'SIGKILL')
    await expect.poll(async () => (await one('orphan')).state.exitCode).toBe(255)
    expect(await settledLeftovers(config, (left) => left.includes(id) && !left.startsWith('file:'))).toEqual([])
  })
})
