import type { EngineEvent } from '@berth/contract/event'
import { EngineError } from '../errors.ts'
import { afterLong } from '../events/long-timer.ts'
import { beginStream, type Call, type Route } from './call.ts'
import { instant, parseFilters } from './filters.ts'
import { Outbox } from './outbox.ts'

/** What may wait for a client that reads slowly; beyond it the client is cut off, because an event that is left out would be a lie. */
const mostWaitingBytes = 4 * 1024 * 1024

const known = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
]

/** An event in Docker's words; status, id and from are for clients before 1.22 and are printed by some still. */
function eventBody(event: EngineEvent): Record<string, unknown> {
  const attributes = attributesOf(event)
  const legacy =
    event.type === 'container' || event.type === 'image'
      ? { status: event.action, id: event.actorId, ...(attributes.image ? { from: attributes.image } : {}) }
      : {}
  return {
    ...legacy,
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: attributes },
    scope: 'local',
    time: Number(BigInt(event.timeNano) / 1_000_000_000n),
    // Beyond 2^53: written as a number by hand below.
    timeNano: event.timeNano,
  }
}

/** Docker names an image by its id in what concerns the image; we know the reference, too. */
function attributesOf({ type, action, actorId, attributes }: EngineEvent): Record<string, string> {
  return type === 'image' && ['untag', 'save', 'load', 'import'].includes(action) ? { ...attributes, name: actorId } : attributes
}

function line(event: EngineEvent): string {
  return `${JSON.stringify(eventBody(event)).replace(/"timeNano":"(\d+)"/, '"timeNano":$1')}\n`
}

/** A filter value matches the actor's id, a prefix of it, or its name. */
function names(event: EngineEvent, wanted: string[]): boolean {
  return wanted.some((value) => event.actorId === value || event.actorId.startsWith(value) || event.attributes.name === value)
}

/** Docker's event filters: values of one name are alternatives, names must all hold. */
export function matches(event: EngineEvent, filters: Record<string, string[]>): boolean {
  for (const [name, wanted] of Object.entries(filters)) {
    if (wanted.length === 0) continue
    switch (name) {
      case 'type':
        if (!wanted.includes(event.type)) return false
        break
      case 'event':
        // exec_create and friends carry the command behind a colon.
        if (!wanted.some((value) => event.action === value || event.action.startsWith(`${value}:`) || event.action.split(':')[0] === value))
          return false
        break
      case 'container':
        if (event.type !== 'container' || !names(event, wanted)) return false
        break
      case 'network':
      case 'volume':
      case 'daemon':
        if (event.type !== name || !names(event, wanted)) return false
        break
      case 'image':
        if (
          event.type === 'image'
            ? !names(event, wanted)
            : !(
                event.type === 'container' &&
                wanted.some((value) => event.attributes.image === value || event.attributes.image?.split(':')[0] === value)
              )
        )
          return false
        break
      case 'label':
        if (
          !wanted.every((value) =>
            value.includes('=')
              ? event.attributes[value.slice(0, value.indexOf('='))] === value.slice(value.indexOf('=') + 1)
              : value in event.attributes,
          )
        )
          return false
        break
      case 'scope':
        if (!wanted.includes('local')) return false
        break
      default:
        // Types that this engine does not have never match.
        return false
    }
  }
  return true
}

async function events(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), known)
  const moment = (name: string) => {
    const value = call.query.get(name)
    return value ? instant(value) : undefined
  }
  const since = moment('since')
  const until = moment('until')
  if (since !== undefined && until !== undefined && Date.parse(since) > Date.parse(until))
    throw new EngineError('invalid_argument', `\`since\` time (${since}) cannot be after \`until\` time (${until})`)
  beginStream(call, 'application/json')
  const outbox = new Outbox(call.response, mostWaitingBytes)
  const chosen = (event: EngineEvent) => event.type !== 'operation' && matches(event, filters)
  const send = (event: EngineEvent) => {
    if (!chosen(event) || outbox.offer(line(event)) || call.response.destroyed) return
    call.log.warn('a docker client that does not read its events was cut off')
    call.response.destroy()
  }
  // Joined first, then the past is read: an event between the two is in both and is told once.
  let last = -1
  const held: EngineEvent[] = []
  let live = false
  const leave = call.engine.events.subscribe((event) => (live ? send(event) : held.push(event)))
  if (since !== undefined || (until !== undefined && Date.parse(until) <= Date.now()))
    for (const event of call.engine.events.query({ since, until })) {
      last = event.sequence
      // The past is bounded by itself.
      if (chosen(event)) outbox.push(line(event))
    }
  for (const event of held) if (event.sequence > last) send(event)
  live = true
  const remaining = until === undefined ? null : Date.parse(until) - Date.now()
  if (remaining === null || remaining > 0)
    await new Promise<void>((resolve) => {
      const cancel = remaining === null ? () => {} : afterLong(remaining, resolve)
      const stop = () => {
        cancel()
        resolve()
      }
      if (call.signal.aborted) stop()
      else call.signal.addEventListener('abort', stop, { once: true })
    })
  leave()
  await outbox.flushed()
  call.response.end()
}

export const eventRoutes: readonly Route[] = [['GET', /^\/events$/, events]]
