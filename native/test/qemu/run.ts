/**
 * `npx tsx native/test/qemu/run.ts [--timeout SECONDS] [--memory MIB] -- COMMAND…`: runs a command as root on a pure cgroup v2 machine with Debian's kernel
 * 6.1, in the same working directory, and gives its output and status.
 *
 * The guest sees all of the host's files; what it writes is thrown away, except that nothing under /tmp, /var/tmp, /var/lib and /run of the host is seen
 * there: these are empty and on a disk of 4 GB (/run: memory), so a data root below them can hold overlays. The network is loopback and what the command
 * makes (bridges, veth, nftables, namespaces). Bash, Node, docker-registry, podman, … are the host's. BERTH_GUEST=1 is set.
 *
 * It is slow: software emulation, a quarter to a tenth of the host's speed, most of all for what compiles. Tests of TypeScript are therefore bundled on the
 * host and run by plain node in the guest, as `agent/test/cgroup-v2.itest.ts` does; a file of vitest tests takes about a minute to load:
 *
 *     npx tsx native/test/qemu/run.ts -- node node_modules/vitest/vitest.mjs run --config vitest.integration.config.ts agent/test/first-container.itest.ts
 */
import { fileURLToPath } from 'node:url'
import { runInGuest } from './machine.ts'

const words = process.argv.slice(2)
let timeoutMs = 300_000
let memoryMiB = 2048
for (let option = words[0]; option === '--timeout' || option === '--memory'; option = words[0]) {
  const value = Number(words.splice(0, 2)[1])
  if (option === '--timeout') timeoutMs = value * 1000
  else memoryMiB = value
}
if (words[0] === '--') words.shift()
if (words.length === 0 || !Number.isFinite(timeoutMs + memoryMiB)) {
  console.error('usage: run.ts [--timeout SECONDS] [--memory MIB] -- COMMAND…')
  process.exit(2)
}
try {
  const result = await runInGuest(words, {
    repository: fileURLToPath(new URL('../../..', import.meta.url)),
    cwd: process.cwd(),
    timeoutMs,
    memoryMiB,
    onOutput: (bytes) => process.stdout.write(bytes),
  })
  console.error(`booted in ${result.bootMs} ms, finished in ${result.totalMs} ms, exit status ${result.exitCode}`)
  process.exit(result.exitCode)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
