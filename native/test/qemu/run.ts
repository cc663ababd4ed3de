/** `npx tsx native/test/qemu/run.ts [--timeout SECONDS] -- COMMAND…`: runs a command as root on a pure cgroup v2 machine, with its status. */
import { fileURLToPath } from 'node:url'
import { runInGuest } from './machine.ts'

const words = process.argv.slice(2)
let timeoutMs = 300_000
if (words[0] === '--timeout') timeoutMs = Number(words.splice(0, 2)[1]) * 1000
if (words[0] === '--') words.shift()
if (words.length === 0 || !Number.isFinite(timeoutMs)) {
  console.error('usage: run.ts [--timeout SECONDS] -- COMMAND…')
  process.exit(2)
}
try {
  const result = await runInGuest(words, {
    repository: fileURLToPath(new URL('../../..', import.meta.url)),
    cwd: process.cwd(),
    timeoutMs,
    onOutput: (bytes) => process.stdout.write(bytes),
  })
  console.error(`booted in ${result.bootMs} ms, finished in ${result.totalMs} ms, exit status ${result.exitCode}`)
  process.exit(result.exitCode)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
