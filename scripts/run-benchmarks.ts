import { spawnSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from 'tinyglobby'

/** Runs every `*-bench.ts` (or those named) one after the other, each in a process of its own so that none measures the other's garbage. */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
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
let failed = 0
for (const file of files.filter((one) => wanted.length === 0 || wanted.includes(nameOf(one)))) {
  console.log(`\n━━ ${nameOf(file)} (${file})`)
  const result = spawnSync(process.execPath, ['--import', 'tsx', join(root, file)], { stdio: 'inherit', cwd: root })
  if (result.status !== 0) failed += 1
}
process.exit(failed === 0 ? 0 : 1)
