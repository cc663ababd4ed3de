import type { ContainerSummary } from '@berth/contract/container'
import type { useTranslations } from 'next-intl'
import type { HostView } from '../../wire/hosts'

export interface Problem {
  key: string
  tone: 'bad' | 'warn'
  words: string
}

/** What on a host needs somebody's eyes, worst first. Only what is known for certain. */
export function hostProblems(
  host: HostView,
  containers: readonly ContainerSummary[],
  t: ReturnType<typeof useTranslations<'hosts'>>,
): Problem[] {
  const count = (test: (container: ContainerSummary) => boolean) => containers.filter(test).length
  const unhealthy = count((container) => container.state.status === 'running' && container.state.health === 'unhealthy')
  const looping = count((container) => container.state.status === 'restarting')
  const oom = count((container) => container.state.oomKilled && container.state.status === 'exited')
  const { point } = host
  const problems: Problem[] = []
  if (host.state === 'away') problems.push({ key: 'away', tone: 'warn', words: host.message || t('state.away') })
  if (host.state === 'revoked') problems.push({ key: 'revoked', tone: 'bad', words: t('state.revoked') })
  if (point && point.diskTotalBytes > 0 && point.diskUsedBytes / point.diskTotalBytes > 0.9)
    problems.push({ key: 'disk', tone: 'bad', words: t('problem.disk') })
  if (point && point.memoryTotalBytes > 0 && point.memoryUsedBytes / point.memoryTotalBytes > 0.95)
    problems.push({ key: 'memory', tone: 'warn', words: t('problem.memory') })
  if (unhealthy > 0) problems.push({ key: 'unhealthy', tone: 'bad', words: t('problem.unhealthy', { count: unhealthy }) })
  if (looping > 0) problems.push({ key: 'looping', tone: 'bad', words: t('problem.looping', { count: looping }) })
  if (oom > 0) problems.push({ key: 'oom', tone: 'warn', words: t('problem.oom', { count: oom }) })
  return problems
}

/** "Debian GNU/Linux 12 (bookworm)": some systems put the version into their name. */
export function systemName(system: { os: string; osVersion: string }): string {
  return system.os.includes(system.osVersion) ? system.os : `${system.os} ${system.osVersion}`
}
