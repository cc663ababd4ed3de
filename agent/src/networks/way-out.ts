/** By which ports of the host a container is reached, and how a running one is led to another of its networks. */
import type { AttachedNetwork } from '@berth/contract/container'
import type { Redirect } from './firewall.ts'
import type { NetworkLease } from './networks.ts'
import type { HostPort } from './ports.ts'

/** What a running container holds of the host. */
export interface Held {
  ports: HostPort[]
  redirects: Redirect[]
  /** Bridge devices' other ends that were made while the container ran. */
  nextInterface: number
}

/** Docker's order: the highest priority, then the first name. @see `docker network connect --gw-priority` */
export function gatewayOrder(one: AttachedNetwork, other: AttachedNetwork): number {
  const priority = (attached: AttachedNetwork) => attached.requested.gatewayPriority ?? 0
  return priority(other) - priority(one) || (one.networkName < other.networkName ? -1 : 1)
}

type MonitorPort = NetworkLease['monitor']['ports'][number]

/** As the container's monitor is told. @param containerIp '' gives them back */
export function monitorPorts(ports: readonly HostPort[], containerIp: string): MonitorPort[] {
  return ports.map(({ proto, hostIp, hostPort, containerPort }) => ({ proto, hostIp, hostPort, containerIp, containerPort }))
}

/**
 * Has the monitor hold the ports of `next` and no others.
 * @param held what it holds now, leading to `address`
 * @throws what setPort throws; it holds what it held before then, as far as it still answers
 */
export async function leadPorts(
  held: readonly HostPort[],
  next: readonly MonitorPort[],
  address: string,
  setPort: (port: MonitorPort) => Promise<void>,
): Promise<void> {
  const before = monitorPorts(held, address)
  const same = (a: MonitorPort) => (b: MonitorPort) => a.proto === b.proto && a.hostIp === b.hostIp && a.hostPort === b.hostPort
  const done: MonitorPort[] = []
  try {
    for (const port of next) {
      await setPort(port)
      done.push(port)
    }
  } catch (error) {
    // The first reason counts; a monitor that does not answer any more has nothing to undo.
    for (const port of done) await setPort(before.find(same(port)) ?? { ...port, containerIp: '' }).catch(() => undefined)
    throw error
  }
  for (const port of before) if (!next.some(same(port))) await setPort({ ...port, containerIp: '' })
}
