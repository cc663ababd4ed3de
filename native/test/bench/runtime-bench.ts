/**
 * Times berth-runtime beside Debian's crun and runc and the bare floor program (floor.c), in one run, and prints medians.
 *
 *   npx tsx native/test/bench/runtime-bench.ts [--rounds 20] [--crowd 200] [--pause 200] [--json FILE]
 *
 * Environment: BERTH_RUNTIME (default native/build/bin/berth-runtime). Needs root; builds floor.c and timer.c with gcc -O2 -static.
 *
 * Fairness. Every call is a posix_spawn by timer.c, which costs the same for all and is measured too (row "spawn /bin/true"). The runtimes take turns within a round, in an order that rotates, after a pause that lets the
 * kernel finish tearing the previous container's network namespace down (else whoever comes next pays for it) and lets RCU grow idle (what
 * takes a grace period, such as moving a process between v1 cgroups by its pid, is cheap only back to back). Debian's crun refuses
 * cgroup layouts in which cgroup2 beside v1 still has a controller ("hybrid mode not supported"), so the whole benchmark runs
 * in a private mount namespace from which /sys/fs/cgroup/unified is detached: all candidates see the same plain v1 layout.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { claimDirectory } from '../../../scripts/bench-leftovers.ts'

const here = dirname(fileURLToPath(import.meta.url))
const berthRuntime = resolve(process.env.BERTH_RUNTIME ?? join(here, '../../build/bin/berth-runtime'))

function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at > 0 ? (process.argv[at + 1] ?? fallback) : fallback
}
const rounds = Number(option('rounds', '20'))
const crowd = Number(option('crowd', '200'))
const idle = Number(option('pause', '200'))

/** Re-executes this script in a mount namespace without the empty cgroup2, where there is one. */
function enterPlainCgroups(): void {
  if (process.env.BERTH_BENCH_INSIDE || !existsSync('/sys/fs/cgroup/unified')) return
  const script = 'umount /sys/fs/cgroup/unified && exec "$@"'
  const inner = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const result = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...inner], {
    stdio: 'inherit',
    env: { ...process.env, BERTH_BENCH_INSIDE: '1' },
  })
  process.exit(result.status ?? 1)
}

interface Candidate {
  name: string
  command: string[]
}

const work = claimDirectory(tmpdir(), 'berth-bench-runtime-')
const rootfs = join(work, 'rootfs')
const devNull = openSync('/dev/null', 'r+')

const timer = join(work, 'timer')

/** Milliseconds that the commands took one after another (timer.c). */
function time(...commands: string[][]): number {
  const words = commands.flatMap((command, index) => (index ? [';', ...command] : command))
  const result = spawnSync(timer, words, { stdio: [devNull, 'pipe', 'pipe'] })
  if (result.status !== 0) {
    const failed = commands.map(
      (command) => spawnSync(command[0] as string, command.slice(1), { stdio: [devNull, devNull, 'pipe'], timeout: 2000 }).stderr,
    )
    throw new Error(`${result.stderr} ${failed.join(' ')}`)
  }
  return Number(result.stdout) / 1e6
}

function call(command: string[], check = true): void {
  const result = spawnSync(command[0] as string, command.slice(1), { stdio: [devNull, devNull, devNull] })
  if (check && result.status !== 0) throw new Error(`${command.join(' ')} failed with ${result.status}`)
}

interface Rule {
  name?: string
  names?: string[]
  action: string
  errnoRet?: number | null
  args?: { index: number; value: number; valueTwo?: number; op: string }[]
  includes?: { caps?: string[]; arches?: string[] }
  excludes?: { caps?: string[]; arches?: string[] }
}
interface Profile {
  defaultAction: string
  defaultErrnoRet?: number
  syscalls: Rule[]
}

/** Docker's default profile, from Debian's containers-common, in the runtime-spec's form for a container with Docker's capabilities. */
function defaultSeccomp(capabilities: string[]): object | undefined {
  const path = '/usr/share/containers/seccomp.json'
  if (!existsSync(path)) return undefined
  const profile: Profile = JSON.parse(readFileSync(path, 'utf8'))
  const applies = (rule: Rule) =>
    (rule.includes?.caps ?? []).every((cap: string) => capabilities.includes(cap)) &&
    (rule.includes?.arches ?? ['amd64']).includes('amd64') &&
    !(rule.excludes?.caps ?? []).some((cap: string) => capabilities.includes(cap)) &&
    !(rule.excludes?.arches ?? []).includes('amd64')
  const syscalls = profile.syscalls.filter(applies).map((rule) => ({
    names: rule.names ?? [rule.name],
    action: rule.action,
    ...(rule.errnoRet === undefined || rule.errnoRet === null ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args?.length
      ? { args: rule.args.map(({ index, value, valueTwo, op }) => ({ index, value, valueTwo: valueTwo ?? 0, op })) }
      : {}),
  }))
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls,
  }
}

function writeBundle(name: string, args: string[]): string {
  const bundle = join(work, name)
  mkdirSync(bundle, { recursive: true })
  rmSync(join(bundle, 'config.json'), { force: true })
  spawnSync('runc', ['spec', '--bundle', bundle])
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  const caps = [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FSETID',
    'CAP_FOWNER',
    'CAP_MKNOD',
    'CAP_NET_RAW',
    'CAP_SETGID',
    'CAP_SETUID',
    'CAP_SETFCAP',
    'CAP_SETPCAP',
    'CAP_NET_BIND_SERVICE',
    'CAP_SYS_CHROOT',
    'CAP_KILL',
    'CAP_AUDIT_WRITE',
  ]
  config.process.terminal = false
  config.process.args = args
  config.process.noNewPrivileges = false
  config.process.capabilities = { bounding: caps, effective: caps, permitted: caps }
  config.root = { path: rootfs, readonly: false }
  config.linux.cgroupsPath = `/berth-bench-${process.pid}/${name}`
  config.linux.namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type }))
  config.linux.seccomp = defaultSeccomp(caps)
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  return bundle
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

interface Samples {
  [row: string]: { [candidate: string]: number[] }
}

function measure(candidates: Candidate[], floor: string, count: number, suffix: string, samples: Samples): void {
  const note = (row: string, who: string, ms: number) => {
    const cells = samples[row + suffix] ?? {}
    samples[row + suffix] = cells
    cells[who] = [...(cells[who] ?? []), ms]
  }
  for (const { name, command } of candidates)
    call([...command, 'run', '--detach', '--bundle', join(work, `${name}-sleep`), `${name}-sleep`])
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < candidates.length; turn++) {
      const { name, command } = candidates[(turn + round) % candidates.length] as Candidate
      const bundle = join(work, `${name}-true`)
      pause(idle)
      const create = [...command, 'create', '--bundle', bundle, 'bench']
      note('create+start+delete', name, time(create, [...command, 'start', 'bench'], [...command, 'delete', '--force', 'bench']))
      pause(idle)
      note('run', name, time([...command, 'run', '--bundle', bundle, 'bench']))
      pause(idle)
      note('exec', name, time([...command, 'exec', `${name}-sleep`, '/bin/true']))
    }
    pause(idle)
    note('create+start+delete', 'floor', time([floor, rootfs, `berth-bench-${process.pid}-floor`]))
    note('spawn /bin/true', 'floor', time([join(rootfs, 'bin/true')]))
    for (const { name, command } of candidates) note('--version', name, time([...command, '--version']))
  }
  for (const { name, command } of candidates) call([...command, 'delete', '--force', `${name}-sleep`])
}

function print(samples: Samples, names: string[]): void {
  const cell = (text: string) => text.padStart(15)
  console.log('medians, ms'.padEnd(34) + names.map(cell).join(''))
  for (const [row, cells] of Object.entries(samples))
    console.log(row.padEnd(34) + names.map((name) => cell(cells[name] ? median(cells[name]).toFixed(2) : '-')).join(''))
}

function ratios(samples: Samples): void {
  const value = (row: string, name: string) => median(samples[row]?.[name] ?? [])
  const spawn = value('spawn /bin/true', 'floor')
  const line = (what: string, ratio: number, target: number) =>
    console.log(`${what.padEnd(60)} ${ratio.toFixed(2)}  (target ${target})  ${ratio <= target ? 'reached' : 'MISSED'}`)
  console.log(`\nspawning a static program costs ${spawn.toFixed(2)} ms here; create+start+delete are three spawns, the floor is one`)
  line('create+start+delete / crun', value('create+start+delete', 'berth-runtime') / value('create+start+delete', 'crun'), 0.4)
  line('create+start+delete / floor', value('create+start+delete', 'berth-runtime') / value('create+start+delete', 'floor'), 3)
  line('run / crun', value('run', 'berth-runtime') / value('run', 'crun'), 0.5)
  line('exec / crun', value('exec', 'berth-runtime') / value('exec', 'crun'), 0.4)
  for (const row of ['create+start+delete', 'run', 'exec'])
    if (samples[`${row}, ${crowd} running`])
      line(`${row}: ${crowd} running / none`, value(`${row}, ${crowd} running`, 'berth-runtime') / value(row, 'berth-runtime'), 1.2)
}

function removeCgroups(): void {
  for (const hierarchy of ['', ...readdirSync('/sys/fs/cgroup')])
    spawnSync('rmdir', [join('/sys/fs/cgroup', hierarchy, `berth-bench-${process.pid}`)], { stdio: 'ignore' })
}

function main(): void {
  enterPlainCgroups()
  mkdirSync(join(rootfs, 'bin'), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const name of ['true', 'sleep']) symlinkSync('busybox', join(rootfs, 'bin', name))
  for (const dir of ['proc', 'sys', 'dev', 'etc']) mkdirSync(join(rootfs, dir))
  const floor = join(work, 'floor')
  call(['gcc', '-O2', '-static', '-D_GNU_SOURCE', '-o', floor, join(here, 'floor.c')])
  call(['gcc', '-O2', '-static', '-D_GNU_SOURCE', '-o', timer, join(here, 'timer.c')])
  const state = (name: string) => ['--root', join(work, `state-${name}`)]
  const candidates: Candidate[] = [
    { name: 'berth-runtime', command: [berthRuntime, ...state('berth')] },
    { name: 'crun', command: ['crun', ...state('crun')] },
    { name: 'runc', command: ['runc', ...state('runc')] },
  ].filter(({ command }) => command[0]?.includes('/') || spawnSync(command[0] as string, ['--version']).status === 0)
  for (const { name } of candidates) {
    writeBundle(`${name}-true`, ['/bin/true'])
    writeBundle(`${name}-sleep`, ['/bin/sleep', '100000'])
  }
  const samples: Samples = {}
  const berth = candidates[0] as Candidate
  try {
    measure(candidates, floor, rounds, '', samples)
    for (let i = 0; i < crowd; i++) {
      const bundle = writeBundle(`crowd-${i}`, ['/bin/sleep', '100000'])
      call([...berth.command, 'run', '--detach', '--bundle', bundle, `crowd-${i}`])
    }
    if (crowd) measure([berth], floor, Math.ceil(rounds / 2), `, ${crowd} running`, samples)
    print(samples, [...candidates.map(({ name }) => name), 'floor'])
    ratios(samples)
    const file = option('json', '')
    if (file)
      writeFileSync(
        file,
        JSON.stringify(
          Object.fromEntries(
            Object.entries(samples).map(([row, cells]) => [
              row,
              Object.fromEntries(Object.entries(cells).map(([name, values]) => [name, median(values)])),
            ]),
          ),
          null,
          2,
        ),
      )
  } finally {
    for (let i = 0; i < crowd; i++) call([...berth.command, 'delete', '--force', `crowd-${i}`], false)
    for (const { name, command } of candidates)
      for (const id of ['bench', `${name}-sleep`]) call([...command, 'delete', '--force', id], false)
    removeCgroups()
    rmSync(work, { recursive: true, force: true })
  }
}

main()
