import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as answered } from 'node:timers/promises'
import type { BuildOptions } from '@berth/contract/build'
import type { Platform } from '@berth/contract/image'
import type { Containers } from '../containers/containers.ts'
import type { ContentStore } from '../content/content-store.ts'
import { namesIn } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import type { Logger } from '../log.ts'
import { runProgram } from '../native/programs.ts'
import { shortId } from '../oci/digest.ts'
import { hostPlatform } from '../oci/platform.ts'
import { familiar, parseReference, parseTagged } from '../oci/reference.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import type { Builder } from './build.ts'
import { openBuildCache } from './build-cache.ts'
import { BuildContext } from './build-context.ts'
import { CacheSources } from './cache-sources.ts'
import { type Instruction, parseDockerfile } from './dockerfile.ts'
import { openUrl } from './download.ts'
import { fetchRepository, isRepository } from './git-repository.ts'
import type { Build, BuildRooms, StageResult } from './rooms.ts'
import { planStages, type Stage, type StagePlan } from './stage-plan.ts'
import { StageRunner } from './stage-runner.ts'

/** Predefined arguments of Docker; giving them without an ARG is no mistake. */
const predefinedArgs = /^(https?|ftp|no|all)_proxy$/i

/** By then who asked for a build has been told how it ended. */
const answerMs = 50

/** Opens the room below `dataRoot`/build and removes what interrupted builds left. */
export async function createBuilder(rooms: {
  dataRoot: string
  nativeDir: string
  images: Images
  containers: Containers
  snapshots: Snapshots
  content: Pick<ContentStore, 'lease'>
  log?: Logger
}): Promise<Builder & { close(): Promise<void> }> {
  const directory = join(rooms.dataRoot, 'build')
  const unpack = join(rooms.nativeDir, 'berth-unpack')
  const work = join(directory, 'work')
  await mkdir(work, { recursive: true, mode: 0o711 })
  for (const name of await namesIn(work)) await runProgram(unpack, ['delete-tree', '--dir', join(work, name)])
  const cache = await openBuildCache({
    directory: join(directory, 'cache'),
    unpack,
    imageSize: (id) => imageSize(rooms, id),
    log: rooms.log,
  })
  const shared: BuildRooms = { directory, unpack, cache, ...rooms }
  const removals = new Set<Promise<void>>()
  return {
    async build(context, options, registryAuth, operation, allowed = { hostAccess: true }) {
      const scratch = join(work, operation.id)
      try {
        return await buildImage(shared, context as Readable, { options, registryAuth, operation, allowed }, scratch)
      } catch (error) {
        if (operation.signal.aborted) throw new EngineError('cancelled', 'the build was cancelled', { cause: error })
        throw error
      } finally {
        // Nobody waits for this; what a crash leaves, the next start removes. The answer goes first: starting a program holds this thread up for some milliseconds.
        const removal = answered(answerMs)
          .then(() => runProgram(unpack, ['delete-tree', '--dir', scratch]))
          .then(() => {})
          .catch((error) => rooms.log?.error({ err: error, scratch }, 'the files of a build are still there'))
          .finally(() => removals.delete(removal))
        removals.add(removal)
      }
    },
    cacheUsage: () => cache.usage(),
    pruneCache: (options) => cache.prune(options),
    async close() {
      await Promise.all(removals)
      await cache.close()
    },
  }
}

/** Bytes of an image's own top layer; null when the image is gone. */
function imageSize({ images, snapshots }: Pick<BuildRooms, 'images' | 'snapshots'>, id: string): number | null {
  try {
    const { chainId } = images.resolve(id)
    if (chainId !== null && !snapshots.has(chainId)) return null
    return chainId === null ? 0 : snapshots.layerBytes(chainId)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not_found') return null
    throw error
  }
}

function checkOptions(options: BuildOptions): void {
  for (const tag of options.tags) parseTagged(tag)
  if (options.squash) throw new EngineError('invalid_argument', 'squash is not supported by this builder')
}

function platformArguments(target: Platform): Record<string, string> {
  const host = hostPlatform()
  const text = ({ os, architecture, variant }: Platform) => [os, architecture, variant].filter(Boolean).join('/')
  return {
    BUILDPLATFORM: text(host),
    BUILDOS: host.os,
    BUILDARCH: host.architecture,
    BUILDVARIANT: host.variant ?? '',
    TARGETPLATFORM: text(target),
    TARGETOS: target.os,
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? '',
  }
}

async function buildImage(
  rooms: BuildRooms,
  source: Readable,
  asked: Pick<Build, 'options' | 'registryAuth' | 'operation' | 'allowed'>,
  work: string,
): Promise<{ id: string }> {
  const { options, operation } = asked
  checkOptions(options)
  await mkdir(work, { mode: 0o711 })
  const context = await openContext(source, options, { root: join(work, 'context'), unpack: rooms.unpack, signal: operation.signal })
  const platform = hostPlatform()
  const platformArgs = platformArguments(platform)
  const dockerfile = parseDockerfile(context.dockerfile, options.dockerfile)
  const plan = planStages(dockerfile, {
    target: options.target,
    buildArgs: options.buildArgs,
    platformArgs,
  })
  const labels = labelInstructions(options.labels)
  const sources = options.cacheFrom.length > 0 ? await CacheSources.open(rooms.images, options.cacheFrom) : null
  const build = assemble(rooms, { ...asked, context, plan, work, platformArgs, platform, sources }, labels)
  for (const warning of dockerfile.warnings) operation.progress({ text: `${warning}\n` })
  for (const [at, { original }] of plan.leading.entries())
    operation.progress({ text: `Step ${at + 1}/${build.totalSteps} : ${original}\n` })
  const { imageId } = await allStages(build)
  warnOfArguments(build)
  if (imageId === null) throw new EngineError('invalid_argument', 'No image was generated. Is your Dockerfile empty?')
  operation.progress({ text: `Successfully built ${shortId(imageId)}\n` })
  for (const tag of options.tags) {
    if (!isTagged(rooms.images, tag, imageId)) await rooms.images.tag(imageId, tag)
    operation.progress({ text: `Successfully tagged ${familiar(parseTagged(tag))}\n` })
  }
  return { id: imageId }
}

/** The context from the request's body, or from where `remote` says. */
async function openContext(
  body: Readable,
  { remote, dockerfile }: BuildOptions,
  { root, unpack, signal }: { root: string; unpack: string; signal: AbortSignal },
): Promise<BuildContext> {
  if (remote === '') return BuildContext.receive(body, root, { unpack, dockerfile, signal })
  body.resume()
  if (isRepository(remote)) {
    await fetchRepository(remote, root, { keepGit: false, signal })
    return BuildContext.open(root, { dockerfile })
  }
  if (!/^https?:\/\//i.test(remote))
    throw new EngineError('invalid_argument', `the remote context "${remote.slice(0, 200)}" is neither a URL nor a repository`)
  const download = await openUrl(remote, 'the context cannot be downloaded', signal)
  return BuildContext.receive(download, root, { unpack, dockerfile, signal })
}

/** Pointing a tag at the image that it points at is two flushes for nothing. */
function isTagged(images: Images, tag: string, imageId: string): boolean {
  try {
    return images.resolve(tag).id === imageId
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not_found') return false
    throw error
  }
}

/** Every stage that is needed, each as soon as what it needs is there. When one fails the others are waited for, so that nothing runs on behind. */
async function allStages(build: Build): Promise<StageResult> {
  const results = await Promise.allSettled(build.plan.stages.map((stage) => build.stageResult(stage.index)))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return build.stageResult(build.plan.target.index)
}

function assemble(
  rooms: BuildRooms,
  given: Pick<
    Build,
    'options' | 'registryAuth' | 'operation' | 'allowed' | 'context' | 'plan' | 'work' | 'platformArgs' | 'platform' | 'sources'
  >,
  labels: Instruction[],
): Build {
  const running = new Map<number, Promise<StageResult>>()
  const pulls = new Map<string, Promise<StageResult>>()
  let names = 0
  const build: Build = {
    ...rooms,
    ...given,
    totalSteps: given.plan.stages.reduce((sum, stage) => sum + 1 + stage.instructions.length, labels.length + given.plan.leading.length),
    unique: () => String(++names),
    stageResult(index) {
      let result = running.get(index)
      if (!result) {
        const stage = given.plan.stages.find((candidate) => candidate.index === index)
        if (!stage) throw new EngineError('internal', `stage ${index} is not part of the plan`)
        result = Promise.all(stage.needs.map((need) => build.stageResult(need))).then(() =>
          new StageRunner(build, stage, firstStep(given.plan, stage)).run(stage === given.plan.target ? labels : []),
        )
        running.set(index, result)
      }
      return result
    },
    resolveImage(reference, platform) {
      const wanted = platform || given.options.platform
      const key = `${reference} ${wanted}`
      let result = pulls.get(key)
      if (!result) {
        result = findImage(build, reference, wanted)
        pulls.set(key, result)
      }
      return result
    },
  }
  return build
}

/** Steps are numbered as the file has them, whatever runs first. */
function firstStep({ stages, leading }: StagePlan, stage: Stage): number {
  return stages.filter(({ index }) => index < stage.index).reduce((sum, other) => sum + 1 + other.instructions.length, leading.length + 1)
}

async function findImage(build: Build, text: string, platform: string): Promise<StageResult> {
  const { images, options } = build
  if (!options.pull) {
    try {
      const { id, chainId } = images.resolve(text)
      return { imageId: id, chainId }
    } catch (error) {
      if (!(error instanceof EngineError && error.code === 'not_found')) throw error
    }
  }
  const { domain } = parseReference(text)
  const auth =
    build.registryAuth[domain] ?? build.registryAuth[domain === 'docker.io' ? 'https://index.docker.io/v1/' : `https://${domain}`]
  const { id } = await images.pull({ reference: text, platform: platform || undefined, auth }, build.operation)
  return { imageId: id, chainId: images.resolve(id).chainId }
}

/** Labels of the call come last, sorted, an instruction each. */
function labelInstructions(labels: Record<string, string>): Instruction[] {
  const quote = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({
      keyword: 'LABEL',
      flags: [],
      rest: `${quote(name)}=${quote(value)}`,
      heredocs: [],
      line: 0,
      original: `LABEL ${name}=${value}`,
    }))
}

function warnOfArguments(build: Build): void {
  const plan: StagePlan = build.plan
  const unused = Object.keys(build.options.buildArgs).filter((name) => !plan.declaredArgs.has(name) && !predefinedArgs.test(name))
  if (unused.length > 0) build.operation.progress({ text: `[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n` })
}
