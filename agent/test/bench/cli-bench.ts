/**
 * The docker command line on our engine against the same command line on dockerd, rounds interleaved. What the command line itself costs is in both figures
 * (`docker version` shows it). Run as root: `npx tsx agent/test/bench/cli-bench.ts [rounds] [containers]`.
 */
import { compare, docker } from './command-line.ts'
import { loadBusybox, type MeasuredEngine, removeEveryContainer, startBerth, startDockerd } from './engines.ts'

const rounds = Number(process.argv[2] ?? 15)
const many = Number(process.argv[3] ?? 200)

const engines: MeasuredEngine[] = []
try {
  engines.push(await startBerth(), await startDockerd())
  for (const engine of engines) loadBusybox(engine)
  await compare('docker version', engines, rounds, null, 'version')
  await compare('docker run --rm true', engines, rounds, 0.35, 'run', '--rm', 'busybox:1', 'true')
  await compare('docker run --rm --network none true', engines, rounds, 0.35, 'run', '--rm', '--network', 'none', 'busybox:1', 'true')
  for (const engine of engines) await docker(engine, 'run', '-d', '--name', 'long', 'busybox:1', 'sleep', '1000000')
  await compare('docker exec true', engines, rounds, 0.6, 'exec', 'long', 'true')
  // Nearly all of it is the command line's own start.
  await compare('docker ps, 1 container', engines, rounds, null, 'ps')
  for (const engine of engines)
    for (let count = 1; count < many; count++) await docker(engine, 'run', '-d', '--network', 'none', 'busybox:1', 'sleep', '1000000')
  await compare(`docker ps, ${many} containers`, engines, rounds, 0.7, 'ps')
  await compare(`docker run --rm true, ${many} running`, engines, rounds, 0.35, 'run', '--rm', 'busybox:1', 'true')
} finally {
  for (const engine of engines) {
    await removeEveryContainer(engine)
    await engine.stop()
  }
}
