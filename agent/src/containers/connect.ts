/** Joining and leaving networks, on a running container at once, on another at its next start. The caller holds the container's turn. */
import type { EndpointConfig } from '@berth/contract/network'
import { readTextIfExists, writeFileAtomic } from '../disk/files.ts'
import { EndpointConflictError, EngineError } from '../errors.ts'
import type { NetworkLease } from '../networks/networks.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { refreshNetworkFiles } from './network-files.ts'

/** @throws EngineError failed_precondition with Docker's sentences (EndpointConflictError when it is there already), not_found (network) */
export async function connectNetwork(context: Context, container: Container, network: string, config: EndpointConfig): Promise<void> {
  const { record } = container
  const mode = record.options.networkMode
  if (mode === 'host')
    throw new EngineError('failed_precondition', 'container cannot be disconnected from host network or connected to host network')
  if (mode.startsWith('container:'))
    throw new EngineError(
      'failed_precondition',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  if (mode === 'none')
    throw new EngineError(
      'failed_precondition',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    )
  const { name } = context.networks.inspect(network)
  if (Object.keys(record.networks).some((known) => known === name || known === network))
    throw new EndpointConflictError(`endpoint with name ${container.name} already exists in network ${name}`)
  if (container.task) {
    const attached = await context.networks.connect(network, subjectOf(container), config)
    await leaseChanged(context, container, (others) => [...others.filter((one) => one.networkId !== attached.networkId), attached])
  }
  await saveNetworks(context, container, { ...record.networks, [name]: config })
}

/** @throws EngineError failed_precondition when it is not in that network (unless force), not_found (network) */
export async function disconnectNetwork(context: Context, container: Container, network: string, force: boolean): Promise<void> {
  const { name, id } = context.networks.inspect(network)
  const known = Object.keys(container.record.networks).find((key) => key === name || key === id)
  if (!known && !force) throw new EngineError('failed_precondition', `container ${container.id} is not connected to network ${name}`)
  if (container.task) {
    await context.networks.disconnect(network, { id: container.id, pid: container.task.pid }, force)
    await leaseChanged(context, container, (attached) => attached.filter((one) => one.networkId !== id))
  }
  const { [known ?? '']: _, ...networks } = container.record.networks
  await saveNetworks(context, container, networks)
}

function subjectOf({ id, record, task }: Container) {
  return { id, name: record.name, pid: task?.pid ?? null, hostname: record.effective.hostname }
}

/** What it is attached to changed: in memory, for an agent that is started later, and in the container's own files. */
async function leaseChanged(
  context: Context,
  container: Container,
  change: (attached: NetworkLease['attached']) => NetworkLease['attached'],
): Promise<void> {
  if (!container.lease) return
  container.lease = { ...container.lease, attached: change(container.lease.attached) }
  const file = `${context.paths.run(container.id)}/lease.json`
  const kept = JSON.parse((await readTextIfExists(file)) ?? '{}') as object
  await writeFileAtomic(file, JSON.stringify({ ...kept, lease: container.lease }), { durable: false })
  await refreshNetworkFiles(context, container)
}

async function saveNetworks(context: Context, container: Container, networks: Record<string, EndpointConfig>): Promise<void> {
  container.record = { ...container.record, networks }
  await context.store.save(container.record, true)
}
