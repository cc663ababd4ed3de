import { EngineError } from '../errors.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import type { NamespacePaths } from './spec.ts'

/** Docker has a sentence of its own for each kind. */
function notRunning(namespace: string, id: string): string {
  if (namespace === 'net') return `cannot join network of a non running container: ${id}`
  const reason = `container ${id} is not running`
  return namespace === 'ipc' ? `can't join IPC of container ${id}: ${reason}` : reason
}

/** Namespaces of other containers. @throws EngineError failed_precondition when one of them does not run, or does not share */
export function joinedNamespaces(context: Context, { record, id }: Container): NamespacePaths {
  const { options } = record
  const path = (mode: string, name: string, what: string): string | undefined => {
    if (!mode.startsWith('container:')) return undefined
    const other = context.index.resolve(mode.slice('container:'.length))
    if (other.id === id) throw new EngineError('invalid_argument', `container "${record.name}" cannot join its own ${what} namespace`)
    if (!other.task) throw new EngineError('failed_precondition', notRunning(name, other.id))
    if (
      name === 'ipc' &&
      !['shareable', 'host'].includes(other.record.options.ipcMode) &&
      !other.record.options.ipcMode.startsWith('container:')
    )
      throw new EngineError(
        'failed_precondition',
        `can't join IPC of container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      )
    return `/proc/${other.task.pid}/ns/${name}`
  }
  return {
    network: path(options.networkMode, 'net', 'network'),
    pid: path(options.pidMode, 'pid', 'PID'),
    ipc: path(options.ipcMode, 'ipc', 'IPC'),
  }
}
