/**
 * 200 MB of log lines from a container, written and read back complete through the Engine API: ours against dockerd's json-file in the same run.
 * Run as root: `npx tsx agent/test/bench/log-bench.ts [megabytes]`.
 */
import { loadBusybox, type MeasuredEngine, startBerth, startDockerd } from './engines.ts'

const megabytes = Number(process.argv[2] ?? 200)
const line = `${'0123456789'.repeat(9)}abcdefgh`
const count = Math.floor((megabytes * 1e6) / (line.length + 1))
/** Multiplexed: eight bytes in front of each frame; how many frames a reader gets is the engine's choice. */
const plainBytes = count * (line.length + 1)

async function measure(engine: MeasuredEngine): Promise<{ write: number; read: number }> {
  const script = `yes ${line} | head -n ${count}`
  const body = { Image: 'busybox:1', Cmd: ['sh', '-c', script], HostConfig: { NetworkMode: 'none' } }
  const { Id } = await engine.api.call<{ Id: string }>('POST', '/containers/create', body)
  let begun = performance.now()
  await engine.api.call('POST', `/containers/${Id}/start`)
  await engine.api.call('POST', `/containers/${Id}/wait`)
  const write = performance.now() - begun
  begun = performance.now()
  const bytes = await engine.api.drain(`/containers/${Id}/logs?stdout=1&stderr=1`)
  const read = performance.now() - begun
  await engine.api.call('DELETE', `/containers/${Id}`)
  if (bytes < plainBytes || bytes > plainBytes + 8 * count) throw new Error(`${engine.name} gave ${bytes} bytes of ${plainBytes}`)
  return { write, read }
}

const rounds = 3
const engines = [await startBerth(), await startDockerd()]
try {
  for (const engine of engines) loadBusybox(engine)
  const best = new Map(engines.map(({ name }) => [name, { write: Number.POSITIVE_INFINITY, read: Number.POSITIVE_INFINITY }]))
  for (let round = 0; round < rounds; round++)
    for (const engine of engines) {
      const { write, read } = await measure(engine)
      const kept = best.get(engine.name) as { write: number; read: number }
      kept.write = Math.min(kept.write, write)
      kept.read = Math.min(kept.read, read)
    }
  const rate = (ms: number) => `${(plainBytes / 1e3 / ms).toFixed(0)} MB/s`
  for (const [name, { write, read }] of best)
    console.log(`${name.padEnd(10)} written at ${rate(write)}, read back at ${rate(read)} (best of ${rounds}, ${count} lines)`)
} finally {
  for (const engine of engines) await engine.stop()
}
