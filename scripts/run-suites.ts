import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs the suites one after the other and adds up what they counted. A suite that cannot run, crashes, or counts nothing is one failure: nothing is
 * ever skipped in silence. Results and logs go to `artifacts/`.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const artifacts = join(root, 'artifacts')
const resultsFile = (suite: string) => join(artifacts, `${suite}.json`)

interface Counts {
  passed: number
  failed: number
  skipped: number
  failures: string[]
}
interface Suite {
  name: string
  about: string
  command: string[]
  env?: Record<string, string>
  /** Reads what the suite wrote; absent: exit status 0 is one pass. */
  count?: () => Counts
}

/** vitest's and jest's JSON. */
function vitestCounts(suite: string): Counts {
  const report = JSON.parse(readFileSync(resultsFile(suite), 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    numPendingTests: number
    testResults: { name: string; status: string; message?: string; assertionResults: { status: string; fullName: string }[] }[]
  }
  const failures = report.testResults.flatMap((file) => {
    const failed = file.assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => `${file.name.replace(`${root}/`, '')}: ${test.fullName}`)
    return failed.length === 0 && file.status === 'failed'
      ? [`${file.name.replace(`${root}/`, '')}: ${file.message?.split('\n')[0] ?? 'did not run'}`]
      : failed
  })
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, failures.length),
    skipped: report.numPendingTests,
    failures,
  }
}

/** Playwright's JSON. */
function playwrightCounts(suite: string): Counts {
  interface Node {
    title: string
    specs?: { title: string; ok: boolean }[]
    suites?: Node[]
  }
  const report = JSON.parse(readFileSync(resultsFile(suite), 'utf8')) as {
    stats: { expected: number; unexpected: number; flaky: number; skipped: number }
    suites: Node[]
    errors: { message?: string }[]
  }
  const failures: string[] = report.errors.map((error) => error.message?.split('\n')[0] ?? 'an error outside a test')
  const walk = (node: Node): void => {
    for (const spec of node.specs ?? []) if (!spec.ok) failures.push(`${node.title}: ${spec.title}`)
    for (const inner of node.suites ?? []) walk(inner)
  }
  for (const node of report.suites) walk(node)
  return {
    passed: report.stats.expected + report.stats.flaky,
    failed: Math.max(report.stats.unexpected, failures.length),
    skipped: report.stats.skipped,
    failures,
  }
}

const vitest = (suite: string, config: string, ...files: string[]) => [
  'npx',
  'vitest',
  'run',
  '--config',
  config,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${resultsFile(suite)}`,
  ...files,
]

const suites: Suite[] = [
  { name: 'format', about: 'Biome: format, lint, imports', command: ['npx', 'biome', 'check', '.'] },
  { name: 'types', about: 'TypeScript', command: ['npm', 'run', '--silent', 'check:types'] },
  { name: 'unit', about: 'unit tests, room table', command: vitest('unit', 'vitest.config.ts'), count: () => vitestCounts('unit') },
  { name: 'native-unit', about: 'C unit tests', command: ['make', '-C', 'native', 'test'] },
  { name: 'native-lint', about: 'C format', command: ['make', '-C', 'native', 'lint'] },
  { name: 'native-analyze', about: 'gcc -fanalyzer and clang-tidy', command: ['make', '-C', 'native', '-j2', 'analyze'] },
  { name: 'native-san-unit', about: 'C unit tests under AddressSanitizer and UBSan', command: ['make', '-C', 'native', 'SAN=1', 'test'] },
  { name: 'fuzz', about: 'bounded fuzzing of every parser', command: ['make', '-C', 'native', 'fuzz'] },
  {
    name: 'native',
    about: 'native programs with real containers',
    command: vitest('native', 'vitest.integration.config.ts', 'native/test'),
    count: () => vitestCounts('native'),
  },
  {
    name: 'native-san',
    about: 'the same under AddressSanitizer and UBSan, but for podman, docker and cgroup v2',
    command: vitest('native-san', 'native/test/sanitizer.config.ts'),
    count: () => vitestCounts('native-san'),
  },
  {
    name: 'agent',
    about: 'the engine with real containers, registries and clients',
    command: vitest('agent', 'vitest.integration.config.ts', 'agent'),
    count: () => vitestCounts('agent'),
  },
  {
    name: 'dashboard',
    about: 'dashboard and agents across network namespaces',
    command: vitest('dashboard', 'vitest.integration.config.ts', 'apps'),
    count: () => vitestCounts('dashboard'),
  },
  {
    name: 'e2e',
    about: 'the browser, end to end',
    command: ['npx', 'playwright', 'test'],
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: resultsFile('e2e') },
    count: () => playwrightCounts('e2e'),
  },
]

/** Runs one suite; its output goes to the screen and to artifacts/<name>.log. */
async function runSuite(suite: Suite): Promise<Counts & { seconds: number }> {
  const began = Date.now()
  rmSync(resultsFile(suite.name), { force: true })
  const log = createWriteStream(join(artifacts, `${suite.name}.log`))
  const [command, ...args] = suite.command as [string, ...string[]]
  const child = spawn(command, args, { cwd: root, env: { ...process.env, CI: 'true', ...suite.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (bytes: Buffer) => {
      log.write(bytes)
      process.stderr.write(bytes)
    })
  }
  const status = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      resolve(127)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
  log.end()
  const seconds = (Date.now() - began) / 1000
  if (!suite.count)
    return {
      passed: status === 0 ? 1 : 0,
      failed: status === 0 ? 0 : 1,
      skipped: 0,
      failures: status === 0 ? [] : [`exit status ${status}`],
      seconds,
    }
  if (!existsSync(resultsFile(suite.name)))
    return { passed: 0, failed: 1, skipped: 0, failures: [`exit status ${status} and no result`], seconds }
  const counts = suite.count()
  if (counts.passed + counts.failed === 0) counts.failures.push('ran no test')
  // A runner that failed without a failed test (an unhandled error, a teardown) has failed all the same.
  if (status !== 0 && counts.failures.length === 0) counts.failures.push(`exit status ${status}`)
  return { ...counts, failed: Math.max(counts.failed, counts.failures.length), seconds }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name))
if (unknown.length > 0) {
  console.error(`no suite called ${unknown.join(', ')}; there are: ${suites.map((suite) => suite.name).join(', ')}`)
  process.exit(2)
}
mkdirSync(artifacts, { recursive: true })
const rows: string[] = []
const failures: string[] = []
const sum = { passed: 0, failed: 0, skipped: 0 }
for (const suite of suites.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
  process.stderr.write(`\n━━ ${suite.name}: ${suite.about}\n`)
  const counts = await runSuite(suite)
  sum.passed += counts.passed
  sum.failed += counts.failed
  sum.skipped += counts.skipped
  failures.push(...counts.failures.map((failure) => `${suite.name}: ${failure}`))
  rows.push(
    `${counts.failed === 0 ? '✓' : '✗'} ${suite.name.padEnd(14)} ${String(counts.passed).padStart(5)} passed ${String(counts.failed).padStart(4)} failed ${String(counts.skipped).padStart(4)} skipped ${counts.seconds.toFixed(0).padStart(5)} s`,
  )
}
console.log(`\n${rows.join('\n')}`)
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`)
console.log(`\n${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exit(sum.failed === 0 ? 0 : 1)
