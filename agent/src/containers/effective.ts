/** Pure: what really runs, from what was asked for and what the image says. */
import type { ContainerDetail, ContainerOptions } from '@berth/contract/container'
import type { Healthcheck, ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'

export type Effective = ContainerDetail['effective']

/**
 * Docker's merge: an entrypoint given by the user throws the image's command away; environment and labels are joined, the user's last; ports and volumes
 * are united; the health check inherits what it leaves open.
 * @param machine name of the host, which is the container's too on the host's network
 * @throws EngineError invalid_argument `No command specified` when there is nothing to run
 */
export function mergeWithImage(id: string, options: ContainerOptions, image: ImageConfig, machine: string): Effective {
  const entrypoint =
    options.entrypoint === null ? (image.entrypoint ?? []) : options.entrypoint.filter((word, _, all) => !(all.length === 1 && word === ''))
  // Docker: an entrypoint of one's own drops the image's command, an inherited one keeps it.
  const cmd = options.cmd ?? (options.entrypoint === null ? (image.cmd ?? []) : [])
  const command = [...entrypoint, ...cmd]
  if (command.length === 0) throw new EngineError('invalid_argument', 'No command specified: the image names none, so give one')
  return {
    command,
    entrypoint,
    cmd,
    env: [...options.env.filter((entry) => entry.includes('=')), ...withoutNames(image.env, options.env)],
    user: options.user || image.user,
    workingDir: options.workingDir || image.workingDir,
    hostname: options.hostname || (options.networkMode === 'host' ? machine : id.slice(0, 12)),
    labels: { ...image.labels, ...options.labels },
    exposedPorts: [
      ...new Set([
        ...image.exposedPorts,
        ...options.exposedPorts,
        ...options.ports.map((port) => `${port.containerPort}/${port.protocol}`),
      ]),
    ],
    volumes: image.volumes,
    stopSignal: options.stopSignal || image.stopSignal || 'SIGTERM',
    healthcheck: mergeHealthcheck(options.healthcheck, image.healthcheck),
  }
}

/** Image's variables first, replaced in place by the user's; `NAME` alone removes it (docker run -e NAME without a value set). */
export function mergeEnvironment(image: readonly string[], user: readonly string[]): string[] {
  const byName = new Map<string, string>()
  for (const entry of image) byName.set(nameOf(entry), entry)
  for (const entry of user) {
    if (entry.includes('=')) byName.set(nameOf(entry), entry)
    else byName.delete(entry)
  }
  return [...byName.values()]
}

/** The image's variables that the user neither sets nor removes. Docker shows the user's own first. */
function withoutNames(image: readonly string[], user: readonly string[]): string[] {
  const named = new Set(user.map(nameOf))
  return image.filter((entry) => !named.has(nameOf(entry)))
}

function nameOf(entry: string): string {
  const equals = entry.indexOf('=')
  return equals < 0 ? entry : entry.slice(0, equals)
}

/** Names given without a value (`-e NAME` where the client has none): the process shall not have them. */
export function erasedNames({ env }: Pick<ContainerOptions, 'env'>): string[] {
  return env.filter((entry) => !entry.includes('='))
}

/**
 * Environment of the first process, in Docker's order: PATH, HOSTNAME, TERM for a terminal, what links say, then the image's and the user's, then HOME unless given.
 */
export function processEnvironment(
  effective: { env: string[]; hostname: string },
  terminal: boolean,
  home: string,
  linked: readonly string[] = [],
  erased: readonly string[] = [],
): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${effective.hostname}`, ...(terminal ? ['TERM=xterm'] : []), ...linked]
  const merged = mergeEnvironment(base, [...effective.env, ...erased])
  return merged.some((entry) => entry.startsWith('HOME=')) ? merged : [...merged, `HOME=${home}`]
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function mergeHealthcheck(own: Healthcheck | null, image: Healthcheck | null): Healthcheck | null {
  if (own?.test[0] === 'NONE') return null
  const test = own?.test.length ? own.test : (image?.test ?? [])
  if (test.length === 0 || test[0] === 'NONE') return null
  return {
    test,
    intervalMs: own?.intervalMs || image?.intervalMs,
    timeoutMs: own?.timeoutMs || image?.timeoutMs,
    startPeriodMs: own?.startPeriodMs || image?.startPeriodMs,
    startIntervalMs: own?.startIntervalMs || image?.startIntervalMs,
    retries: own?.retries || image?.retries,
  }
}
