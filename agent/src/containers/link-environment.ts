/** Pure: the variables that `--link` of the default bridge promises (Docker's legacy links): where the other container is, and what it was told. */

export interface LinkedContainer {
  /** Name of the container that links, and the alias it uses. */
  child: string
  alias: string
  ipv4: string
  /** `80/tcp`, … */
  exposedPorts: readonly string[]
  env: readonly string[]
}

/** Names that every container has of its own. */
const notPassedOn = new Set(['HOME', 'PATH'])

export function linkEnvironment(link: LinkedContainer): string[] {
  const prefix = link.alias.replaceAll('-', '_').toUpperCase()
  const ports = link.exposedPorts
    .map((text) => {
      const [port = '', protocol = 'tcp'] = text.split('/')
      return { port: Number(port), protocol }
    })
    .filter(({ port }) => Number.isInteger(port) && port > 0)
    .sort((a, b) => a.port - b.port || (a.protocol === 'tcp' ? -1 : 1))
  const variables = [`${prefix}_NAME=/${link.child}/${link.alias}`]
  const first = ports[0]
  if (first) variables.push(`${prefix}_PORT=${first.protocol}://${link.ipv4}:${first.port}`)
  for (const { port, protocol } of ports) {
    const name = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    variables.push(
      `${name}=${protocol}://${link.ipv4}:${port}`,
      `${name}_ADDR=${link.ipv4}`,
      `${name}_PORT=${port}`,
      `${name}_PROTO=${protocol}`,
    )
  }
  for (const entry of link.env) {
    const equals = entry.indexOf('=')
    if (equals > 0 && !notPassedOn.has(entry.slice(0, equals))) variables.push(`${prefix}_ENV_${entry}`)
  }
  return variables
}
