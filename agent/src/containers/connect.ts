/** Joining and leaving networks, on a running container at once, on another at its next start. The caller holds the container's turn. */
import type { EndpointConfig } from '@berth/contract/network'
import { readTextIfExists, writeFileAtomic } from '../disk/files.ts'
import { codeOf, EndpointConflictError, EngineError, messageOf } from '../errors.ts'
import type { NetworkLease } from '../networks/networks.ts'
import { unsupportedAlias } from './check-options.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { refreshNetworkFiles } from './network-files.ts'
import { publishedPorts } from './published-ports.ts'
import { saveChange } from './save-change.ts'

/** @throws EngineError failed_precondition with Docker's sentences (EndpointConflictError when it is there already), not_found (network) */
export async function connectNetwork(context: Context, container: Container, network: string, config: EndpointConfig): Promise<void> {
  const { record } = container
  const mode = record.options.networkMode
  if (config.aliases.length > 0 && isPredefined(context, network)) throw unsupportedAlias()
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
    const { attached, attachment } = await context.networks.connect(network, subjectOf(container), config)
    const others = (lease: NetworkLease) => without(lease, attached)
    try {
      await leaseChanged(context, container, (lease) => {
        const kept = others(lease)
        const attachments = [...kept.monitor.attachments, ...(attachment ? [attachment] : [])]
        return { ...kept, attached: [...kept.attached, attached], monitor: { ...kept.monitor, attachments } }
      })
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
  others: (lease: NetworkLease) => NetworkLease,
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
  if (container.record.options.networkMode === 'host' && network === 'host')
    throw new EngineError('failed_precondition', 'container cannot be disconnected from host network or connected to host network')
  if (force && !container.task && !isThere(context, network)) return forgetNetwork(context, container, network)
  const { name, id } = context.networks.inspect(network)
  const known = Object.keys(container.record.networks).find((key) => key === name || key === id)
  if (!known && !force) throw new EngineError('failed_precondition', `container ${container.id} is not connected to network ${name}`)
  if (container.task) {
    // Known, but with no place there: an earlier try left it and could not write that down.
    await context.networks.disconnect(network, { id: container.id, pid: container.task.pid }, force || known !== undefined)
    await leaseChanged(context, container, (lease) => {
      const left = lease.attached.find(({ networkId }) => networkId === id)
      return left ? without(lease, left) : lease
    })
  }
  const { [known ?? '']: _, ...networks } = container.record.networks
  await saveNetworks(context, container, networks)
}

/** Also by id; what is not there is told by whoever asks for it next. */
function isPredefined(context: Context, network: string): boolean {
  return isThere(context, network) && context.networks.inspect(network).predefined
}

function isThere(context: Context, network: string): boolean {
  try {
    return context.networks.inspect(network).name !== ''
  } catch (error) {
    if (codeOf(error) === 'not_found') return false
    throw error
  }
}

/** A network that was removed while the container was stopped can be taken out of its record by name. @throws not_found */
async function forgetNetwork(context: Context, container: Container, network: string): Promise<void> {
  const { [network]: known, ...others } = container.record.networks
  if (!known) throw new EngineError('not_found', `network ${network} not found`)
  await saveNetworks(context, container, others)
}

function subjectOf({ id, record, task }: Container) {
  return { id, name: record.name, pid: task?.pid ?? null, hostname: record.effective.hostname }
}

/** A lease without one of its networks. */
function without(lease: NetworkLease, { networkId, mac }: NetworkLease['attached'][number]): NetworkLease {
  const attachments = lease.monitor.attachments.filter((attachment) => attachment.mac !== mac)
  return {
    ...lease,
    attached: lease.attached.filter((one) => one.networkId !== networkId),
    monitor: { ...lease.monitor, attachments },
  }
}

/**
 * What it is attached to changed, and maybe by which network it is reached from outside: in memory, for an agent that is started later, and in the
 * container's own files.
 */
async function leaseChanged(context: Context, container: Container, change: (lease: NetworkLease) => NetworkLease): Promise<void> {
  if (!container.lease) return
  const before = container.lease
  container.lease = change(before)
  try {
    await moveWayOut(context, container, before)
  } catch (error) {
    container.lease = before
    throw error
  }
  const file = `${context.paths.run(container.id)}/lease.json`
  const kept = JSON.parse((await readTextIfExists(file)) ?? '{}') as object
  await writeFileAtomic(file, JSON.stringify({ ...kept, lease: container.lease }), { durable: false })
  await refreshNetworkFiles(context, container)
}

/** A monitor of an older version keeps the ports that it has; they move with the next start then. */
async function moveWayOut(context: Context, container: Container, before: NetworkLease): Promise<void> {
  const { id, name, record, task, lease } = container
  if (!task || !lease) return
  const attached = { before: before.attached, after: lease.attached }
  try {
    const moved = await context.networks.moveWayOut({ id, name, pid: task.pid }, attached, publishedPorts(record), (port) =>
      task.setPort(port),
    )
    if (moved) container.lease = { ...lease, ports: moved.ports, monitor: { ...lease.monitor, ports: moved.monitorPorts } }
  } catch (error) {
    if (codeOf(error) !== 'unavailable') throw error
    context.log.warn({ id, reason: messageOf(error) }, 'published ports stay as they are until the container is started again')
  }
}

async function saveNetworks(context: Context, container: Container, networks: Record<string, EndpointConfig>): Promise<void> {
  await saveChange(context, container, (record) => ({ ...record, networks }))
}
