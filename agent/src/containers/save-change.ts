import { messageOf } from '../errors.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import type { ContainerRecord } from './record.ts'

/**
 * Makes a change of a container's record durable; the container has it then. The caller holds its turn.
 * @throws what the disk said; neither the container nor, as far as the disk allows, the next agent has the change then: the new record may have been in place
 *   already with its name alone not flushed, and what was told as refused must not come true later
 */
export async function saveChange(
  context: Context,
  container: Container,
  change: (record: ContainerRecord) => ContainerRecord,
): Promise<void> {
  try {
    await context.store.save(change(container.record), true)
  } catch (error) {
    await context.store.save(container.record, true).catch((second) => {
      context.log.error({ id: container.id, reason: messageOf(second) }, 'the record of a container could not be put back')
    })
    throw error
  }
  container.record = change(container.record)
}
