/** What an engine that has no containers left must not have left behind either. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentConfig } from '../src/config.ts'

const hierarchies = ['', 'cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd', 'unified']

/**
 * Processes, mounts, cgroups, network devices, published ports and files of containers that are still there, one sentence each; empty is right. Looks only at
 * what carries the engine's instance name or is below its directories, so others may work on the machine meanwhile.
 */
export function leftovers(config: AgentConfig): string[] {
  return [...processes(config), ...mounts(config), ...cgroups(config), ...links(config), ...ports(config), ...files(config)]
}

/** Waits until nothing that matters is left, or gives what is after a while: the kernel takes its time with namespaces, the trash with files. */
export async function settledLeftovers(config: AgentConfig, matters: (left: string) => boolean = () => true): Promise<string[]> {
  const until = Date.now() + 5000
  let left = leftovers(config).filter(matters)
  while (left.length > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    left = leftovers(config).filter(matters)
  }
  return left
}

function* numbered(): Generator<string> {
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) yield name
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function processes(config: AgentConfig): string[] {
  const found: string[] = []
  for (const pid of numbered()) {
    const cgroup = readOr(`/proc/${pid}/cgroup`)
    const command = readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    const ours =
      cgroup.includes(`/${config.instance}/`) || (command.startsWith('berth-monitor ') && opens(pid, config.runRoot, config.dataRoot))
    if (ours) found.push(`process ${pid}: ${command}`)
  }
  return found
}

function opens(pid: string, ...directories: string[]): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      directories.some((directory) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(directory)),
    )
  } catch {
    return false
  }
}

function mounts(config: AgentConfig): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${config.dataRoot}/`) || line.includes(` ${config.runRoot}/`))
    .map((line) => `mount: ${line}`)
}

function cgroups(config: AgentConfig): string[] {
  return hierarchies.flatMap((hierarchy) => {
    const path = join('/sys/fs/cgroup', hierarchy, config.instance)
    if (!existsSync(path)) return []
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `cgroup: ${join(path, entry.name)}`)
  })
}

function links(config: AgentConfig): string[] {
  const all = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as { ifname?: string; master?: string }[]
  return all.filter(({ master }) => master?.startsWith(config.instance)).map(({ ifname }) => `network device: ${ifname}`)
}

function ports(config: AgentConfig): string[] {
  try {
    const text = execFileSync('nft', ['-j', 'list', 'table', 'inet', config.instance], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { nftables } = JSON.parse(text) as { nftables: { map?: { name: string; elem?: unknown[] } }[] }
    return nftables.flatMap(({ map }) => (map?.elem?.length ? [`published ports in map ${map.name}: ${JSON.stringify(map.elem)}`] : []))
  } catch {
    // No such table: nothing is published.
    return []
  }
}

/** Directories that have an entry for each container, exec or writable layer, and none without. */
function files(config: AgentConfig): string[] {
  const directories = [
    `${config.dataRoot}/containers`,
    `${config.dataRoot}/snapshots/a`,
    `${config.dataRoot}/snapshots/active`,
    `${config.runRoot}/tasks`,
    `${config.runRoot}/execs`,
    `${config.runRoot}/shm`,
    `${config.runRoot}/subpaths`,
    `${config.runRoot}/runtime`,
  ]
  // The runtime keeps compiled seccomp programs for the next container.
  const kept = (name: string) => name.endsWith('@cache')
  return directories.flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => !kept(name))
          .map((name) => `file: ${directory}/${name}`)
      : [],
  )
}
