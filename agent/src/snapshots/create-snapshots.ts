import { chmod, chown, mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { ContentStore, Draft, Lease } from '../content/content-store.ts'
import { diskError, ensureDirectory, namesIn } from '../disk/files.ts'
import { openRecords } from '../disk/records.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { runProgram } from '../native/programs.ts'
import { type Digest, digestOf, hexOf, isDigest } from '../oci/digest.ts'
import { mediaTypes } from '../oci/manifest.ts'
import { openInitLayers } from './init-layers.ts'
import { openLayers } from './layers.ts'
import { freshName } from './names.ts'
import type { ActiveSnapshot, MountSpec, Snapshots } from './snapshots.ts'
import { openTrash } from './trash.ts'

const digest = z.string().refine(isDigest)
/** A stack: one layer on top of another stack. */
const chainRecord = z.object({ chainId: digest, parent: digest.nullable(), diffId: digest })
type ChainRecord = z.infer<typeof chainRecord>
const activeRecord = z.object({
  key: z.string(),
  parent: digest.nullable(),
  name: z.string().regex(/^[a-z0-9]{4,32}$/),
  /** Whether an init layer is between it and the stack. */
  init: z.boolean().default(false),
  /** The user range that its container writes in. */
  idmap: z.object({ uid: z.number(), gid: z.number(), size: z.number() }).optional(),
})

const diffAnswer = z.object({ digest: z.string(), sizeBytes: z.number(), diffId: z.string() })
const usageAnswer = z.object({ sizeBytes: z.number(), inodes: z.number() })
const change = z.object({ kind: z.enum(['A', 'C', 'D']), path: z.string() })

const graceMs = 10 * 60_000
const layerTypes = { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd } as const

/**
 * Opens the snapshots below `dataRoot`/snapshots: `l/` layer directories, `i/` init layers, `a/` active ones, `layers/ chains/ active/` records, `tmp/ trash/`.
 * Removes what an interrupted life left. @throws failed_precondition for a data root whose path overlay cannot take
 */
export async function createSnapshots(options: {
  dataRoot: string
  nativeDir: string
  content: ContentStore
  log?: Logger
}): Promise<Snapshots> {
  const { content, log } = options
  const root = join(options.dataRoot, 'snapshots')
  if (/[:,\\]/.test(root)) {
    throw new EngineError(
      'failed_precondition',
      `the data root ${options.dataRoot} contains ":", "," or "\\", which overlay mounts cannot name; choose another`,
    )
  }
  const program = join(options.nativeDir, 'berth-unpack')
  await ensureDirectory(root, 0o711)
  const trash = await openTrash(join(root, 'trash'), program, log)
  const layers = await openLayers({ root, program, trash, log })
  const initLayers = await openInitLayers({ root, trash })
  const chains = await openRecords(join(root, 'chains'), { parse: (value) => chainRecord.parse(value), durable: false, log })
  const actives = await openRecords(join(root, 'active'), { parse: (value) => activeRecord.parse(value), log })
  const writable = join(root, 'a')
  const empty = join(root, 'empty')
  await ensureDirectory(writable, 0o711)
  await ensureDirectory(empty, 0o755)
  const known = new Set(actives.values().map((active) => active.name))
  for (const name of await namesIn(writable)) if (!known.has(name)) await trash.discard(join(writable, name))

  const graces = new Map<Digest, () => void>()

  const chainOf = (chainId: Digest): ChainRecord => {
    const chain = chains.get(hexOf(chainId))
    if (!chain || !layers.has(chain.diffId))
      throw new EngineError('not_found', `layers of ${chainId} are not unpacked here; pull the image again`)
    return chain
  }
  /** Layer directories of a stack, top first, as overlay wants them. */
  const lowerOf = (chainId: Digest | null): string[] => {
    const lower: string[] = []
    for (let at = chainId; at !== null; ) {
      const chain: ChainRecord = chainOf(at)
      lower.push(layers.directory(chain.diffId))
      at = chain.parent
    }
    return lower
  }
  const complete = (chainId: Digest): boolean => {
    for (let at: Digest | null = chainId; at !== null; ) {
      const chain: ChainRecord | undefined = chains.get(hexOf(at))
      if (!chain || !layers.has(chain.diffId)) return false
      at = chain.parent
    }
    return true
  }
  const needActive = (key: string): ActiveSnapshot & { parent: Digest | null } => {
    const active = actives.get(key)
    if (!active) throw new EngineError('not_found', `no such snapshot: ${key}`)
    const lower = [...(active.init ? [initLayers.directory(active.parent)] : []), ...lowerOf(active.parent)]
    return {
      key,
      parent: active.parent,
      lower: lower.length ? lower : [empty],
      upper: join(writable, active.name, 'u'),
      work: join(writable, active.name, 'w'),
    }
  }
  /** How berth-unpack is told of an active snapshot. */
  const layerArguments = ({ key, upper, lower }: ActiveSnapshot) => {
    const range = actives.get(key)?.idmap
    const ids = range ? ['--id-base', String(range.uid), '--id-size', String(range.size)] : []
    return ['--upper', upper, ...lower.flatMap((directory) => ['--lower', directory]), ...ids]
  }
  // After a boot of the machine they are gone; who stands on one needs it at its next start.
  for (const { parent, init } of actives.values())
    if (init && (parent === null || complete(parent))) await initLayers.ensure(parent, lowerOf(parent))
  const link = async (chainId: Digest, parent: Digest | null, diffId: Digest) => {
    if (!chains.has(hexOf(chainId))) await chains.put(hexOf(chainId), { chainId, parent, diffId })
    // A stack that came back under containers that stand on it.
    if (actives.values().some((active) => active.init && active.parent === chainId)) await initLayers.ensure(chainId, lowerOf(chainId))
  }
  const applyFile = async (diffId: Digest, path: string, signal?: AbortSignal) => {
    if (layers.has(diffId)) return
    const blob = await open(path, 'r')
    try {
      await layers.apply(diffId, { fd: blob.fd }, signal)
    } finally {
      await blob.close()
    }
  }
  /** The blob is flushed while it is unpacked: one waits for the disk, the other for the processor. */
  const commitAndUnpack = async (draft: Draft, diff: { digest: Digest; diffId: Digest }, signal?: AbortSignal) => {
    const source = await open(draft.path, 'r')
    try {
      const [blob, layer] = await Promise.allSettled([draft.commit(diff.digest), layers.apply(diff.diffId, { fd: source.fd }, signal)])
      if (blob.status === 'rejected') throw blob.reason
      if (layer.status === 'rejected') throw layer.reason
      return blob.value
    } finally {
      await source.close()
    }
  }
  const checkPlace = (chainId: Digest, parent: Digest | null, diffId: Digest) => {
    const expected = parent === null ? diffId : digestOf(`${parent} ${diffId}`)
    if (chainId !== expected)
      throw new EngineError('invalid_argument', `chain id ${chainId} does not belong to ${diffId} on ${parent ?? 'nothing'}`)
    if (parent !== null) chainOf(parent)
  }
  const usage = async (key: string) => {
    const { stdout } = await runProgram(program, ['usage', '--dir', needActive(key).upper])
    return usageAnswer.parse(JSON.parse(stdout))
  }
  const remove = async (key: string) => {
    const active = actives.get(key)
    if (!active) return
    await actives.remove(key)
    await trash.discard(join(writable, active.name))
  }

  /** Without a lease of its own a committer has this long to write the record that refers to the new layer. */
  const grantGrace = (digest: Digest, holder: Lease) => {
    graces.get(digest)?.()
    const timer = setTimeout(() => graces.get(digest)?.(), graceMs).unref()
    graces.set(digest, () => {
      clearTimeout(timer)
      graces.delete(digest)
      holder.release()
    })
  }

  return {
    has: complete,
    referred: (digest) => graces.get(digest)?.(),
    hasLayer: (diffId) => layers.has(diffId),
    async unpack({ parent, chainId, diffId, blobPath }, { signal }) {
      if (complete(chainId)) return
      checkPlace(chainId, parent, diffId)
      await applyFile(diffId, blobPath, signal)
      await link(chainId, parent, diffId)
    },
    unpackStream: (diffId, source, { signal }) => layers.apply(diffId, source, signal),
    async prepare(key, parent, { idmap, init = false } = {}) {
      if (actives.has(key)) throw new EngineError('already_exists', `snapshot ${key} exists already`)
      // Until the record says that the parent is needed, a lease does.
      const lease = content.lease()
      for (let at = parent; at !== null; at = chainOf(at).parent) lease.hold(at)
      const lower = lowerOf(parent)
      const name = freshName()
      const directory = join(writable, name)
      try {
        if (init) await initLayers.ensure(parent, lower)
        await mkdir(directory, { mode: 0o711 })
        await mkdir(join(directory, 'w'), { mode: 0o700 })
        await mkdir(join(directory, 'u'))
        await copyRootAttributes(lower[0], join(directory, 'u'), idmap)
        if (idmap) await chown(join(directory, 'w'), idmap.uid, idmap.gid)
        await actives.put(key, { key, parent, name, init, ...(idmap ? { idmap } : {}) })
      } catch (error) {
        await trash.discard(directory)
        throw diskError(error, directory)
      } finally {
        lease.release()
      }
      return needActive(key)
    },
    active: (key) => (actives.has(key) ? needActive(key) : null),
    mounts(key, target) {
      const active = needActive(key)
      return [overlay(target, active.lower, [`upperdir=${active.upper}`, `workdir=${active.work}`])]
    },
    // Overlay wants two lower directories when there is no upper one, and a bind mount would show whiteouts as devices.
    view: (chainId, target) => [overlay(target, [...lowerOf(chainId), empty], ['ro'])],
    async commit(key, { compress, consume, lease, signal }) {
      const active = needActive(key)
      const draft = await content.draft()
      try {
        const file = await open(draft.path, 'wx', 0o600)
        const args = ['diff', ...layerArguments(active), '--compress', compress]
        const { answer } = await runProgram(program, args, { stdout: { fd: file.fd }, answerFd: true, signal }).finally(() => file.close())
        const diff = diffAnswer.parse(JSON.parse(answer))
        const chainId = active.parent === null ? diff.diffId : digestOf(`${active.parent} ${diff.diffId}`)
        const holder = lease ?? content.lease()
        for (const id of [diff.digest, diff.diffId, chainId]) holder.hold(id)
        if (!lease) grantGrace(diff.digest, holder)
        const takeUpper = consume && !actives.get(key)?.idmap && !layers.has(diff.diffId)
        const blob = takeUpper ? await draft.commit(diff.digest) : await commitAndUnpack(draft, diff, signal)
        if (takeUpper) await layers.adopt(diff.diffId, active.upper, (await usage(key)).sizeBytes)
        await link(chainId, active.parent, diff.diffId)
        if (consume) await remove(key)
        return { ...blob, diffId: diff.diffId, chainId, mediaType: layerTypes[compress] }
      } catch (error) {
        await draft.discard()
        throw error
      }
    },
    isBelowActive(chainId) {
      return actives.values().some((active) => {
        for (let at = active.parent; at !== null; at = chains.get(hexOf(at))?.parent ?? null) if (at === chainId) return true
        return false
      })
    },
    async changes(key) {
      const active = needActive(key)
      const { stdout } = await runProgram(program, ['changes', ...layerArguments(active)])
      return stdout.split('\n').flatMap((line) => (line ? [change.parse(JSON.parse(line))] : []))
    },
    usage,
    layerBytes: (chainId) => layers.sizeBytes(chains.get(hexOf(chainId))?.diffId ?? chainId),
    remove,
    async sweep(keep) {
      const kept = new Set<Digest>()
      const keepChain = (chainId: Digest | null) => {
        for (let at = chainId; at !== null && !kept.has(at); at = chains.get(hexOf(at))?.parent ?? null) kept.add(at)
      }
      for (const chainId of keep) keepChain(chainId)
      for (const active of actives.values()) keepChain(active.parent)
      for (const { chainId } of chains.values()) if (content.isHeld(chainId)) keepChain(chainId)
      // Checked, and out of memory, without a pause in between: whoever holds it a moment later finds it absent and makes it anew behind us.
      for (const { chainId } of chains.values()) {
        if (kept.has(chainId) || content.isHeld(chainId)) continue
        chains.forget(hexOf(chainId))
        await chains.remove(hexOf(chainId))
      }
      await initLayers.sweep(new Set(chains.values().map(({ chainId }) => chainId)))
      let freed = 0
      for (const diffId of layers.diffIds()) {
        if (content.isHeld(diffId) || chains.values().some((chain) => chain.diffId === diffId)) continue
        freed += layers.sizeBytes(diffId)
        await layers.remove(diffId)
      }
      return freed
    },
    totalBytes: () => layers.totalBytes(),
    async close() {
      await layers.close()
      await trash.emptied()
    },
  }
}

/** The upper directory is the container's `/`: it takes mode and owner from the layer below, shifted into the container's user range. */
async function copyRootAttributes(
  top: string | undefined,
  upper: string,
  idmap?: { uid: number; gid: number; size: number },
): Promise<void> {
  const { mode, uid, gid } = top ? await stat(top) : { mode: 0o755, uid: 0, gid: 0 }
  await chown(upper, shift(uid, idmap?.uid, idmap?.size), shift(gid, idmap?.gid, idmap?.size))
  await chmod(upper, mode & 0o7777)
}

function shift(id: number, base = 0, size = Number.POSITIVE_INFINITY): number {
  return id < size ? base + id : base
}

/** Redirects and metadata-only copies are off: layers are read and written by archive, which knows neither. */
function overlay(target: string, lower: string[], options: string[]): MountSpec {
  return {
    type: 'overlay',
    source: 'overlay',
    target,
    options: [`lowerdir=${lower.join(':')}`, ...options, 'redirect_dir=off', 'metacopy=off', 'index=off'],
  }
}
