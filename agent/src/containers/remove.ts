import { messageOf } from '../errors.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { check } from './transitions.ts'

/**
 * Forgets a container that does not run. The caller holds its turn, and has ended its process where that was wanted.
 * Order: the record goes first and the directory last, so that whatever a crash or a failure leaves in between, the next boot sweeps.
 */
export async function removeContainer(
  context: Context,
  container: Container,
  options: { force: boolean; volumes: boolean },
  spelled = container.name,
): Promise<void> {
  check('remove', { id: container.id, spelled, status: container.status })
  container.removing = true
  container.cancelRestart()
  try {
    await context.store.forget(container.id)
  } catch (error) {
    container.removing = false
    throw error
  }
  context.index.delete(container)
  for (const viewer of container.viewers.splice(0)) viewer.close()
  const parts = await Promise.all([
    leave(context, container, 'the network', context.networks.release(container.id)),
    leave(context, container, 'the writable layer', context.snapshots.remove(container.id)),
  ])
  if (options.volumes) {
    for (const mount of container.record.mounts.filter((candidate) => candidate.anonymous)) {
      const shared = [...context.index.values()].some((other) => other.record.mounts.some((used) => used.name === mount.name))
      if (!shared) await leave(context, container, `volume ${mount.name}`, context.volumes.remove(mount.name, { force: true }))
    }
  }
  if (parts.every(Boolean)) await leave(context, container, 'the directory', context.store.removeDirectory(container.id))
  context.tell(container, 'destroy')
  const { exitCode, error } = container.record.state
  container.removed({ exitCode, error })
}

/** The container is gone whatever happens; what could not be removed is named. @returns whether it was */
async function leave(context: Context, container: Container, what: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    context.log.error({ id: container.id, reason: messageOf(error) }, `${what} of a removed container is still there`)
    return false
  }
}
