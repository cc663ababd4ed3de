import { pipeline } from 'node:stream/promises'
import type { ImageDetail, ImageSummary, Platform } from '@berth/contract/image'
import * as z from 'zod'
import { openUrl } from '../build/download.ts'
import { EngineError } from '../errors.ts'
import { checkPlatform, parsePlatform } from '../oci/platform.ts'
import { type Call, flag, integer, parseObject, type Route, sendJson } from './call.ts'
import { healthcheckBody } from './container-config.ts'
import { booleanFilter, parseFilters, untilOf } from './filters.ts'
import { progressMessage, streamOperation } from './progress.ts'
import { sentAuth } from './registry-auth.ts'
import { unixSeconds, zeroTime } from './words.ts'

const name = (call: Call): string => call.params[0] as string
const keySet = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {}]))
const nullIfEmpty = <T>(list: readonly T[] | null): readonly T[] | null => (list === null || list.length === 0 ? null : list)

const listFilters = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until']

function summaryBody(image: ImageSummary, call: Call): Record<string, unknown> {
  // Old clients print these words for an image without a name; newer ones print them themselves.
  const untagged = call.minor < 43 && image.tags.length === 0
  return {
    Containers: call.minor >= 51 || flag(call.query, 'shared-size') ? image.containers : -1,
    Created: unixSeconds(image.createdAt),
    Id: image.id,
    Labels: Object.keys(image.labels).length === 0 ? null : image.labels,
    ParentId: image.parentId ?? '',
    RepoDigests: untagged && image.digests.length === 0 ? ['<none>@<none>'] : image.digests,
    RepoTags: untagged ? ['<none>:<none>'] : image.tags,
    SharedSize: image.uniqueSizeBytes === null ? -1 : image.sizeBytes - image.uniqueSizeBytes,
    Size: image.sizeBytes,
    ...(call.minor < 44 ? { VirtualSize: image.sizeBytes } : {}),
  }
}

async function list(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), listFilters)
  booleanFilter(filters, 'dangling')
  // Before 1.25 the name to look for had a parameter of its own.
  const old = call.query.get('filter')
  if (old) filters.reference = [...(filters.reference ?? []), old]
  const images = await call.engine.images.list({ all: flag(call.query, 'all'), filters, withUnique: flag(call.query, 'shared-size') })
  sendJson(
    call,
    200,
    images.map((image) => summaryBody(image, call)),
  )
}

/** `GET /images/{name}/json`. */
function inspectBody(image: ImageDetail, call: Call): Record<string, unknown> {
  const { config } = image
  const body = {
    User: config.user,
    ...(config.exposedPorts.length > 0 ? { ExposedPorts: keySet(config.exposedPorts) } : {}),
    Env: nullIfEmpty(config.env),
    Cmd: config.cmd,
    ...(config.healthcheck ? { Healthcheck: healthcheckBody(config.healthcheck) } : {}),
    Volumes: config.volumes.length > 0 ? keySet(config.volumes) : null,
    WorkingDir: config.workingDir,
    Entrypoint: nullIfEmpty(config.entrypoint),
    OnBuild: nullIfEmpty(config.onBuild),
    Labels: Object.keys(config.labels).length > 0 ? config.labels : null,
    ...(config.stopSignal ? { StopSignal: config.stopSignal } : {}),
    ...(config.shell ? { Shell: config.shell } : {}),
  }
  const legacy = {
    Hostname: '',
    Domainname: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Image: '',
  }
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Parent: image.parentId ?? '',
    Comment: image.comment,
    Created: image.createdAt ?? zeroTime,
    Container: '',
    // Newer Docker leaves this out. docker-compose v1, which asks for the newest version there is, cannot recreate a container without it, and finds in it which
    // volumes an image declares: their data would be lost.
    ContainerConfig: { ...legacy, ...body, Cmd: image.madeBy ?? null },
    DockerVersion: '',
    Author: image.author,
    Config: call.minor < 50 ? { ...legacy, ...body } : body,
    Architecture: image.platform.architecture,
    ...(image.platform.variant ? { Variant: image.platform.variant } : {}),
    Os: image.platform.os,
    Size: image.sizeBytes,
    ...(call.minor < 44 ? { VirtualSize: image.sizeBytes } : {}),
    GraphDriver: { Data: null, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: image.lastTaggedAt ?? zeroTime },
  }
}

const platformFields = z.object({ os: z.string().min(1), architecture: z.string().min(1), variant: z.string().optional() })

/** The `platform` of API 1.46 and later: an object of the OCI image-spec as JSON. @throws invalid_argument */
function askedPlatform(call: Call): Platform | null {
  const text = call.query.get('platform')
  if (!text) return null
  const { data } = platformFields.safeParse(parseObject(Buffer.from(text)))
  if (!data) throw new EngineError('invalid_argument', 'platform must be a JSON object with os and architecture')
  return parsePlatform([data.os, data.architecture, ...(data.variant ? [data.variant] : [])].join('/'))
}

/** @throws not_found when the image is for another platform than the one that was asked for */
async function checkAsked(call: Call, reference: string): Promise<void> {
  const wanted = askedPlatform(call)
  if (wanted) checkPlatform(reference, wanted, (await call.engine.images.inspect(reference)).platform)
}

async function inspect(call: Call): Promise<void> {
  await checkAsked(call, name(call))
  sendJson(call, 200, inspectBody(await call.engine.images.inspect(name(call)), call))
}

async function history(call: Call): Promise<void> {
  await checkAsked(call, name(call))
  const entries = await call.engine.images.history(name(call))
  sendJson(
    call,
    200,
    entries.map((entry) => ({
      Comment: entry.comment,
      Created: unixSeconds(entry.createdAt),
      CreatedBy: entry.createdBy,
      Id: entry.id ?? '<missing>',
      Size: entry.sizeBytes,
      Tags: entry.tags.length > 0 ? entry.tags : null,
    })),
  )
}

/** `name` with the tag or digest of a parameter of its own. */
function withTag(reference: string, tag: string): string {
  if (tag === '') return reference
  return tag.includes(':') ? `${reference}@${tag}` : `${reference}:${tag}`
}

/** Neither tag nor digest in it. */
const isBareName = (reference: string): boolean => !reference.includes('@') && !/:[^/]+$/.test(reference)

async function create(call: Call): Promise<void> {
  const source = call.query.get('fromSrc')
  const platform = call.query.get('platform') || undefined
  if (platform !== undefined) parsePlatform(platform)
  if (source !== null && source !== '') return importImage(call, source, platform)
  const from = call.query.get('fromImage') ?? ''
  if (from === '') throw new EngineError('invalid_argument', 'give fromImage or fromSrc')
  const tag = call.query.get('tag') ?? ''
  const auth = sentAuth(call)
  // Without tag or digest the API means every tag; the CLI always sends one unless --all-tags.
  const allTags = tag === '' && isBareName(from)
  const reference = withTag(from, tag)
  await streamOperation(
    call,
    { kind: 'pull', subject: reference },
    (context) => call.engine.images.pull({ reference, platform, allTags, auth }, context),
    () => [],
  )
}

/** `fromSrc=-`: the body is the archive. Anything else is an address; one without a scheme is http, as in Docker. */
async function importImage(call: Call, source: string, platform: string | undefined): Promise<void> {
  const url = source === '-' ? null : /^https?:\/\//i.test(source) ? source : `http://${source}`
  const repository = call.query.get('repo') ?? ''
  const reference = repository === '' ? '' : withTag(repository, call.query.get('tag') ?? '')
  const options = { reference, message: call.query.get('message') ?? '', changes: call.query.getAll('changes'), platform }
  await streamOperation(
    call,
    { kind: 'import', subject: reference || 'image' },
    async (context) => {
      if (url === null) return call.engine.images.import(call.request, options, context)
      const archive = await openUrl(url, 'the archive cannot be downloaded', context.signal)
      context.progress({ status: `Downloading from ${url}` })
      return call.engine.images.import(archive, options, context)
    },
    () => [],
    // Who sent the bytes knows how many: Docker's only line is the image's id then, and programs read the first one as that.
    (line) => (line.currentBytes === undefined || url !== null ? progressMessage(line) : null),
  )
}

async function push(call: Call): Promise<void> {
  const tag = call.query.get('tag') ?? ''
  const reference = withTag(name(call), tag)
  await checkAsked(call, reference)
  const auth = sentAuth(call)
  await streamOperation(
    call,
    { kind: 'push', subject: reference },
    (context) => call.engine.images.push({ reference, allTags: tag === '' && isBareName(reference), auth }, context),
    () => [],
  )
}

async function tag(call: Call): Promise<void> {
  const repository = call.query.get('repo') ?? ''
  await call.engine.images.tag(name(call), withTag(repository, call.query.get('tag') ?? ''))
  call.response.writeHead(201, { 'Content-Length': 0 })
  call.response.end()
}

async function remove(call: Call): Promise<void> {
  if (name(call).trim() === '') throw new EngineError('invalid_argument', 'image name cannot be blank')
  const lines = await call.engine.images.remove(name(call), { force: flag(call.query, 'force'), prune: !flag(call.query, 'noprune') })
  sendJson(
    call,
    200,
    lines.map((line) => ('untagged' in line ? { Untagged: line.untagged } : { Deleted: line.deleted })),
  )
}

async function save(call: Call): Promise<void> {
  const names = call.params[0] ? [call.params[0]] : call.query.getAll('names').flatMap((one) => one.split(','))
  if (names.length === 0) throw new EngineError('invalid_argument', 'give at least one image name to save')
  for (const one of names) await checkAsked(call, one)
  const archive = await call.engine.images.save(names, call.signal)
  call.response.writeHead(200, { 'Content-Type': 'application/x-tar' })
  await pipeline(archive, call.response)
}

async function load(call: Call): Promise<void> {
  const quiet = flag(call.query, 'quiet')
  const platform = askedPlatform(call) ?? undefined
  await streamOperation(
    call,
    { kind: 'load', subject: 'archive' },
    (context) => call.engine.images.load(call.request, context, platform),
    () => [],
    (line) => (quiet && line.text === undefined ? null : progressMessage(line)),
    () => [],
    true,
  )
}

async function search(call: Call): Promise<void> {
  const term = call.query.get('term') ?? ''
  if (term.trim() === '') throw new EngineError('invalid_argument', 'give a term to search for')
  const limit = integer(call.query, 'limit') ?? 25
  if (limit < 1 || limit > 100) throw new EngineError('invalid_argument', `limit ${limit} is outside the range of [1, 100]`)
  const filters = parseFilters(call.query.get('filters'), ['is-official', 'is-automated', 'stars'])
  const official = booleanFilter(filters, 'is-official')
  booleanFilter(filters, 'is-automated')
  const stars = Number(filters.stars?.[0] ?? 0)
  if (!Number.isInteger(stars)) throw new EngineError('invalid_argument', `Invalid filter 'stars=${filters.stars?.[0]}'`)
  const found = await call.engine.images.search(term, limit)
  sendJson(
    call,
    200,
    found
      .filter((one) => (official === undefined || one.official === official) && one.stars >= stars)
      .map((one) => ({
        star_count: one.stars,
        is_official: one.official,
        name: one.name,
        is_automated: false,
        description: one.description,
      })),
  )
}

async function prune(call: Call): Promise<void> {
  const filters = parseFilters(call.query.get('filters'), ['dangling', 'until', 'label', 'label!'])
  const result = await call.engine.images.prune({
    dangling: booleanFilter(filters, 'dangling') ?? true,
    until: untilOf(filters),
    labels: filters.label ?? [],
    notLabels: filters['label!'] ?? [],
    dryRun: false,
  })
  sendJson(call, 200, {
    ImagesDeleted:
      result.removed.length === 0
        ? null
        : result.removed.flatMap((one) => [
            ...(one.name && one.name !== one.id && !one.name.startsWith('<none>') ? [{ Untagged: one.name }] : []),
            { Deleted: one.id },
          ]),
    SpaceReclaimed: result.reclaimedBytes,
  })
}

async function distribution(call: Call): Promise<void> {
  const remote = await call.engine.images.remoteDescriptor(name(call), sentAuth(call))
  sendJson(call, 200, {
    Descriptor: { mediaType: remote.mediaType, digest: remote.digest, size: remote.sizeBytes },
    Platforms: remote.platforms,
  })
}

export const imageRoutes: readonly Route[] = [
  ['GET', /^\/images\/json$/, list],
  ['POST', /^\/images\/create$/, create],
  ['GET', /^\/images\/search$/, search],
  ['GET', /^\/images\/get$/, save],
  ['POST', /^\/images\/load$/, load],
  ['POST', /^\/images\/prune$/, prune],
  ['GET', /^\/images\/(.+)\/json$/, inspect],
  ['GET', /^\/images\/(.+)\/history$/, history],
  ['GET', /^\/images\/(.+)\/get$/, save],
  ['POST', /^\/images\/(.+)\/push$/, push],
  ['POST', /^\/images\/(.+)\/tag$/, tag],
  ['DELETE', /^\/images\/(.+)$/, remove],
  ['GET', /^\/distribution\/(.+)\/json$/, distribution],
]
