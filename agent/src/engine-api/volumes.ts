import type { VolumeSummary } from '@berth/contract/volume'
import { codeOf, EngineError, messageOf } from '../errors.ts'
import { type Call, flag, type Route, readObject, sendEmpty, sendJson, tellPruned } from './call.ts'
import { Fields } from './fields.ts'
import { booleanFilter, parseFilters } from './filters.ts'

const nullIfEmpty = (map: Record<string, string>) => (Object.keys(map).length === 0 ? null : map)

/** A volume in Docker's words; UsageData only where sizes were asked for. */
export function volumeBody(volume: VolumeSummary): Record<string, unknown> {
  return {
    CreatedAt: volume.createdAt.replace(/\.\d+Z$/, 'Z'),
    Driver: volume.driver,
    Labels: volume.anonymous ? { 'com.docker.volume.anonymous': '', ...volume.labels } : nullIfEmpty(volume.labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: nullIfEmpty(volume.options),
    Scope: 'local',
    ...(volume.sizeBytes === null ? {} : { UsageData: { RefCount: volume.usedBy.length, Size: volume.sizeBytes } }),
  }
}

async function list(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), ['dangling', 'driver', 'label', 'name'])
  booleanFilter(filters, 'dangling')
  const volumes = await call.engine.volumes.list({ filters })
  sendJson(call, 200, { Volumes: volumes.map(volumeBody), Warnings: null })
}

async function create(call: Call): Promise<void> {
  const fields = new Fields(await readObject(call))
  const driver = fields.text('Driver', 'local') || 'local'
  if (driver !== 'local')
    throw new EngineError(
      'not_found',
      `create ${fields.text('Name')}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
    )
  if (fields.has('ClusterVolumeSpec')) throw new EngineError('unavailable', 'cluster volumes are not supported: this engine has no swarm')
  const name = fields.text('Name')
  const volume = await call.engine.volumes
    .create({
      name: name || undefined,
      labels: fields.map('Labels') ?? {},
      options: fields.map('DriverOpts') ?? {},
      anonymous: name === '',
    })
    .catch((error: unknown) => {
      if (codeOf(error) !== 'invalid_argument') throw error
      const reason = messageOf(error)
      throw new EngineError('invalid_argument', reason.startsWith('create ') ? reason : `create ${name}: ${reason}`, { cause: error })
    })
  sendJson(call, 201, volumeBody(volume))
}

async function inDockersWords<T>(call: Call, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (codeOf(error) === 'not_found') throw new EngineError('not_found', `get ${call.params[0]}: no such volume`, { cause: error })
    throw error
  })
}

async function inspect(call: Call): Promise<void> {
  sendJson(call, 200, volumeBody(await inDockersWords(call, call.engine.volumes.inspect(call.params[0] as string))))
}

async function remove(call: Call): Promise<void> {
  await inDockersWords(call, call.engine.volumes.remove(call.params[0] as string, { force: flag(call.query, 'force') }))
  sendEmpty(call, 204)
}

async function prune(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), ['label', 'label!', 'all'])
  // Before 1.42 every unused volume went; since then only anonymous ones, unless all is asked for.
  const all = call.minor < 42 || booleanFilter(filters, 'all') === true
  const result = await call.engine.volumes.prune({ all, labels: filters.label ?? [], notLabels: filters['label!'] ?? [], dryRun: false })
  tellPruned(call, 'volume', result.reclaimedBytes)
  sendJson(call, 200, {
    VolumesDeleted: result.removed.length === 0 ? null : result.removed.map((one) => one.name),
    SpaceReclaimed: result.reclaimedBytes,
  })
}

export const volumeRoutes: readonly Route[] = [
  ['GET', /^\/volumes$/, list],
  ['POST', /^\/volumes\/create$/, create],
  ['POST', /^\/volumes\/prune$/, prune],
  ['GET', /^\/volumes\/([^/]+)$/, inspect],
  ['DELETE', /^\/volumes\/([^/]+)$/, remove],
]
