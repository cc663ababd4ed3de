/**
 * One stage, instruction by instruction: look for the step in the cache, else do it, and make an image of what it did. Every step is an image, so
 * that a later build, `docker history` and `docker run <step>` find it.
 */
import type { ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import { shortId } from '../oci/digest.ts'
import { keyOf } from './build-cache.ts'
import { type ConfigState, changeConfig, defaultPath, emptyConfig, historyText, resolveWorkdir, shellOf } from './config-change.ts'
import { findSources } from './copy-sources.ts'
import { type Instruction, parseTrigger } from './dockerfile.ts'
import { checkVolumes, copyLayer, type NewLayer, targetPath, workdirLayer } from './layer-step.ts'
import type { Build, StageResult } from './rooms.ts'
import { type RunStatement, runCommand, runLayer } from './run-step.ts'
import { selectSources } from './select-sources.ts'
import { type Stage, stageNamed } from './stage-plan.ts'
import { type Statement, understand } from './statement.ts'

/** Build arguments that need no ARG; they do not count for the cache. */
const proxyArgs = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'NO_PROXY',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
]

/** A step ready to be looked up and done. */
interface Step {
  /** What its result depends on besides the image before it. */
  key: unknown
  /** Costs more to find out, says less: asked only when `key` is not known, and then the step is found again by either. */
  contentKey?: () => Promise<unknown>
  /** Its command in the words of the classic builder; `docker history` shows it in one line. */
  madeBy: string[]
  /** Makes the layer; null: no files are changed. */
  layer: (hold: (digest: string) => void) => Promise<NewLayer | null>
  after: ConfigState
}

export class StageRunner {
  private imageId: string | null = null
  private chainId: string | null = null
  private state: ConfigState = { config: emptyConfig, author: '', cmdSet: false }
  /** ARGs declared so far with their values, in order. */
  private readonly args = new Map<string, string>()
  private step: number
  /** A step was done anew: nothing after it can be in the cache. */
  private missed = false

  constructor(
    private readonly build: Build,
    private readonly stage: Stage,
    /** Number of this stage's first step in the whole build. */
    firstStep: number,
  ) {
    this.step = firstStep
  }

  async run(extra: Instruction[]): Promise<StageResult> {
    const { build, stage } = this
    this.announce(stage.from)
    await this.begin()
    const triggers = this.state.config.onBuild
    if (triggers.length > 0) {
      this.say(`# Executing ${triggers.length} build trigger${triggers.length > 1 ? 's' : ''}\n`)
      this.state = { ...this.state, config: { ...this.state.config, onBuild: [] } }
      for (const trigger of triggers) await this.instruction(parseTrigger(trigger), false)
    }
    for (const instruction of [...stage.instructions, ...extra]) {
      build.operation.signal.throwIfAborted()
      await this.instruction(instruction, true)
    }
    if (this.imageId !== null) build.operation.progress({ aux: { ID: this.imageId } })
    return { imageId: this.imageId, chainId: this.chainId }
  }

  private say(text: string): void {
    this.build.operation.progress({ text })
  }

  private announce(instruction: Instruction): void {
    this.say(`Step ${this.step++}/${this.build.totalSteps} : ${instruction.original}\n`)
  }

  private async begin(): Promise<void> {
    const { build, stage } = this
    if (stage.base === 'scratch') {
      this.say(' ---> \n')
      return
    }
    const earlier = stageNamed(build.plan.stages, stage.base, stage.index)
    const base =
      earlier && earlier.name !== '' ? await build.stageResult(earlier.index) : await build.resolveImage(stage.base, stage.platform)
    if (base.imageId === null) return
    this.adopt(base.imageId)
    if (!this.lookup('PATH')) this.state = { ...this.state, config: { ...this.state.config, env: [...this.state.config.env, defaultPath] } }
    this.say(` ---> ${shortId(base.imageId)}\n`)
  }

  /** Goes on from an image. */
  private adopt(imageId: string): void {
    const image = this.build.images.resolve(imageId)
    this.imageId = image.id
    this.chainId = image.chainId
    this.state = { ...this.state, config: image.config }
  }

  private lookup = (name: string): string | undefined => {
    const entry = this.state.config.env.find((candidate) => candidate.startsWith(`${name}=`))
    return entry === undefined ? this.args.get(name) : entry.slice(name.length + 1)
  }

  private async instruction(instruction: Instruction, counted: boolean): Promise<void> {
    if (counted) this.announce(instruction)
    const statement = understand(instruction, this.lookup, this.build.plan.escapeChar)
    const step = await this.prepare(statement)
    const { known, keys } = await this.find(step)
    if (known !== null) {
      this.say(' ---> Using cache\n')
      this.adopt(known)
      this.state = { ...this.state, author: step.after.author, cmdSet: step.after.cmdSet }
      this.say(` ---> ${shortId(known)}\n`)
      return
    }
    this.missed = true
    await this.perform(step, keys)
    this.say(` ---> ${shortId(this.imageId as string)}\n`)
  }

  /** The image that this step made before, and the keys by which it can be found. */
  private async find(step: Step): Promise<{ known: string | null; keys: string[] }> {
    const { cache, options, sources } = this.build
    const lookUp = (key: string) => {
      const found = this.missed || options.noCache ? null : cache.find(key)
      return found !== null && sources?.holds(found) === false ? null : found
    }
    const keys = [keyOf([this.imageId, step.key])]
    const known = lookUp(keys[0] as string)
    if (known !== null) return { known, keys }
    if (step.contentKey) keys.push(keyOf([this.imageId, await step.contentKey()]))
    const same = (keys[1] === undefined ? null : lookUp(keys[1])) ?? (await this.fromSource(step))
    if (same !== null) cache.store(keys[0] as string, same, step.madeBy.join(' ').slice(0, 200))
    return { known: same, keys }
  }

  /** The image of this step by what an image of `--cache-from` has of it. */
  private async fromSource(step: Step): Promise<string | null> {
    const { images, options, platform, sources } = this.build
    const createdBy = step.madeBy.join(' ')
    const found = this.missed || options.noCache ? null : ((await sources?.find(this.imageId, createdBy)) ?? null)
    if (found === null || 'imageId' in found) return found?.imageId ?? null
    const { config, author } = step.after
    const { layer } = found
    const history = [{ createdBy, author, emptyLayer: layer === null, ...(found.createdAt === null ? {} : { createdAt: found.createdAt }) }]
    const image = { parent: this.imageId, config, platform, layers: layer ? [layer] : [], history, author, madeBy: step.madeBy }
    return (await images.create(image, '')).id
  }

  private async perform(step: Step, keys: string[]): Promise<void> {
    const { build } = this
    const lease = build.content.lease()
    try {
      const layer = await step.layer((digest) => lease.hold(digest))
      const { id } = await build.images.create(
        {
          parent: this.imageId,
          config: step.after.config,
          platform: build.platform,
          layers: layer ? [{ digest: layer.digest, sizeBytes: layer.sizeBytes, diffId: layer.diffId, mediaType: layer.mediaType }] : [],
          history: [{ createdBy: step.madeBy.join(' '), author: step.after.author, emptyLayer: layer === null }],
          author: step.after.author,
          madeBy: step.madeBy,
        },
        '',
      )
      this.adopt(id)
      this.state = step.after
      for (const key of keys) build.cache.store(key, id, step.madeBy.join(' ').slice(0, 200))
    } finally {
      lease.release()
    }
  }

  private async prepare(statement: Statement): Promise<Step> {
    if (statement.kind === 'run') return this.prepareRun(statement)
    if (statement.kind === 'copy') {
      const sources = await selectSources(this.build, statement, await findSources(this.build, statement, this.stage.index))
      const { content } = sources
      const target = targetPath(this.state.config.workingDir, statement.target)
      const items = sources.groups.flatMap((group) => group.items)
      const flags = [statement.chown, statement.chmod, items]
      const keyFor = (digest: string) => ['copy', statement.add, digest, target, flags]
      return {
        key: keyFor(sources.digest),
        contentKey: content ? async () => keyFor(await content()) : undefined,
        madeBy: [
          ...shellOf(this.state.config),
          `#(nop) ${statement.add ? 'ADD' : 'COPY'} ${statement.chown ? `--chown=${statement.chown} ` : ''}${sources.label} in ${statement.target} `,
        ],
        layer: (hold) =>
          copyLayer(this.build, statement, sources, { chainId: this.chainId, workingDir: this.state.config.workingDir }, hold),
        after: this.state,
      }
    }
    if (statement.kind === 'arg') this.declare(statement.args)
    const after = changeConfig(this.state, statement)
    const text = historyText(statement, this.state.config)
    const workdir = statement.kind === 'workdir' ? resolveWorkdir(this.state.config.workingDir, statement.path) : null
    return {
      key: ['config', statement.kind, text, after.config, after.author],
      // WORKDIR is told as one word, whatever else as two.
      madeBy: [...shellOf(after.config), ...(workdir === null ? ['#(nop) ', text.trimStart()] : [`#(nop) ${text}`])],
      layer: async (hold) => {
        if (statement.kind === 'volume') await checkVolumes(this.build, this.chainId, statement.paths)
        return workdir === null ? null : workdirLayer(this.build, this.chainId, workdir, hold)
      },
      after,
    }
  }

  private declare(args: { name: string; value: string | null }[]): void {
    const { options, plan, platformArgs } = this.build
    for (const { name, value } of args) {
      const given = options.buildArgs[name]
      const found = given ?? value ?? plan.metaArgs.get(name) ?? platformArgs[name]
      if (found !== undefined && found !== null) this.args.set(name, found)
    }
  }

  private prepareRun(statement: RunStatement): Step {
    const { build, imageId } = this
    if (imageId === null)
      throw new EngineError('invalid_argument', 'RUN needs files: the stage is FROM scratch and nothing was copied into it yet')
    const { config } = this.state
    const { args } = runCommand(statement, config)
    const declared = [...this.args].filter(([name]) => !config.env.some((entry) => entry.startsWith(`${name}=`)))
    const proxies = proxyArgs.flatMap((name): [string, string][] => {
      const value = build.options.buildArgs[name]
      return value === undefined || value === null || this.args.has(name) ? [] : [[name, value]]
    })
    const shown = declared.map(([name, value]) => `${name}=${value}`)
    const { mounts, network } = statement
    return {
      key: ['run', args, shown, mounts, network],
      madeBy: [...(shown.length + proxies.length > 0 ? [`|${shown.length}`, ...shown] : []), ...args],
      layer: (hold) =>
        runLayer(
          build,
          statement,
          { imageId, chainId: this.chainId, config: withoutVolumes(config), args: [...declared, ...proxies], stageIndex: this.stage.index },
          hold,
        ),
      after: this.state,
    }
  }
}

/** Volumes of an image make no difference to what RUN finds at its paths. */
function withoutVolumes(config: ImageConfig): ImageConfig {
  return { ...config, volumes: [] }
}
