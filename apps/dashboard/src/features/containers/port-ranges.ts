import type { BoundPort } from '@berth/contract/container'

/** Ports in a row with the same address and protocol, as one: `8001–8024→80–103`. */
export interface PortRange {
  hostIp: string
  hostPort: number | null
  containerPort: number
  count: number
  protocol: BoundPort['protocol']
}

const everywhere = (ip: string | null) => !ip || ip === '0.0.0.0' || ip === '::'

/** Published first, in order; the same port on IPv4 and IPv6 counts once; those that follow each other are folded. */
export function portRanges(ports: readonly BoundPort[]): PortRange[] {
  const sorted = [...ports].sort(
    (a, b) =>
      Number(a.hostPort === null) - Number(b.hostPort === null) ||
      a.protocol.localeCompare(b.protocol) ||
      (a.hostPort ?? 0) - (b.hostPort ?? 0) ||
      a.containerPort - b.containerPort,
  )
  const ranges: PortRange[] = []
  for (const port of sorted) {
    const hostIp = everywhere(port.hostIp) ? '' : (port.hostIp as string)
    const offset = (range: PortRange, at: number) =>
      range.hostIp === hostIp &&
      range.protocol === port.protocol &&
      port.containerPort === range.containerPort + at &&
      (range.hostPort === null ? port.hostPort === null : port.hostPort === range.hostPort + at)
    if (ranges.some((range) => offset(range, range.count - 1))) continue
    const before = ranges.find((range) => offset(range, range.count))
    if (before) before.count += 1
    else ranges.push({ hostIp, hostPort: port.hostPort, containerPort: port.containerPort, count: 1, protocol: port.protocol })
  }
  return ranges
}

/** `8080→80`, `127.0.0.1:8001–8024→80–103/udp`. */
export function portText(range: PortRange, withAddress = true): string {
  const span = (first: number) => (range.count > 1 ? `${first}–${first + range.count - 1}` : `${first}`)
  const protocol = range.protocol === 'tcp' ? '' : `/${range.protocol}`
  if (range.hostPort === null) return `${span(range.containerPort)}${protocol}`
  const ip = range.hostIp.includes(':') ? `[${range.hostIp}]` : range.hostIp
  return `${withAddress && ip ? `${ip}:` : ''}${span(range.hostPort)}→${span(range.containerPort)}${protocol}`
}
