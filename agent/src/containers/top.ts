import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { check } from './transitions.ts'

/**
 * `docker top`: the host's ps over the processes of the container's cgroup. Arguments are ps(1)'s; those that would choose other processes or write files do
 * not exist in ps, and the answer is filtered by pid.
 * @throws EngineError invalid_argument for arguments that ps refuses or that hide the pid
 */
export async function topOf(
  context: Context,
  container: Container,
  psArgs: string[],
  spelled: string,
): Promise<{ titles: string[]; processes: string[][] }> {
  check('top', { id: container.id, spelled, status: container.status })
  const args = psArgs.filter(Boolean).length ? psArgs.filter(Boolean) : ['-ef']
  if (args.some((arg) => !/^[-a-zA-Z0-9,=:%_+]+$/.test(arg)))
    throw new EngineError('invalid_argument', `invalid ps arguments: ${args.join(' ')}`)
  const pids = await pidsOf(context, container)
  const { stdout, stderr, exitCode } = await runProgram('ps', args, { allowedExitCodes: [1, 2, 127] })
  if (exitCode !== 0 && !stdout)
    throw new EngineError('invalid_argument', `ps refuses ${args.join(' ')}: ${stderr.trim().split('\n')[0] ?? ''}`)
  const answer = parsePs(stdout, pids)
  context.tell(container, 'top')
  return answer
}

/** Every process of the container and of cgroups that it made below its own. */
export async function pidsOf(context: Context, container: Container): Promise<Set<number>> {
  const text = await context.native.runtime(['ps', '--format', 'json', container.id])
  const pids = JSON.parse(text) as number[] | null
  return new Set(pids ?? [])
}

/** Pure. The last column takes what is left of its line, spaces and all. */
export function parsePs(text: string, pids: ReadonlySet<number>): { titles: string[]; processes: string[][] } {
  const [head = '', ...lines] = text.split('\n')
  const titles = head.trim().split(/\s+/)
  const column = titles.indexOf('PID')
  if (column < 0) throw new EngineError('invalid_argument', "Couldn't find PID field in ps output: give ps arguments that show it")
  const processes: string[][] = []
  for (const line of lines) {
    const words = line.trim().split(/\s+/)
    if (!pids.has(Number(words[column]))) continue
    const fixed = words.slice(0, titles.length - 1)
    processes.push([...fixed, words.slice(titles.length - 1).join(' ')])
  }
  return { titles, processes }
}
