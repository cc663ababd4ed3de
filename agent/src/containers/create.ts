import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { ContainerOptions } from '@berth/contract/container'
import { diskError } from '../disk/files.ts'
import { codeOf, EngineError, messageOf } from '../errors.ts'
import { checkPlatform, parsePlatform } from '../oci/platform.ts'
import { checkOptions } from './check-options.ts'
import { now } from './clock.ts'
import { Container } from './container.ts'
import type { Context } from './context.ts'
import { mergeWithImage } from './effective.ts'
import { withoutDiscarded } from './limits.ts'
import { onDefaultBridge } from './links.ts'
import { randomName } from './names.ts'
import { placeMounts } from './place-mounts.ts'
import type { ContainerRecord } from './record.ts'
import { settleAll } from './settle-all.ts'
import { Undo } from './undo.ts'

/**
 * Record, writable layer, volumes; nothing runs. Every step pushes its undo, the record is written last: a crash before leaves a directory without a record,
 * which the next boot removes with its layer.
 */
export async function createContainer(
  context: Context,
  input: { name?: string; options: ContainerOptions; transient?: boolean },
): Promise<{ id: string; warnings: string[] }> {
  const { options } = input
  if (options.privileged && context.config.policy.noPrivileged)
    throw new EngineError('permission_denied', "this host's policy does not allow privileged containers")
  const image = context.images.resolve(options.image)
  if (options.platform) checkPlatform(options.image, parsePlatform(options.platform), image.platform)
  const warnings = checkOptions(options, context.host)
  if (options.networkMode === 'host' && (options.ports.length > 0 || options.publishAll))
    warnings.push('Published ports are discarded when using host network mode')
  const id = randomBytes(32).toString('hex')
  const effective = mergeWithImage(id, options, image.config, hostname())
  const name = input.name ?? randomName((candidate) => context.index.isTaken(candidate))
  context.index.reserve(name, id)
  const undo = new Undo()
  undo.push(() => context.index.release(name, id))
  try {
    if (options.networkMode === `container:${name}`) throw new EngineError('invalid_argument', 'cannot join own network namespace')
    checkReferences(context, options)
    const idmap = options.usernsMode === 'auto' ? allocateRange(context) : null
    undo.push(() => rm(context.paths.directory(id), { recursive: true, force: true }))
    await context.store.createDirectory(id)
    undo.push(() => context.snapshots.remove(id))
    await settleAll([
      context.snapshots.prepare(id, image.chainId, { init: true, ...(idmap ? { idmap } : {}) }),
      mkdir(context.paths.rootfs(id), { mode: 0o755 }),
      mkdir(context.paths.logs(id), { mode: 0o700 }),
    ])
    const mounts = await placeMounts(context, { id, options, imageVolumes: image.config.volumes }, undo)
    const record: ContainerRecord = {
      version: 1,
      id,
      name,
      createdAt: now(),
      options: { ...options, init: options.init ?? false, limits: withoutDiscarded(options.limits, context.host) },
      effective,
      image: { id: image.id, reference: image.reference || options.image, chainId: image.chainId, platform: image.platform },
      mounts,
      networks: wantedNetworks(options),
      transient: input.transient ?? false,
      idmap,
      state: {
        status: 'created',
        paused: false,
        manuallyStopped: false,
        bootId: '',
        exitCode: 0,
        signal: null,
        oomKilled: false,
        error: '',
        startedAt: null,
        finishedAt: null,
        restartCount: 0,
      },
    }
    await context.store.save(record, true)
    await context.store.syncRoot()
    const container = new Container(record)
    context.index.add(container)
    context.tell(container, 'create')
    return { id, warnings }
  } catch (error) {
    await undo.run(context.log)
    throw diskError(error, context.paths.directory(id))
  }
}

/** Containers that it wants to share something with must exist. @throws EngineError not_found */
function checkReferences(context: Context, options: ContainerOptions): void {
  for (const mode of [options.networkMode, options.pidMode, options.ipcMode])
    if (mode.startsWith('container:')) context.index.resolve(mode.slice('container:'.length))
  // In a network of the user's a link is a name for later: who it means need not be there yet.
  if (!onDefaultBridge(options)) return
  for (const link of options.links) {
    const [name] = link.split(':') as [string]
    try {
      context.index.resolve(name)
    } catch (error) {
      throw new EngineError(codeOf(error), `could not get container for ${name}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Networks to attach at start: none for host, none and another container's. */
function wantedNetworks(options: ContainerOptions): ContainerRecord['networks'] {
  const mode = options.networkMode || 'bridge'
  if (options.networkDisabled || mode === 'host' || mode === 'none' || mode.startsWith('container:')) return {}
  const first = mode === 'default' ? 'bridge' : mode
  const plain = { aliases: [], links: [] }
  const { [first]: own, default: byDefault, ...others } = options.networks
  return { [first]: own ?? byDefault ?? plain, ...others }
}

/** Outside ids for --userns=auto: above every login's and every /etc/subuid range that distributions hand out, a range of its own for each container. */
const firstRange = 0x20000000
const rangeSize = 65536
const rangeCount = 8192

function allocateRange(context: Context): NonNullable<ContainerRecord['idmap']> {
  const used = new Set<number>()
  for (const { record } of context.index.values()) if (record.idmap) used.add(record.idmap.uid)
  for (const start of reservedRanges) used.add(start)
  for (let number = 0; number < rangeCount; number++) {
    const start = firstRange + number * rangeSize
    if (used.has(start)) continue
    reservedRanges.add(start)
    // Held until the record is in the index, or for a minute after a failure: long enough for either.
    setTimeout(() => reservedRanges.delete(start), 60_000).unref()
    return { uid: start, gid: start, size: rangeSize }
  }
  throw new EngineError(
    'resource_exhausted',
    `all ${rangeCount} user id ranges are in use; remove a container that was made with --userns=auto`,
  )
}

/** Ranges of creates under way. */
const reservedRanges = new Set<number>()
