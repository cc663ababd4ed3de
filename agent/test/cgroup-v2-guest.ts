/**
 * What cgroup-v2.itest.ts bundles and runs in a machine with pure cgroup v2: a container's life as far as the cgroup version can change it. Prints a line
 * `ok WHAT` for each step; a step that fails ends it with the reason.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { openTestEngine, testConfig } from './engine.ts'

const config = testConfig()
const engine = await openTestEngine(config)
const cgroup = (id: string, file: string) => readFileSync(`/sys/fs/cgroup/${config.instance}/${id}/${file}`, 'utf8').trim()
const megabyte = 1 << 20

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  await work()
  console.log(`ok ${what}`)
}

try {
  let id = ''
  await step('limits are those of the unified hierarchy', async () => {
    const limits = { memoryBytes: 64 * megabyte, nanoCpus: 500_000_000, pidsLimit: 50, cpuShares: 512, cpusetCpus: '0' }
    id = await engine.run({ image: 'busybox:1', cmd: ['sh', '-c', 'trap "exit 5" TERM; while :; do :; done'], limits })
    assert.equal(cgroup(id, 'memory.max'), String(64 * megabyte))
    assert.equal(cgroup(id, 'memory.swap.max'), String(64 * megabyte))
    assert.equal(cgroup(id, 'cpu.max'), '50000 100000')
    assert.equal(cgroup(id, 'pids.max'), '50')
    assert.equal(cgroup(id, 'cpu.weight'), '59')
    assert.equal(cgroup(id, 'cpuset.cpus'), '0')
  })
  await step('statistics have pressure', async () => {
    const { sample } = await engine.stats.sample(id)
    assert(sample.cpu.totalNs > 0)
    assert(sample.memory.usageBytes > 0)
    assert.equal(sample.memory.limitBytes, 64 * megabyte)
    assert.equal(sample.pids.limit, 50)
    assert.equal(typeof sample.pressure?.cpu.someTotalUs, 'number')
    assert.equal(typeof sample.pressure?.memory.fullTotalUs, 'number')
  })
  await step('an exec is in the same cgroup and in a cgroup namespace', async () => {
    const { exit, stdout } = await engine.exec(id, { cmd: ['cat', '/proc/self/cgroup', '/sys/fs/cgroup/pids.max'] })
    assert.deepEqual([exit, stdout], [0, '0::/\n50\n'])
  })
  await step('limits change while it runs', async () => {
    await engine.containers.update(id, {
      limits: { memoryBytes: 128 * megabyte, memorySwapBytes: 256 * megabyte, nanoCpus: 250_000_000, pidsLimit: 60 },
    })
    assert.equal(cgroup(id, 'memory.max'), String(128 * megabyte))
    assert.equal(cgroup(id, 'memory.swap.max'), String(128 * megabyte))
    assert.equal(cgroup(id, 'cpu.max'), '25000 100000')
    assert.equal(cgroup(id, 'pids.max'), '60')
  })
  await step('it freezes, is found frozen by another agent, and goes on', async () => {
    await engine.containers.pause(id)
    assert.match(cgroup(id, 'cgroup.events'), /frozen 1/)
    await engine.reopen()
    assert.equal((await engine.containers.inspect(id)).state.status, 'paused')
    await engine.containers.unpause(id)
    assert.match(cgroup(id, 'cgroup.events'), /frozen 0/)
  })
  await step('what runs on when the run root was emptied is ended, frozen or not', async () => {
    const lost = [
      await engine.run({ image: 'busybox:1', cmd: ['sleep', '600'] }),
      await engine.run({ image: 'busybox:1', cmd: ['sleep', '600'] }),
    ]
    await engine.containers.pause(lost[1] as string)
    const pids = await Promise.all(lost.map(async (one) => (await engine.containers.inspect(one)).state.pid))
    await engine.reopen(() => {
      for (const one of lost) rmSync(`${config.runRoot}/tasks/${one.slice(0, 32)}`, { recursive: true })
      for (const one of lost) rmSync(`${config.runRoot}/runtime/${one}`, { recursive: true })
    })
    for (const one of lost) {
      assert.equal((await engine.containers.inspect(one)).state.status, 'exited')
      assert.throws(() => cgroup(one, 'cgroup.events'), { code: 'ENOENT' })
    }
    for (const pid of pids) assert.equal(existsSync(`/proc/${pid}`), false)
  })
  await step('it stops with the status of its own choice, and its cgroup goes', async () => {
    const waiting = engine.containers.wait(id, 'next-exit')
    await engine.containers.stop(id)
    assert.equal((await waiting).exitCode, 5)
    await engine.containers.remove(id, { force: false, volumes: true })
    assert.throws(() => cgroup(id, 'cgroup.events'), { code: 'ENOENT' })
  })
  await step('only listed devices open', async () => {
    const script = 'mknod /disk b 254 0 && head -c 1 /disk 2>&1; head -c 1 /dev/zero | wc -c'
    const { stdout } = await engine.output({ image: 'busybox:1', cmd: ['sh', '-c', script], networkMode: 'none' })
    assert.match(stdout, /not permitted[\s\S]*1\n$/)
  })
  await step('out of memory is told', async () => {
    const limits = { memoryBytes: 16 * megabyte, memorySwapBytes: 16 * megabyte }
    const hungry = await engine.run({ image: 'busybox:1', cmd: ['sh', '-c', 'tail -c 100000000 /dev/zero'], networkMode: 'none', limits })
    const { exitCode } = await engine.containers.wait(hungry, 'not-running')
    assert.equal(exitCode, 137)
    assert.equal((await engine.containers.inspect(hungry)).state.oomKilled, true)
  })
} finally {
  await engine.destroy()
}
// A step that never settled would let Node end quietly.
console.log('done')
process.exit(0)
