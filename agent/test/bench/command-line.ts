/** The docker command line against each of the engines that are measured: one command with a limit, and rounds of one command, interleaved. */
import { spawn } from 'node:child_process'
import type { MeasuredEngine } from './engines.ts'
import { interleaved, median, withinLimit } from './rounds.ts'

/** `docker ARGS` on that engine. Rejects when it ends with a status other than 0, and with NoAnswer when it takes longer than the limit. */
export function docker(engine: MeasuredEngine, ...args: string[]): Promise<void> {
  const child = spawn('docker', ['-H', `unix://${engine.socket}`, ...args], {
    stdio: 'ignore',
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  })
  const command = `docker ${args.join(' ')}`
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status) => (status === 0 ? resolve() : reject(new Error(`${command} on ${engine.name} ended with ${status}`))))
  })
  return withinLimit(engine, command, ended, () => child.kill('SIGKILL'))
}

/**
 * Medians of one command on both engines, and their ratio; the bench ends with status 1 when it is above the goal.
 * @param goal null: the figure is there to compare others with
 */
export async function compare(
  what: string,
  engines: MeasuredEngine[],
  rounds: number,
  goal: number | null,
  ...args: string[]
): Promise<void> {
  const times = await interleaved(what, engines, rounds, (engine) => docker(engine, ...args))
  if (!times) return
  const [ours = 0, theirs = 0] = engines.map(({ name }) => median(times.get(name) ?? []))
  const ratio = ours / theirs
  const judged = goal === null ? '' : ` (goal ${goal}${ratio > goal ? ', missed' : ''})`
  console.log(`${what.padEnd(42)} berth ${ours.toFixed(1)} ms  dockerd ${theirs.toFixed(1)} ms  ratio ${ratio.toFixed(3)}${judged}`)
  if (goal !== null && ratio > goal) process.exitCode = 1
}
