import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs one agent and the dashboard (or the agent alone) in the foreground, as `npm start` promises: both end at Ctrl-C or SIGTERM, and when one ends by
 * itself the other is ended too and its exit status becomes ours. Containers belong to their monitors and keep running.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const mode = process.argv[2] ?? 'all'
// Settings from a file; what the environment says already stays. A file that was named must be there, the usual one need not.
const settingsFile = process.env.BERTH_ENV_FILE ?? join(root, '.env')
if (process.env.BERTH_ENV_FILE || existsSync(settingsFile)) process.loadEnvFile(settingsFile)
const children: ChildProcess[] = []
let ending = false

const agentFlags = ['--max-semi-space-size=1', '--enable-source-maps']
/** One heap of malloc's for all threads: the agent does nearly everything in one, and what the others leave in heaps of their own nobody else can use. 6 MB of 50 with 200 containers. */
const agentEnvironment = { MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '1' }

/** @param name shown when it ends by itself */
function run(name: string, command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  // A group of its own: the terminal's Ctrl-C reaches us alone, and we end the children in order.
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  children.push(child)
  child.on('error', (error) => {
    console.error(`[berth] ${name} could not be started: ${error.message}`)
    end(1)
  })
  child.on('exit', (code, signal) => {
    children.splice(children.indexOf(child), 1)
    if (!ending) console.error(`[berth] ${name} ended (${signal ?? `exit status ${code}`}); its last lines above say why`)
    end(code ?? 1)
  })
}

/** Asks every child to end, then waits for the last one; a child that does not listen is killed after 15 s. */
function end(status: number): void {
  if (!ending) {
    ending = true
    process.exitCode = status
    for (const child of children) child.kill('SIGTERM')
    setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, 15_000).unref()
  }
  if (children.length === 0) process.exit()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0))

if (mode === 'dev') {
  run('agent', process.execPath, ['--import', 'tsx', 'src/main.ts', 'serve'], join(root, 'agent'))
  run('dashboard', process.execPath, ['--import', 'tsx', 'server.ts', '--dev'], join(root, 'apps/dashboard'))
} else {
  run('agent', process.execPath, [...agentFlags, join(root, 'agent/dist/berth-agent.js'), 'serve'], root, agentEnvironment)
  if (mode === 'all') {
    const server = join(root, 'apps/dashboard/dist/server.js')
    if (!existsSync(server)) throw new Error(`${server} is missing: run npm start, which builds it`)
    // A server that mostly passes things on: a small young generation and an eager collector. Under the load of server-memory-bench 211 MiB at most, without them 340 (source maps cost 15 more).
    run('dashboard', process.execPath, ['--max-semi-space-size=2', '--optimize-for-size', server], join(root, 'apps/dashboard'), {
      NODE_ENV: 'production',
    })
  }
}
