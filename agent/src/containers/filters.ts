/** Pure: the filters of `ps`, Docker's words. */
import type { ContainerSummary } from '@berth/contract/container'
import { EngineError } from '../errors.ts'

/** What a filter may need beside the summary. */
export interface FilterFacts {
  /** Image ids of an `ancestor` word: the image itself and every image made from it. */
  ancestors(reference: string): ReadonlySet<string>
  /** Summary of another container, for before and since. @throws EngineError not_found */
  find(container: string): { id: string; createdAt: string }
}

export type Filter = (container: ContainerSummary) => boolean

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
const healths = ['starting', 'healthy', 'unhealthy', 'none']

/** One predicate of all filters: words of one filter are alternatives, different filters must all hold. @throws EngineError invalid_argument for unknown words */
export function compileFilters(filters: Record<string, string[]>, facts: FilterFacts): Filter {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => compile(name, values, facts))
  return (container) => tests.every((test) => test(container))
}

function invalid(name: string, value: string): EngineError {
  return new EngineError('invalid_argument', `Invalid filter '${name}=${value}'`)
}

function any(values: string[], test: (value: string) => Filter): Filter {
  const tests = values.map(test)
  return (container) => tests.some((candidate) => candidate(container))
}

function compile(name: string, values: string[], facts: FilterFacts): Filter {
  switch (name) {
    case 'id':
      return any(
        values,
        (value) =>
          ({ id }) =>
            id.startsWith(value),
      )
    case 'name':
      return any(values, (value) => nameFilter(value))
    case 'label':
      return (container) => values.every((value) => hasLabel(container.labels, value))
    case 'label!':
      return (container) => values.every((value) => !hasLabel(container.labels, value))
    case 'exited':
      return any(values, (value) => {
        if (!/^-?\d+$/.test(value)) throw invalid(name, value)
        return ({ state }) => state.exitCode === Number(value) && state.status === 'exited' && state.startedAt !== null
      })
    case 'status':
      return any(values, (value) => {
        if (!statuses.includes(value)) throw invalid(name, value)
        return ({ state }) => state.status === value
      })
    case 'ancestor':
      return any(values, (value) => {
        const ids = facts.ancestors(value)
        return ({ imageId, image }) => ids.has(imageId) || image === value
      })
    case 'before':
      return any(values, (value) => {
        const other = facts.find(value)
        return ({ createdAt, id }) => createdAt < other.createdAt && id !== other.id
      })
    case 'since':
      return any(values, (value) => {
        const other = facts.find(value)
        return ({ createdAt, id }) => createdAt > other.createdAt && id !== other.id
      })
    case 'volume':
      return any(
        values,
        (value) =>
          ({ mounts }) =>
            mounts.some((mount) => mount.name === value || mount.source === value || mount.destination === value),
      )
    case 'network':
      return any(
        values,
        (value) =>
          ({ networks, networkMode }) =>
            networkMode === value ||
            networks.some((network) => network.name === value || (/^[0-9a-f]{2,64}$/.test(value) && network.id.startsWith(value))),
      )
    case 'publish':
      return any(values, (value) => portFilter(name, value, (port) => port.hostPort))
    case 'expose':
      return any(values, (value) => portFilter(name, value, (port) => port.containerPort))
    case 'health':
      return any(values, (value) => {
        if (!healths.includes(value)) throw invalid(name, value)
        return ({ state }) => state.health === value
      })
    case 'is-task':
      // There are no swarm tasks here: none is one, all are not.
      return any(values, (value) => {
        if (!['true', 'false', '1', '0'].includes(value)) throw invalid(name, value)
        return () => value === 'false' || value === '0'
      })
    case 'isolation':
      return any(values, (value) => () => value === 'default' || value === '')
    default:
      throw new EngineError('invalid_argument', `Invalid filter '${name}'`)
  }
}

export function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const equals = wanted.indexOf('=')
  return equals < 0
    ? Object.hasOwn(labels, wanted)
    : labels[wanted.slice(0, equals)] === wanted.slice(equals + 1) && Object.hasOwn(labels, wanted.slice(0, equals))
}

/**
 * Docker matches names by regular expression, with or without the leading "/". People write `^web$` and `web`; other patterns are honoured where they are
 * harmless: no nesting of repetitions, so that a pattern cannot hold up the agent.
 */
function nameFilter(value: string): Filter {
  const plain = /^\^?\/?([\w.-]*)\$?$/.exec(value)
  if (plain) {
    const word = plain[1] as string
    const atStart = value.startsWith('^')
    const atEnd = value.endsWith('$')
    return ({ name }) =>
      atStart && atEnd ? name === word : atStart ? name.startsWith(word) : atEnd ? name.endsWith(word) : name.includes(word)
  }
  if (value.length > 200 || /[)\]][*+{?]/.test(value) || /\\\d/.test(value) || (value.match(/[*+{]/g) ?? []).length > 3)
    throw new EngineError(
      'invalid_argument',
      `the name filter ${JSON.stringify(value)} is too involved; use a plain part of the name, "^" and "$"`,
    )
  let pattern: RegExp
  try {
    pattern = new RegExp(value)
  } catch {
    throw invalid('name', value)
  }
  return ({ name }) => pattern.test(name) || pattern.test(`/${name}`)
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portFilter(name: string, value: string, portOf: (port: ContainerSummary['ports'][number]) => number | null): Filter {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value)
  if (!match) throw invalid(name, value)
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  const protocol = match[3] ?? 'tcp'
  return ({ ports }) =>
    ports.some((port) => {
      const number = portOf(port)
      return number !== null && number >= first && number <= last && port.protocol === protocol
    })
}
