import type { Container } from './container.ts'
import type { Context } from './context.ts'

/** Volumes that a run has from its start to its end; told under the volume's name, as Docker tells them. */
export function tellVolumes(context: Context, { id, record }: Container, action: 'mount' | 'unmount'): void {
  for (const { type, name, destination, readOnly, propagation } of record.mounts) {
    if (type !== 'volume') continue
    const how = { destination, propagation, 'read/write': String(!readOnly) }
    const attributes = { container: id, driver: 'local', ...(action === 'mount' ? how : {}) }
    context.events.publish({ type: 'volume', action, actorId: name, attributes })
  }
}
