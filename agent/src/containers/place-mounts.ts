/**
 * Turns the mounts that were asked for into places on this machine when a container is created: volumes are made, `-v` sources are made, `--volumes-from` is
 * taken over, what the image has at a new volume's target is copied up. Pushes an undo for everything it makes.
 */
import { mkdir, stat } from 'node:fs/promises'
import type { ContainerOptions, Mount } from '@berth/contract/container'
import { isMissing } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import { requireBindSource } from './bind-sources.ts'
import { cleanTarget } from './check-options.ts'
import type { Context } from './context.ts'
import { copyUp } from './copy-up.ts'
import type { RecordedMount } from './record.ts'
import { tmpfsMountOptions } from './spec-mounts.ts'
import type { Undo } from './undo.ts'

/** Mounts of a new container, in order of destination depth. @throws EngineError invalid_argument, not_found, permission_denied (host policy) */
export async function placeMounts(
  context: Context,
  container: { id: string; options: ContainerOptions; imageVolumes: string[] },
  undo: Undo,
): Promise<RecordedMount[]> {
  const byTarget = new Map<string, RecordedMount>()
  for (const inherited of volumesFrom(context, container.options)) byTarget.set(inherited.destination, inherited)
  const fresh: { mount: RecordedMount; noCopy: boolean }[] = []
  for (const mount of container.options.mounts) {
    // `-v /path` asks for any volume there: one that --volumes-from brings will do, as in Docker.
    if (mount.type === 'volume' && mount.source === '' && mount.spelling === 'bind-string' && byTarget.has(cleanTarget(mount.target)))
      continue
    const placed = await place(context, container.options, mount, undo)
    byTarget.set(placed.destination, placed)
    if (placed.type === 'volume') fresh.push({ mount: placed, noCopy: mount.noCopy || mount.subpath !== '' })
  }
  const tmpfs = new Set(Object.keys(container.options.tmpfs).map(cleanTarget))
  for (const target of container.imageVolumes.map(cleanTarget)) {
    if (byTarget.has(target) || tmpfs.has(target)) continue
    const placed = await place(context, container.options, imageVolume(target), undo)
    byTarget.set(target, placed)
    fresh.push({ mount: placed, noCopy: false })
  }
  for (const { mount, noCopy } of fresh)
    if (!noCopy && (await context.volumes.isPristine(mount.name))) await copyUp(context, container.id, mount)
  return [...byTarget.values()].sort((a, b) => a.destination.split('/').length - b.destination.split('/').length)
}

function imageVolume(target: string): Mount {
  return {
    type: 'volume',
    source: '',
    target,
    readOnly: false,
    propagation: '',
    createSource: false,
    nonRecursive: false,
    noCopy: false,
    subpath: '',
    volumeLabels: {},
    volumeOptions: {},
    tmpfsSizeBytes: 0,
    tmpfsOptions: '',
    spelling: 'image',
  }
}

function volumesFrom(context: Context, options: ContainerOptions): RecordedMount[] {
  return options.volumesFrom.flatMap((entry) => {
    const match = /^(.*?)(?::([a-zA-Z,]+))?$/.exec(entry)
    const words = (match?.[2] ?? '').split(',')
    if (words.some((word) => !['', 'ro', 'rw', 'z', 'Z'].includes(word)))
      throw new EngineError('invalid_argument', `invalid mode: ${match?.[2]}`)
    const other = context.index.resolve(match?.[1] as string)
    return other.record.mounts
      .filter((mount) => mount.type !== 'tmpfs')
      .map((mount): RecordedMount => {
        const readOnly = mount.readOnly || words.includes('ro')
        return { ...mount, readOnly, mode: readOnly ? 'ro' : mount.mode, spelling: 'volumes-from' }
      })
  })
}

/** What inspect calls Mode: the words behind the second colon of `-v`; Docker shows `z` for a named volume without any. */
function modeOf({ spelling, type, source, readOnly, propagation, relabel }: Mount): string {
  if (spelling === 'bind-string') {
    const words = [...(readOnly ? ['ro'] : []), ...(relabel ? [relabel] : []), ...(propagation ? [propagation] : [])].join(',')
    if (words !== '' || type !== 'volume' || source === '') return words
  }
  return type === 'volume' && (source !== '' || spelling === 'mount') ? 'z' : ''
}

async function place(context: Context, options: ContainerOptions, mount: Mount, undo: Undo): Promise<RecordedMount> {
  const destination = cleanTarget(mount.target)
  const mode = modeOf(mount)
  const base = {
    destination,
    mode,
    readOnly: mount.readOnly,
    nonRecursive: mount.nonRecursive,
    subpath: mount.subpath,
    tmpfsOptions: [] as string[],
    spelling: mount.spelling,
  }
  if (mount.type === 'tmpfs')
    return { ...base, type: 'tmpfs', name: '', source: '', propagation: '', anonymous: false, tmpfsOptions: tmpfsOptionsOf(mount) }
  if (mount.type === 'bind') {
    await bindSource(context, mount)
    return { ...base, type: 'bind', name: '', source: mount.source, propagation: mount.propagation || 'rprivate', anonymous: false }
  }
  const existed = mount.source !== '' && (await exists(context, mount.source))
  const driver = options.volumeDriver ?? ''
  // A mount object names its own driver; the container's is for `-v` and for the image's volumes.
  if (!existed && mount.spelling !== 'mount' && !['', 'local'].includes(driver))
    throw new EngineError('not_found', `error looking up volume plugin ${driver}: plugin "${driver}" not found`)
  const volume = await context.volumes.create({
    name: mount.source || undefined,
    labels: mount.volumeLabels,
    options: mount.volumeOptions,
    anonymous: mount.source === '',
  })
  if (!existed) undo.push(() => context.volumes.remove(volume.name, { force: true }))
  return { ...base, type: 'volume', name: volume.name, source: volume.mountpoint, propagation: '', anonymous: mount.source === '' }
}

async function exists(context: Context, name: string): Promise<boolean> {
  try {
    await context.volumes.inspect(name)
    return true
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not_found') return false
    throw error
  }
}

function tmpfsOptionsOf(mount: Mount): string[] {
  const options = tmpfsMountOptions(mount.tmpfsOptions)
  if (mount.tmpfsSizeBytes > 0) options.push(`size=${mount.tmpfsSizeBytes}`)
  if (mount.tmpfsMode !== undefined) options.push(`mode=${mount.tmpfsMode.toString(8)}`)
  if (mount.readOnly) options.push('ro')
  return options
}

/** Checks a bind's source against the host's policy, and makes it where `-v` promises so. */
async function bindSource(context: Context, mount: Mount): Promise<void> {
  const { bindSources } = context.config.policy
  const source = mount.source.replace(/\/+$/, '') || '/'
  if (bindSources !== null) requireBindSource(source, bindSources)
  if (source.split('/').includes('..') && bindSources !== null)
    throw new EngineError('invalid_argument', `the bind source ${source} must not contain ".."`)
  try {
    await stat(source)
  } catch (error) {
    if (!isMissing(error)) throw error
    if (!mount.createSource)
      throw new EngineError('invalid_argument', `invalid mount config for type "bind": bind source path does not exist: ${source}`)
    await mkdir(source, { recursive: true, mode: 0o755 })
  }
}
