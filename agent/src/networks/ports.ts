import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { BoundPort, PortBinding } from '@berth/contract/container'
import { EngineError } from '../errors.ts'

/** A port of the host that a container holds. */
export interface HostPort {
  proto: 'tcp' | 'udp'
  /** `0.0.0.0`, `::` or one address. */
  hostIp: string
  hostPort: number
  containerPort: number
}

/**
 * Which container holds which port of the host. What is free among containers is decided here; what other programs hold is found by trying to bind, and
 * the monitor, which binds for good, has the last word.
 */
export class PortTable {
  readonly #held = new Map<string, string>()
  #next: number
  readonly #range = ephemeralRange()

  constructor() {
    this.#next = this.#range.first
  }

  /**
   * Reserves every port of a container, or none.
   * @param defaultIp address for bindings without one; '' = all of IPv4 and, where the host has it, IPv6
   * @throws already_exists in Docker's words, invalid_argument (sctp, bad address), resource_exhausted
   */
  async reserve(containerId: string, bindings: readonly PortBinding[], defaultIp = ''): Promise<HostPort[]> {
    const taken: HostPort[] = []
    try {
      // Ports with a number first: a random one must not take them.
      const byNumber = [...bindings].sort((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0))
      for (const binding of byNumber) taken.push(...(await this.#reserveOne(containerId, binding, defaultIp)))
      return taken
    } catch (error) {
      this.give(taken)
      throw error
    }
  }

  async #reserveOne(containerId: string, binding: PortBinding, defaultIp: string): Promise<HostPort[]> {
    const { protocol, containerPort } = binding
    if (protocol === 'sctp')
      throw new EngineError('invalid_argument', `port ${containerPort}/sctp cannot be published: only tcp and udp are supported`)
    const ips = addressesOf(binding.hostIp || defaultIp)
    for (const hostPort of this.#candidates(binding)) {
      const wanted = ips.map((hostIp) => ({ proto: protocol, hostIp, hostPort, containerPort }))
      const fixed = binding.hostPort !== 0 && !binding.hostPortEnd
      const clash = wanted.find((port) => this.#holder(port) !== undefined)
      if (clash) {
        if (fixed)
          throw new EngineError('already_exists', `Bind for ${printed(clash.hostIp)}:${hostPort} failed: port is already allocated`)
        continue
      }
      // Reserved before anything is awaited: two starts at once must not both find it free.
      for (const port of wanted) this.#held.set(keyOf(port), containerId)
      const busy = await firstBusy(wanted)
      if (!busy) return wanted
      this.give(wanted)
      if (fixed) throw busyError(busy.port, busy.code)
    }
    const range = binding.hostPort ? `${binding.hostPort}-${binding.hostPortEnd}` : `${this.#range.first}-${this.#range.last}`
    throw new EngineError('resource_exhausted', `all ports are allocated: no ${protocol} port of ${range} is free`)
  }

  *#candidates({ hostPort, hostPortEnd }: PortBinding): Generator<number> {
    if (hostPort !== 0) {
      for (let port = hostPort; port <= (hostPortEnd ?? hostPort); port++) yield port
      return
    }
    const { first, last } = this.#range
    for (let count = first; count <= last; count++) {
      const port = this.#next
      this.#next = port >= last ? first : port + 1
      yield port
    }
  }

  #holder(port: HostPort): string | undefined {
    const exact = this.#held.get(keyOf(port))
    if (exact !== undefined) return exact
    const any = port.hostIp.includes(':') ? '::' : '0.0.0.0'
    if (port.hostIp !== any) return this.#held.get(keyOf({ ...port, hostIp: any }))
    // All addresses: any single one of that family is in the way.
    for (const [key, holder] of this.#held) {
      const [proto, number, ip] = key.split('|') as [string, string, string]
      if (proto === port.proto && number === String(port.hostPort) && ip.includes(':') === port.hostIp.includes(':')) return holder
    }
    return undefined
  }

  /** Takes what a running container holds already. */
  adopt(containerId: string, ports: readonly HostPort[]): void {
    for (const port of ports) this.#held.set(keyOf(port), containerId)
  }

  give(ports: readonly HostPort[]): void {
    for (const port of ports) this.#held.delete(keyOf(port))
  }
}

function keyOf({ proto, hostIp, hostPort }: HostPort): string {
  return `${proto}|${hostPort}|${hostIp}`
}

function printed(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip
}

function busyError(port: HostPort, code: string | undefined): EngineError {
  const where = `${port.proto}${port.hostIp.includes(':') ? '6' : '4'} ${printed(port.hostIp)}:${port.hostPort}`
  if (code === 'EADDRINUSE')
    return new EngineError(
      'already_exists',
      `failed to bind host port for ${printed(port.hostIp)}:${port.hostPort}: listen ${where}: bind: address already in use`,
    )
  const reason = code === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : code === 'EACCES' ? 'permission denied' : code
  return new EngineError(
    'failed_precondition',
    `failed to bind host port for ${printed(port.hostIp)}:${port.hostPort}: listen ${where}: bind: ${reason}`,
  )
}

/** '' is all of IPv4, and all of IPv6 where the host has it. */
function addressesOf(hostIp: string): string[] {
  if (hostIp !== '') return [hostIp]
  return existsSync('/proc/net/if_inet6') ? ['0.0.0.0', '::'] : ['0.0.0.0']
}

function ephemeralRange(): { first: number; last: number } {
  const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number)
  return { first: first || 32768, last: last || 60999 }
}

async function firstBusy(ports: readonly HostPort[]): Promise<{ port: HostPort; code: string | undefined } | null> {
  for (const port of ports) {
    const code = await (port.proto === 'tcp' ? probeTcp(port) : probeUdp(port))
    if (code !== null) return { port, code }
  }
  return null
}

function probeTcp({ hostIp, hostPort }: HostPort): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EIO'))
    server.listen({ host: hostIp, port: hostPort, ipv6Only: true, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function probeUdp({ hostIp, hostPort }: HostPort): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(hostIp.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      resolve(error.code ?? 'EIO')
    })
    socket.bind({ address: hostIp, port: hostPort, exclusive: true }, () => socket.close(() => resolve(null)))
  })
}

/** As `inspect` shows them. */
export function boundPorts(ports: readonly HostPort[]): BoundPort[] {
  return ports.map(({ proto, hostIp, hostPort, containerPort }) => ({ containerPort, protocol: proto, hostIp, hostPort }))
}
