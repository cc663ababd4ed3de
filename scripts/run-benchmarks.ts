import { spawn } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from 'tinyglobby'

/**
 * Runs every `*-bench.ts` (or those named) one after the other, each in a process group of its own so that none measures the other's garbage and none that hangs leaves anything running.
 * A bench ends with a status other than 0 when a target is missed or a peer is not there; the others are run all the same, and the last lines say which.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Three times what the slowest takes on two busy cores. */
const longestMs = 15 * 60_000
const graceMs = 30_000

const files = globSync(['native/test/bench/*-bench.ts', 'agent/test/bench/*-bench.ts', 'apps/dashboard/bench/*-bench.ts'], {
  cwd: root,
}).sort()
const wanted = process.argv.slice(2)
const nameOf = (file: string) => basename(file, '-bench.ts')
const unknown = wanted.filter((name) => !files.some((file) => nameOf(file) === name))
if (unknown.length > 0) {
  console.error(`no benchmark called ${unknown.join(', ')}; there are: ${files.map(nameOf).join(', ')}`)
  process.exit(2)
}

/** @returns why it failed; null: it did not */
function run(file: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, file)], { stdio: 'inherit', cwd: root, detached: true })
    const group = (signal: NodeJS.Signals) => {
      try {
        process.kill(-(child.pid as number), signal)
      } catch {
        // It has ended meanwhile.
      }
    }
    let late = false
    const timer = setTimeout(() => {
      late = true
      group('SIGTERM')
      setTimeout(() => group('SIGKILL'), graceMs).unref()
    }, longestMs)
    const interrupted = () => {
      group('SIGINT')
      setTimeout(() => process.exit(130), 5_000).unref()
    }
    process.once('SIGINT', interrupted)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupted)
      resolve(late ? `took longer than ${longestMs / 60_000} minutes` : code === 0 ? null : `ended with ${signal ?? `status ${code}`}`)
    })
  })
}

const results: { name: string; seconds: number; failure: string | null }[] = []
for (const file of files.filter((one) => wanted.length === 0 || wanted.includes(nameOf(one)))) {
  console.log(`\n━━ ${nameOf(file)} (${file})`)
  const began = performance.now()
  const failure = await run(file)
  results.push({ name: nameOf(file), seconds: (performance.now() - began) / 1000, failure })
}
console.log('\n━━ all')
for (const { name, seconds, failure } of results)
  console.log(`  ${failure ? '✗' : '✓'} ${name.padEnd(16)} ${seconds.toFixed(0).padStart(4)} s${failure ? `  ${failure}` : ''}`)
process.exit(results.some(({ failure }) => failure) ? 1 : 0)
