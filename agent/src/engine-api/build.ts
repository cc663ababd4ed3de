import { type BuildOptions, buildOptions } from '@berth/contract/build'
import type { Limits } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import { parsePlatform } from '../oci/platform.ts'
import { type Call, flag, integer, type Route, sendJson } from './call.ts'
import { booleanFilter, parseFilters, untilOf } from './filters.ts'
import { progressMessage, streamOperation } from './progress.ts'
import { sentAuths } from './registry-auth.ts'

function jsonParameter<T>(call: Call, name: string, fallback: T): T {
  const text = call.query.get(name)
  if (!text) return fallback
  try {
    return (JSON.parse(text) as T | null) ?? fallback
  } catch (error) {
    throw new EngineError('invalid_argument', `error reading ${name}: ${(error as Error).message}`, { cause: error })
  }
}

function optionsOf(call: Call): BuildOptions {
  const { query } = call
  const limits: Partial<Limits> = {}
  const set = (key: keyof Limits, value: number | string | undefined) => {
    if (value !== undefined && value !== '' && value !== 0) Object.assign(limits, { [key]: value })
  }
  set('memoryBytes', integer(query, 'memory'))
  set('memorySwapBytes', integer(query, 'memswap'))
  set('cpuShares', integer(query, 'cpushares'))
  set('cpuPeriodUs', integer(query, 'cpuperiod'))
  set('cpuQuotaUs', integer(query, 'cpuquota'))
  set('cpusetCpus', query.get('cpusetcpus') ?? undefined)
  set('cpusetMems', query.get('cpusetmems') ?? undefined)
  const networkMode = query.get('networkmode') ?? ''
  const platform = query.get('platform') ?? ''
  if (platform !== '') parsePlatform(platform)
  const isolation = query.get('isolation') ?? ''
  if (isolation !== '' && isolation !== 'default')
    throw new EngineError('invalid_argument', `Unsupported isolation: ${JSON.stringify(isolation)}`)
  return buildOptions.parse({
    tags: query.getAll('t').filter(Boolean),
    dockerfile: query.get('dockerfile') || 'Dockerfile',
    buildArgs: jsonParameter<Record<string, string | null>>(call, 'buildargs', {}),
    labels: jsonParameter<Record<string, string>>(call, 'labels', {}),
    target: query.get('target') ?? '',
    noCache: flag(query, 'nocache'),
    pull: flag(query, 'pull'),
    networkMode: networkMode === 'default' ? '' : networkMode,
    extraHosts: (query.get('extrahosts') ?? '').startsWith('[')
      ? jsonParameter<string[]>(call, 'extrahosts', [])
      : query.getAll('extrahosts').filter(Boolean),
    limits,
    ulimits: jsonParameter<{ Name: string; Soft: number; Hard: number }[]>(call, 'ulimits', []).map(({ Name, Soft, Hard }) => ({
      name: Name,
      soft: Soft,
      hard: Hard,
    })),
    cgroupParent: query.get('cgroupparent') ?? '',
    securityOpt: (query.get('securityopt') ?? '').startsWith('[')
      ? jsonParameter<string[]>(call, 'securityopt', [])
      : query.getAll('securityopt').filter(Boolean),
    shmSizeBytes: integer(query, 'shmsize') ?? 0,
    platform,
    cacheFrom: jsonParameter<string[]>(call, 'cachefrom', []),
    squash: flag(query, 'squash'),
    quiet: flag(query, 'q'),
    keepContainers: query.has('rm') && !flag(query, 'rm') && !flag(query, 'forcerm'),
    remote: query.get('remote') ?? '',
  })
}

async function build(call: Call): Promise<void> {
  if (call.query.get('version') === '2')
    throw new EngineError('invalid_argument', 'this engine builds with the classic builder: run the command with DOCKER_BUILDKIT=0')
  const options = optionsOf(call)
  const auths = sentAuths(call)
  const quiet = new QuietOutput()
  await streamOperation(
    call,
    { kind: 'build', subject: options.tags[0] ?? options.dockerfile },
    (context) => call.engine.builder.build(call.request, options, auths, context),
    (result) => (options.quiet ? [{ stream: `${result.id}\n` }] : []),
    (line) => (options.quiet ? quiet.keep(String(progressMessage(line).stream ?? '')) : progressMessage(line)),
    () => quiet.lines(),
  )
}

const quietBytes = 1024 * 1024

/** What `build -q` says only if the build fails: its last MiB. */
class QuietOutput {
  private kept: string[] = []
  private size = 0

  keep(text: string): null {
    this.kept.push(text)
    this.size += text.length
    while (this.size > quietBytes && this.kept.length > 1) this.size -= (this.kept.shift() as string).length
    return null
  }

  lines(): Record<string, unknown>[] {
    return this.kept.filter(Boolean).map((stream) => ({ stream }))
  }
}

async function prune(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), [
    'until',
    'unused-for',
    'id',
    'parent',
    'type',
    'description',
    'inuse',
    'shared',
    'private',
    'label',
    'label!',
  ])
  for (const name of ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private'])
    if (filters[name]) throw new EngineError('invalid_argument', `the filter '${name}' is not supported for the build cache; use until`)
  booleanFilter(filters, 'inuse')
  // `system prune --filter label=…` sends its filters here too; steps of a build have no labels, so that none has the wanted one.
  if (filters.label) return sendJson(call, 200, { CachesDeleted: null, SpaceReclaimed: 0 })
  const until = untilOf(filters['unused-for'] ? { until: filters['unused-for'] } : filters)
  const keep = integer(call.query, 'keep-storage') ?? integer(call.query, 'reserved-space')
  const result = await call.engine.builder.pruneCache({ all: flag(call.query, 'all'), until, keepBytes: keep, dryRun: false })
  sendJson(call, 200, { CachesDeleted: result.removed.length === 0 ? null : result.removed, SpaceReclaimed: result.reclaimedBytes })
}

/** BuildKit's session. Clients that get this answer use the classic builder or say why they cannot. */
async function session(): Promise<void> {
  throw new EngineError('not_found', 'BuildKit sessions are not supported by this engine; build with DOCKER_BUILDKIT=0')
}

export const buildRoutes: readonly Route[] = [
  ['POST', /^\/build$/, build],
  ['POST', /^\/build\/prune$/, prune],
  ['POST', /^\/session$/, session],
  ['POST', /^\/grpc$/, session],
]
