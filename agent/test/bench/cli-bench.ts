/**
 * The docker command line on our engine against the same command line on dockerd, rounds interleaved. What the command line itself costs is in both figures
 * (`docker version` shows it). Run as root: `npx tsx agent/test/bench/cli-bench.ts [rounds] [containers]`.
 */
import { spawn } from 'node:child_process'
import { loadBusybox, type MeasuredEngine, startBerth, startDockerd } from './engines.ts'

const rounds = Number(process.argv[2] ?? 15)
const many = Number(process.argv[3] ?? 200)
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

function docker(engine: MeasuredEngine, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['-H', `unix://${engine.socket}`, ...args], {
      stdio: 'ignore',
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
    })
    child.once('error', reject)
    child.once('exit', (status) =>
      status === 0 ? resolve() : reject(new Error(`docker ${args.join(' ')} on ${engine.name} ended with ${status}`)),
    )
  })
}

async function compare(what: string, engines: MeasuredEngine[], goal: number, ...args: string[]): Promise<void> {
  const times = new Map<string, number[]>(engines.map(({ name }) => [name, []]))
  for (const engine of engines) await docker(engine, ...args)
  for (let round = 0; round < rounds; round++) {
    for (const engine of engines) {
      const begun = performance.now()
      await docker(engine, ...args)
      times.get(engine.name)?.push(performance.now() - begun)
    }
  }
  const [ours = 0, theirs = 0] = engines.map(({ name }) => median(times.get(name) ?? []))
  console.log(
    `${what.padEnd(34)} berth ${ours.toFixed(1)} ms  dockerd ${theirs.toFixed(1)} ms  ratio ${(ours / theirs).toFixed(3)} (goal ${goal})`,
  )
}

const engines: MeasuredEngine[] = []
try {
  engines.push(await startBerth(), await startDockerd())
  for (const engine of engines) loadBusybox(engine)
  await compare('docker version', engines, 1, 'version')
  await compare('docker run --rm true', engines, 0.35, 'run', '--rm', 'busybox:1', 'true')
  await compare('docker run --rm --network none true', engines, 0.35, 'run', '--rm', '--network', 'none', 'busybox:1', 'true')
  for (const engine of engines) await docker(engine, 'run', '-d', '--name', 'long', 'busybox:1', 'sleep', '1000000')
  await compare('docker exec true', engines, 0.6, 'exec', 'long', 'true')
  await compare('docker ps, 1 container', engines, 0.7, 'ps')
  for (const engine of engines)
    for (let count = 1; count < many; count++) await docker(engine, 'run', '-d', '--network', 'none', 'busybox:1', 'sleep', '1000000')
  await compare(`docker ps, ${many} containers`, engines, 0.7, 'ps')
  await compare(`docker run --rm true, ${many} running`, engines, 0.35, 'run', '--rm', 'busybox:1', 'true')
} finally {
  for (const engine of engines) {
    await new Promise((resolve) => {
      spawn('bash', ['-c', `docker -H unix://${engine.socket} ps -aq | xargs -r docker -H unix://${engine.socket} rm -f`], {
        stdio: 'ignore',
      }).once('exit', resolve)
    })
    await engine.stop()
  }
}
