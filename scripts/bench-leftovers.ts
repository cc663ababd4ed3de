/**
 * What benchmarks take of the machine carries the process id of who took it: `<prefix><pid>`. A run that was killed cleans nothing up, so the next one takes
 * over what belongs to a process that is gone: servers that still run there, mounts, directories, bridges. What a living run holds is left alone.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Of `names`, those of runs that are gone. */
export function deserted(names: readonly string[], prefix: string, isAlive: (pid: number) => boolean = processExists): string[] {
  return names.filter((name) => {
    const pid = name.startsWith(prefix) ? /^\d+$/.exec(name.slice(prefix.length))?.[0] : undefined
    return pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))
  })
}

function processExists(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

/** Makes `<parent>/<prefix><pid>` for this run, after removing what killed runs left under that prefix. @returns its path */
export function claimDirectory(parent: string, prefix: string): string {
  for (const name of deserted(existsSync(parent) ? readdirSync(parent) : [], prefix)) removeServed(join(parent, name))
  const path = join(parent, `${prefix}${process.pid}`)
  mkdirSync(path, { recursive: true })
  return path
}

/** Makes the bridge `<prefix><pid>` with this address, after removing those of killed runs. @param prefix at most 8 characters @returns its name */
export function claimBridge(prefix: string, address: string): string {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'type', 'bridge'], { encoding: 'utf8' })) as { ifname?: string }[]
  const names = links.flatMap(({ ifname }) => ifname ?? [])
  for (const name of deserted(names, prefix)) execFileSync('ip', ['link', 'delete', name])
  const bridge = `${prefix}${process.pid}`
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge'])
  execFileSync('ip', ['address', 'add', address, 'dev', bridge])
  execFileSync('ip', ['link', 'set', bridge, 'up'])
  return bridge
}

/** Ends the programs that were started with a path in this directory, unmounts what is mounted below it and removes it. */
export function removeServed(directory: string): void {
  endAll(serversOf(directory))
  const targets = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(`${directory}/`))
  for (const target of targets.reverse()) spawnSync('umount', ['-l', target], { stdio: 'ignore' })
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
}

/** Programs with a path in this directory among their arguments, and those whose root file system lies there: containers that outlived their engine. */
function serversOf(directory: string): number[] {
  const inside = `${directory}/`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(inside)) return true
        // proc_pid_mountinfo(5): the fifth field is the mount point as that process sees it.
        const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
          .split('\n')
          .find((line) => line.split(' ')[4] === '/')
        return root?.includes(inside) ?? false
      } catch {
        // It ended while we looked, or is a thread of the kernel.
        return false
      }
    })
}

/** SIGTERM, and SIGKILL for whoever is still there after five seconds. */
export function endAll(pids: readonly number[]): void {
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids)
      try {
        process.kill(pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
  }
  signal('SIGTERM')
  const nap = new Int32Array(new SharedArrayBuffer(4))
  for (let tenths = 0; tenths < 50 && pids.some(isRunning); tenths++) Atomics.wait(nap, 0, 0, 100)
  signal('SIGKILL')
}

/** Not gone and not waiting to be reaped. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
