import type { RecreateInput } from '@berth/contract/container'
import { messageOf } from '../errors.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { ApiContext } from './context.ts'

/**
 * Replaces a container by one with other options under the same name. The old one is stopped and moved aside first, removed only when the new one stands (and runs,
 * if the old one ran). On any failure the new one is removed, the old one gets its name back and runs again if it ran.
 */
export async function recreateContainer(
  { engine }: ApiContext,
  input: RecreateInput,
  operation: OperationContext,
): Promise<{ id: string }> {
  const old = await engine.containers.inspect(input.container)
  const ran = old.state.status === 'running' || old.state.status === 'restarting' || old.state.status === 'paused'
  if (input.pull) {
    operation.progress({ id: 'pull', status: 'Pulling', text: input.options.image })
    await engine.images.pull({ reference: input.options.image, platform: input.options.platform }, operation)
  }
  const aside = `${old.name}-before-${operation.id.slice(0, 8)}`
  const undo: (() => Promise<unknown>)[] = []
  try {
    if (ran) {
      operation.progress({ id: 'stop', status: 'Stopping', text: old.name })
      undo.push(() => engine.containers.start(old.id))
      await engine.containers.stop(old.id)
    }
    await engine.containers.rename(old.id, aside)
    undo.push(() => engine.containers.rename(old.id, old.name))
    operation.progress({ id: 'create', status: 'Creating', text: old.name })
    const made = await engine.containers.create({ name: old.name, options: input.options })
    undo.push(() => engine.containers.remove(made.id, { force: true, volumes: false }))
    if (ran) {
      operation.progress({ id: 'start', status: 'Starting', text: old.name })
      await engine.containers.start(made.id)
    }
    undo.length = 0
    await engine.containers.remove(old.id, { force: true, volumes: false })
    return { id: made.id }
  } catch (error) {
    for (const step of undo.reverse()) {
      await step().catch((failure: unknown) => operation.progress({ id: 'undo', status: 'Undo failed', text: messageOf(failure) }))
    }
    throw error
  }
}
