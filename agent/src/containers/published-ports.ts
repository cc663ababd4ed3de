import type { PortBinding } from '@berth/contract/container'
import type { ContainerRecord } from './record.ts'

/** What a container wants to be reached by: `-p`, and with `-P` whatever is exposed. */
export function publishedPorts(record: ContainerRecord): PortBinding[] {
  return [...record.options.ports, ...(record.options.publishAll ? exposedPorts(record) : [])]
}

/** `-P`: each exposed port that is not published by name, on a free one. */
function exposedPorts({ effective, options }: ContainerRecord) {
  return effective.exposedPorts.flatMap((exposed) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(exposed)
    if (!match) return []
    const protocol = (match[3] ?? 'tcp') as 'tcp' | 'udp' | 'sctp'
    const ports = []
    for (let port = Number(match[1]); port <= Number(match[2] ?? match[1]); port++)
      if (!options.ports.some((own) => own.containerPort === port && own.protocol === protocol))
        ports.push({ containerPort: port, protocol, hostIp: '', hostPort: 0 })
    return ports
  })
}
