/**
 * The end of processes of which nothing is known but the control group they are in: the runtime's state, the monitor's socket and all else about them was
 * removed with the run root while they ran. cgroups(7), and the kernel's cgroup-v1/freezer-subsystem and cgroup-v2 documents.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'

const root = '/sys/fs/cgroup'
const endsWithinMs = 15_000
const lookAgainMs = 20

/**
 * Kills what is in a container's group and below it, frozen or not, and removes the group from every hierarchy.
 * @param path of the group, the same in every hierarchy, beginning with `/`
 * @returns whether there was such a group
 * @throws unavailable when something in it does not end; the group is still there then
 */
export async function endCgroup(path: string): Promise<boolean> {
  const unified = existsSync(`${root}/cgroup.controllers`)
  const hierarchies = unified ? [''] : await readdir(root)
  const groups = hierarchies.map((name) => join(root, name, path)).filter((group) => existsSync(group))
  if (groups.length === 0) return false
  const until = performance.now() + endsWithinMs
  const again = async () => {
    if (performance.now() > until) throw new EngineError('unavailable', `the processes of the control group ${path} do not end`)
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
  for (;;) {
    const members = (await Promise.all(groups.map(processesIn))).flat()
    if (members.length === 0) break
    await (unified ? writeFile(join(root, path, 'cgroup.kill'), '1').catch(ignoreGone(undefined)) : killFrozen(path, new Set(members)))
    await again()
  }
  // A zombie holds its group a moment longer.
  for (const group of groups) while (!(await removeTree(group))) await again()
  return true
}

/** Nobody forks while he is frozen, so whoever is there now is met; a frozen process dies when it thaws. */
async function killFrozen(path: string, members: ReadonlySet<number>): Promise<void> {
  const freezer = join(root, 'freezer', path)
  await changeState(freezer, 'FROZEN')
  for (const pid of new Set([...members, ...(await processesIn(freezer))])) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  await changeState(freezer, 'THAWED')
}

async function changeState(freezer: string, state: 'FROZEN' | 'THAWED'): Promise<void> {
  if (existsSync(freezer)) await writeFile(join(freezer, 'freezer.state'), state).catch(ignoreGone(undefined))
}

async function processesIn(group: string): Promise<number[]> {
  const own = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(ignoreGone(''))
  const below = await Promise.all((await groupsIn(group)).map(processesIn))
  return [...own.split('\n').filter(Boolean).map(Number), ...below.flat()]
}

/** @returns false when something still holds it */
async function removeTree(group: string): Promise<boolean> {
  for (const below of await groupsIn(group)) if (!(await removeTree(below))) return false
  try {
    await rmdir(group)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EBUSY') return false
    if (code !== 'ENOENT') throw error
  }
  return true
}

async function groupsIn(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(ignoreGone([]))
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(group, entry.name))
}

function ignoreGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENODEV') throw error
    return instead
  }
}
