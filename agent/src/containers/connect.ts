/** Joining and leaving networks, on a running container at once, on another at its next start. The caller holds the container's turn. */
import type { EndpointConfig } from '@berth/contract/network'
import { readTextIfExists, writeFileAtomic } from '../disk/files.ts'
import { EndpointConflictError, EngineError, messageOf } from '../errors.ts'
import type { NetworkLease } from '../networks/networks.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { refreshNetworkFiles } from './network-files.ts'
import { saveChange } from './save-change.ts'

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
    const others = (all: NetworkLease['attached']) => all.filter((one) => one.networkId !== attached.networkId)
    try {
      await leaseChanged(context, container, (all) => [...others(all), attached])
      await saveNetworks(context, container, { ...record.networks, [name]: config })
    } catch (error) {
      await undoConnect(context, container, network, others)
      throw error
    }
  } else await saveNetworks(context, container, { ...record.networks, [name]: config })
}

/** Leaves again what could not be written down. What cannot be undone is told in the log; leaving it by hand works then. */
async function undoConnect(
  context: Context,
  container: Container,
  network: string,
  others: (all: NetworkLease['attached']) => NetworkLease['attached'],
): Promise<void> {
  try {
    await context.networks.disconnect(network, { id: container.id, pid: container.task?.pid ?? null }, true)
    await leaseChanged(context, container, others)
  } catch (error) {
    context.log.error(
      { id: container.id, network, reason: messageOf(error) },
      'a network that could not be joined could not be left either',
    )
  }
}

/** Can be tried again when it failed. @throws EngineError failed_precondition when it is not in that network (unless force), not_found (network) */
export async function disconnectNetwork(context: Context, container: Container, network: string, force: boolean): Promise<void> {
  const { name, id } = context.networks.inspect(network)
  const known = Object.keys(container.record.networks).find((key) => key === name || key === id)
  if (!known && !force) throw new EngineError('failed_precondition', `container ${container.id} is not connected to network ${name}`)
  if (container.task) {
    // Known, but with no place there: an earlier try left it and could not write that down.
    await context.networks.disconnect(network, { id: container.id, pid: container.task.pid }, force || known !== undefined)
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
  await saveChange(context, container, (record) => ({ ...record, networks }))
}
