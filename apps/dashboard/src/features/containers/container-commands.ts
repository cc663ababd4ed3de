'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { useCallback } from 'react'
import { useDock } from '../../ui/dock'
import { runEach } from '../../ui/run-each'
import { sayDone, sayFailed } from '../../ui/toaster'
import { useAction } from '../../ui/use-action'
import { agentClient } from '../../wire/agent'

/** What a command needs to know of a container. */
export interface Target {
  hostId: string
  hostName: string
  id: string
  name: string
  status: ContainerSummary['state']['status']
}
export const verbs = ['start', 'stop', 'restart', 'pause', 'unpause'] as const
export type Verb = (typeof verbs)[number]

/** Whether a verb makes sense in a state. */
export function fits(verb: Verb, status: Target['status']): boolean {
  switch (verb) {
    case 'start':
      return status === 'created' || status === 'exited' || status === 'dead'
    case 'stop':
    case 'restart':
      return status === 'running' || status === 'paused' || status === 'restarting'
    case 'pause':
      return status === 'running'
    case 'unpause':
      return status === 'paused'
  }
}

/** Runs one verb on one container; resolves when the agent says that it is done. */
export async function perform(verb: Verb, target: Target): Promise<void> {
  await agentClient(target.hostId).containers[verb].mutate({ container: target.id })
}

/** Commands with their words: what was done, or what failed and why. */
export function useContainerCommand() {
  const t = useTranslations('containers')
  return useAction(({ verb, target }: { verb: Verb; target: Target }) => perform(verb, target), {
    done: (_, { verb, target }) => t(`did.${verb}`, { name: target.name }),
    failed: ({ verb, target }) => t(`failed.${verb}`, { name: target.name }),
  })
}

/** The same command on many containers; one message at the end that names those that failed. */
export function useBulkCommand() {
  const t = useTranslations('containers')
  return useCallback(
    async (targets: readonly Target[], label: string, one: (target: Target) => Promise<unknown>, progress?: (done: number) => void) => {
      const steps = targets.map((target) => ({ key: `${target.hostId}/${target.id}`, name: target.name, run: () => one(target) }))
      const failures = await runEach(steps, undefined, progress)
      const good = targets.length - failures.length
      if (failures.length === 0) sayDone(t('bulk.done', { action: label, count: good }))
      else {
        const words = failures.map(({ name, message }) => `${name}: ${message}`).join('\n')
        sayFailed(t('bulk.partly', { action: label, good, bad: failures.length }), new Error(words))
      }
      return failures
    },
    [t],
  )
}

/** `crypto.randomUUID` is missing where the page is not a secure context. */
function newTabId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Opens logs or a terminal of a container in the dock. */
export function useOpenInDock() {
  const dock = useDock()
  return useCallback(
    (kind: 'logs' | 'terminal', target: Pick<Target, 'hostId' | 'hostName' | 'id' | 'name'>, more: Record<string, unknown> = {}) =>
      dock.open({
        id: kind === 'logs' ? `logs-${target.hostId}-${target.id}` : `terminal-${newTabId()}`,
        kind,
        title: target.name,
        place: target.hostName,
        params: { hostId: target.hostId, container: target.id, name: target.name, ...more },
      }),
    [dock],
  )
}

/** Opens the logs of several containers, of any hosts, as one in the dock. */
export function useLogsTogether() {
  const t = useTranslations('containers')
  const dock = useDock()
  return useCallback(
    (targets: readonly Target[]) => {
      const [first] = targets
      if (!first) return
      dock.open({
        id: `logs-${targets
          .map((target) => target.id.slice(0, 12))
          .sort()
          .join('-')}`,
        kind: 'logs',
        title: targets.length === 1 ? first.name : t('bulk.logsTitle', { first: first.name, count: targets.length - 1 }),
        place: [...new Set(targets.map((target) => target.hostName))].join(', '),
        params: { sources: targets.map((target) => ({ hostId: target.hostId, container: target.id, name: target.name })) },
      })
    },
    [dock, t],
  )
}

/** Shows a long task in the dock while it goes on. */
export function useShowOperation() {
  const dock = useDock()
  return useCallback(
    (hostId: string, hostName: string, operation: { id: string }, title: string) =>
      dock.open({
        id: `operation-${hostId}-${operation.id}`,
        kind: 'operation',
        title,
        place: hostName,
        params: { hostId, operation: operation.id },
      }),
    [dock],
  )
}
