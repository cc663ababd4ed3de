import type { ContainerSummary, Limits } from '@berth/contract/container'
import { codeOf, EngineError, messageOf } from '../errors.ts'
import {
  type Call,
  checkContentType,
  flag,
  integer,
  parseObject,
  type Route,
  readBody,
  readObject,
  sendEmpty,
  sendJson,
  sendJsonText,
  tellPruned,
} from './call.ts'
import { inspectBody } from './container-body.ts'
import { parseCreate } from './container-config.ts'
import { Fields } from './fields.ts'
import { booleanFilter, parseFilters, untilOf } from './filters.ts'
import { checkRestartName, parseLimits } from './host-config.ts'
import { ListBody } from './list-body.ts'

const listFilters = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const

const id = (call: Call): string => call.params[0] as string

/** Id of the image that a name means now, '' for none. */
function imageNow(call: Call, reference: string): string {
  try {
    return call.engine.images.resolve(reference).id
  } catch (error) {
    if (codeOf(error) === 'not_found' || codeOf(error) === 'invalid_argument') return ''
    throw error
  }
}

/** The list that was sent last: people and scripts ask again and again, and mostly nothing has changed. */
interface SentList {
  query: string
  revision: number
  /** What the names of images in it meant. */
  images: ReadonlyMap<string, string>
  body: ListBody
}
const sentLists = new WeakMap<Call['engine'], SentList>()

/** What was sent last, at this moment; null when something has changed. */
function sentBefore(call: Call): Buffer | null {
  const sent = sentLists.get(call.engine)
  if (!sent || sent.query !== call.query.toString() || sent.revision !== call.engine.containers.revision()) return null
  for (const [reference, id] of sent.images) if (imageNow(call, reference) !== id) return null
  return sent.body.at(Date.now())
}

async function list(call: Call): Promise<void> {
  const sent = sentBefore(call)
  if (sent) return sendJsonText(call, 200, sent)
  const filters = parseFilters(call.query.get('filters'), listFilters)
  for (const name of ['since', 'before']) if (call.query.get(name)) filters[name] = [call.query.get(name) as string]
  booleanFilter(filters, 'is-task')
  const limit = integer(call.query, 'limit') ?? 0
  // As in Docker, a filter on status or exited speaks of stopped ones too.
  const all = flag(call.query, 'all') || limit > 0 || filters.status !== undefined || filters.exited !== undefined
  const size = flag(call.query, 'size')
  const revision = call.engine.containers.revision()
  const summaries = await call.engine.containers.list({ all, filters, limit: Math.max(0, limit), size })
  const now = Date.now()
  const images = new Map<string, string>()
  const current = ({ image, imageId }: ContainerSummary): boolean => {
    if (!images.has(image)) images.set(image, imageNow(call, image))
    // An image that lost its name keeps being told by it, as long as nothing else has that name.
    return images.get(image) === '' || images.get(image) === imageId
  }
  const body = new ListBody(summaries, now, current)
  // Sizes change unseen, and filters ask about images and networks.
  if (!size && Object.keys(filters).length === 0) sentLists.set(call.engine, { query: call.query.toString(), revision, images, body })
  sendJsonText(call, 200, body.at(now) as Buffer)
}

/** The wanted name without its slash; '' for none. @throws invalid_argument with Docker's words */
function nameOf(call: Call, shownBefore = ''): string {
  const asked = call.query.get('name') ?? ''
  if (asked !== '' && !/^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(asked))
    throw new EngineError('invalid_argument', `Invalid container name (${shownBefore}${asked}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
  return asked.replace(/^\//, '')
}

async function create(call: Call): Promise<void> {
  const options = parseCreate(await readObject(call), call.query.get('platform'), call.minor)
  const name = nameOf(call) || undefined
  const made = await call.engine.containers.create({ name, options }).catch((error: unknown) => {
    // 404 means "pull the image and try again" to docker run: only a missing image may say it.
    if (codeOf(error) === 'not_found' && !/^(No such image|image with reference)/.test(messageOf(error)))
      throw new EngineError('invalid_argument', messageOf(error), { cause: error })
    throw error
  })
  sendJson(call, 201, { Id: made.id, Warnings: made.warnings })
}

async function inspect(call: Call): Promise<void> {
  sendJson(call, 200, inspectBody(await call.engine.containers.inspect(id(call), { size: flag(call.query, 'size') }), call.minor))
}

async function start(call: Call): Promise<void> {
  for (const name of ['checkpoint', 'checkpoint-dir'])
    if (call.query.get(name))
      throw new EngineError('failed_precondition', 'checkpoints are not supported by this engine; start the container without one')
  const began = await call.engine.containers.start(id(call), { detachKeys: call.query.get('detachKeys') ?? undefined })
  sendEmpty(call, began ? 204 : 304)
}

const stopOptions = (call: Call) => ({ timeoutSeconds: integer(call.query, 't'), signal: call.query.get('signal') || undefined })

async function stop(call: Call): Promise<void> {
  sendEmpty(call, (await call.engine.containers.stop(id(call), stopOptions(call))) ? 204 : 304)
}

async function restart(call: Call): Promise<void> {
  await call.engine.containers.restart(id(call), stopOptions(call))
  sendEmpty(call, 204)
}

/** Docker answers a KILL when the container has ended, or after ten seconds: scripts remove it in the next line. */
async function untilEnded(call: Call): Promise<void> {
  const patience = AbortSignal.any([call.signal, AbortSignal.timeout(10_000)])
  await call.engine.containers.wait(id(call), 'not-running', patience).catch((error: unknown) => {
    // With --rm it may be gone already; whoever lost patience has its answer all the same.
    if (!patience.aborted && codeOf(error) !== 'not_found') throw error
  })
}

async function kill(call: Call): Promise<void> {
  try {
    call.engine.containers.resolveId(id(call))
  } catch (error) {
    throw new EngineError(codeOf(error), `Cannot kill container: ${id(call)}: ${messageOf(error)}`, { cause: error })
  }
  const signal = call.query.get('signal') || 'KILL'
  await call.engine.containers.kill(id(call), signal)
  if (/^(SIG)?KILL$|^9$/i.test(signal)) await untilEnded(call)
  sendEmpty(call, 204)
}

async function pause(call: Call): Promise<void> {
  await call.engine.containers.pause(id(call))
  sendEmpty(call, 204)
}

async function unpause(call: Call): Promise<void> {
  await call.engine.containers.unpause(id(call))
  sendEmpty(call, 204)
}

async function rename(call: Call): Promise<void> {
  if (!call.query.get('name')) throw new EngineError('invalid_argument', 'Neither old nor new names may be empty')
  call.engine.containers.resolveId(id(call))
  try {
    await call.engine.containers.rename(id(call), nameOf(call, '/'))
  } catch (error) {
    if (codeOf(error) !== 'already_exists' && codeOf(error) !== 'invalid_argument') throw error
    const message = messageOf(error)
    const same = message.startsWith('Renaming a container with the same name')
    throw new EngineError(codeOf(error), same ? message : `Error when allocating new name: ${message}`, { cause: error })
  }
  sendEmpty(call, 204)
}

/** Which of our limits an update body really names: zero is "leave it" in Docker's update. */
function changedLimits(fields: Fields, minor: number): Partial<Limits> {
  const all = parseLimits(fields)
  const changed = Object.entries(all).filter(([key, value]) => {
    if (value === null || value === '' || value === false) return false
    if (Array.isArray(value)) return value.length > 0
    if (key === 'pidsLimit') return minor >= 40
    return value !== 0
  })
  return Object.fromEntries(changed) as Partial<Limits>
}

async function update(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const policy = fields.object('RestartPolicy')
  const name = policy.text('Name')
  if (name !== '') checkRestartName(name)
  const result = await call.engine.containers.update(id(call), {
    limits: changedLimits(fields, call.minor),
    restart: name === '' ? undefined : { name: name as 'no', maximumRetryCount: policy.number('MaximumRetryCount') },
  })
  sendJson(call, 200, { Warnings: result.warnings.length > 0 ? result.warnings : null })
}

async function remove(call: Call): Promise<void> {
  if (flag(call.query, 'link')) return removeLink(call)
  await call.engine.containers.remove(id(call), { force: flag(call.query, 'force'), volumes: flag(call.query, 'v') })
  sendEmpty(call, 204)
}

/** `web/db`: what the container `web` calls `db`. Both containers stay. */
async function removeLink(call: Call): Promise<void> {
  if (!flag(call.query, 'link')) throw new EngineError('not_found', 'page not found')
  await call.engine.containers.removeLink(call.params.join('/'))
  sendEmpty(call, 204)
}

/** The head goes out as soon as the wait is registered: `docker run` starts the container only then. */
async function wait(call: Call): Promise<void> {
  const condition = call.query.get('condition') || 'not-running'
  if (condition !== 'not-running' && condition !== 'next-exit' && condition !== 'removed')
    throw new EngineError('invalid_argument', `invalid condition: "${condition}"`)
  call.engine.containers.resolveId(id(call))
  const ended = call.engine.containers.wait(id(call), condition, call.signal)
  call.response.writeHead(200, { 'Content-Type': 'application/json' })
  call.response.flushHeaders()
  try {
    const result = await ended
    // `Error` here means that the wait itself failed; why a container could not start is told by start and inspect.
    call.response.end(`${JSON.stringify({ ...(call.minor < 42 ? { Error: null } : {}), StatusCode: result.exitCode })}\n`)
  } catch (error) {
    // The head is out already: the client reads the failure from the body.
    if (!call.signal.aborted) call.response.end(`${JSON.stringify({ StatusCode: -1, Error: { Message: (error as Error).message } })}\n`)
  }
}

async function top(call: Call): Promise<void> {
  const args = (call.query.get('ps_args') || '-ef').trim().split(/\s+/)
  const { titles, processes } = await call.engine.containers.top(id(call), args)
  sendJson(call, 200, { Titles: titles, Processes: processes })
}

async function changes(call: Call): Promise<void> {
  const kinds = { C: 0, A: 1, D: 2 } as const
  const list = await call.engine.containers.changes(id(call))
  sendJson(call, 200, list.length === 0 ? null : list.map(({ kind, path }) => ({ Path: path, Kind: kinds[kind] })))
}

async function prune(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), ['until', 'label', 'label!'])
  const result = await call.engine.containers.prune({
    until: untilOf(filters),
    labels: filters.label ?? [],
    notLabels: filters['label!'] ?? [],
    dryRun: false,
  })
  tellPruned(call, 'container', result.reclaimedBytes)
  sendJson(call, 200, {
    ContainersDeleted: result.removed.length === 0 ? null : result.removed.map((one) => one.id),
    SpaceReclaimed: result.reclaimedBytes,
  })
}

async function resize(call: Call): Promise<void> {
  const rows = integer(call.query, 'h')
  const cols = integer(call.query, 'w')
  if (rows === undefined || cols === undefined) throw new EngineError('invalid_argument', 'resize needs h and w, both whole numbers')
  await call.engine.containers.resize(id(call), cols, rows)
  sendEmpty(call, 200)
}

async function commit(call: Call): Promise<void> {
  const container = call.query.get('container') ?? ''
  const repository = call.query.get('repo') ?? ''
  const tag = call.query.get('tag') ?? ''
  const sent = await readBody(call)
  checkContentType(call, sent)
  const body = new Fields(parseObject(sent))
  // A Config in the body overrides the container's; the CLI sends changes in the query instead.
  const changes = [...call.query.getAll('changes'), ...instructionsOf(body)]
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.trim() !== '')
  const made = await call.engine.containers.commit(
    container,
    {
      reference: repository === '' ? '' : tag === '' ? repository : `${repository}:${tag}`,
      comment: call.query.get('comment') ?? '',
      author: call.query.get('author') ?? '',
      changes,
      pause: flag(call.query, 'pause', true),
    },
    call.signal,
  )
  sendJson(call, 201, { Id: made.id })
}

/** The Config that commit's body may carry, as the Dockerfile instructions that do the same. */
function instructionsOf(config: Fields): string[] {
  const lines: string[] = []
  const list = (instruction: string, key: string) => {
    const value = config.texts(key)
    if (value) lines.push(`${instruction} ${JSON.stringify(value)}`)
  }
  list('CMD', 'Cmd')
  list('ENTRYPOINT', 'Entrypoint')
  for (const entry of config.texts('Env') ?? []) {
    const at = entry.indexOf('=')
    lines.push(`ENV ${at < 0 ? entry : entry.slice(0, at)}=${JSON.stringify(at < 0 ? '' : entry.slice(at + 1))}`)
  }
  if (config.text('User')) lines.push(`USER ${config.text('User')}`)
  if (config.text('WorkingDir')) lines.push(`WORKDIR ${config.text('WorkingDir')}`)
  for (const port of config.keys('ExposedPorts')) lines.push(`EXPOSE ${port}`)
  for (const path of config.keys('Volumes')) lines.push(`VOLUME ${JSON.stringify([path])}`)
  for (const [key, value] of Object.entries(config.map('Labels') ?? {})) lines.push(`LABEL ${JSON.stringify(key)}=${JSON.stringify(value)}`)
  return lines
}

export const containerRoutes: readonly Route[] = [
  ['GET', /^\/containers\/json$/, list],
  ['POST', /^\/containers\/create$/, create],
  ['POST', /^\/containers\/prune$/, prune],
  // A name may be `parent/alias`, as a link gives it.
  ['GET', /^\/containers\/([^/]+(?:\/[^/]+)?)\/json$/, inspect],
  ['POST', /^\/containers\/([^/]+)\/start$/, start],
  ['POST', /^\/containers\/([^/]+)\/stop$/, stop],
  ['POST', /^\/containers\/([^/]+)\/restart$/, restart],
  ['POST', /^\/containers\/([^/]+)\/kill$/, kill],
  ['POST', /^\/containers\/([^/]+)\/pause$/, pause],
  ['POST', /^\/containers\/([^/]+)\/unpause$/, unpause],
  ['POST', /^\/containers\/([^/]+)\/rename$/, rename],
  ['POST', /^\/containers\/([^/]+)\/update$/, update],
  ['POST', /^\/containers\/([^/]+)\/wait$/, wait],
  ['POST', /^\/containers\/([^/]+)\/resize$/, resize],
  ['GET', /^\/containers\/([^/]+)\/top$/, top],
  ['GET', /^\/containers\/([^/]+)\/changes$/, changes],
  ['DELETE', /^\/containers\/([^/]+)$/, remove],
  ['DELETE', /^\/containers\/([^/]+)\/([^/]+)$/, removeLink],
  ['POST', /^\/commit$/, commit],
]
