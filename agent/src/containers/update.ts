import type { Limits, RestartPolicy } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import { checkRestart } from './check-options.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { gatherRates } from './gather-devices.ts'
import { checkLimits, mergeLimits, toResources, withoutDiscarded } from './limits.ts'
import { saveChange } from './save-change.ts'
import { check } from './transitions.ts'

/**
 * New limits and restart policy; on a running container the kernel has them before this returns. The caller holds its turn.
 * @throws EngineError invalid_argument; nothing has changed then, neither on disk nor in the kernel
 */
export async function updateContainer(
  context: Context,
  container: Container,
  change: { limits?: Partial<Limits>; restart?: RestartPolicy },
  spelled: string,
): Promise<{ warnings: string[] }> {
  check('update', { id: container.id, spelled, status: container.status })
  const before = container.record
  const asked = change.limits ? merged(container, change.limits) : before.options.limits
  const warnings = checkLimits(asked, context.host)
  const limits = withoutDiscarded(asked, context.host)
  if (change.restart && change.restart.name !== 'no' && before.options.autoRemove)
    throw new EngineError('invalid_argument', 'Restart policy cannot be updated because AutoRemove is enabled for the container')
  if (change.restart) checkRestart(change.restart, before.options.autoRemove)
  if (change.limits && container.task) {
    const resources = toResources(limits, await gatherRates(limits), context.host, before.options.limits)
    await context.native.runtime(['update', '--resources', '-', container.id], { input: JSON.stringify(resources) })
  }
  const options = { ...before.options, limits, restart: change.restart ?? before.options.restart }
  try {
    await saveChange(context, container, (record) => ({ ...record, options }))
  } catch (error) {
    await putBack(context, container, limits)
    throw error
  }
  context.tell(container, 'update')
  return { warnings }
}

/** @throws EngineError invalid_argument that names the container, where one limit stands in another's way */
function merged({ id, record }: Container, change: Partial<Limits>): Limits {
  try {
    return mergeLimits(record.options.limits, change)
  } catch (error) {
    throw error instanceof EngineError ? new EngineError(error.code, `Cannot update container ${id}: ${error.message}`) : error
  }
}

/** The disk refused: the kernel gets the old limits again. */
async function putBack(context: Context, container: Container, tried: Limits): Promise<void> {
  const { limits } = container.record.options
  if (!container.task) return
  const resources = toResources(limits, await gatherRates(limits), context.host, tried)
  await context.native.runtime(['update', '--resources', '-', container.id], { input: JSON.stringify(resources) })
}
