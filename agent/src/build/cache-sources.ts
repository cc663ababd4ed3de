/**
 * `--cache-from`: images whose steps may stand in for steps of a build, wherever they were built. As in the classic builder they are told by their
 * history: a step is known if an image goes on from the same steps with the same command.
 */
import type { ImageDetail, ImageHistoryEntry } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import type { Images, NewImage } from '../images/images.ts'

interface Source {
  id: string
  /** Oldest first. */
  steps: ImageHistoryEntry[]
  layers: ImageDetail['layers']
}

/** What a source has at a step: the source itself if that was its last, else what it takes to make the image of that step. */
export type KnownStep = { imageId: string } | { layer: NewImage['layers'][number] | null; createdAt: string | null }

export class CacheSources {
  private constructor(
    private readonly images: Images,
    private readonly sources: Source[],
    /** The sources and what they were made from, as far as this host knows. */
    private readonly family: ReadonlySet<string>,
  ) {}

  /** Images that are not here are passed over. */
  static async open(images: Images, references: readonly string[]): Promise<CacheSources> {
    const sources: Source[] = []
    const family = new Set<string>()
    for (const reference of references) {
      const source = await sourceOf(images, reference)
      if (source) sources.push(source)
      for (let at: string | null = source?.id ?? null; at !== null && !family.has(at); at = await parentOf(images, at)) family.add(at)
    }
    return new CacheSources(images, sources, family)
  }

  /** Whether a result of this host's own cache is a step of one of the sources. */
  holds(imageId: string): boolean {
    return this.family.has(imageId)
  }

  /** @param parent image before the step; null in front of the first */
  async find(parent: string | null, command: string): Promise<KnownStep | null> {
    const before = parent === null ? null : await sourceOf(this.images, parent)
    const source = this.sources.find((one) => goesOnFrom(one, before) && one.steps[before?.steps.length ?? 0]?.createdBy === command)
    if (!source) return null
    const at = before?.steps.length ?? 0
    if (at === source.steps.length - 1) return { imageId: source.id }
    const { emptyLayer, createdAt } = source.steps[at] as ImageHistoryEntry
    if (emptyLayer) return { layer: null, createdAt }
    const layer = source.layers[before?.layers.length ?? 0]
    // Without its blob a layer cannot be part of another image.
    if (!layer?.digest || !layer.mediaType) return null
    return { layer: { ...layer, digest: layer.digest, mediaType: layer.mediaType }, createdAt }
  }
}

/** Same steps, same files: what a command does depends on both. */
function goesOnFrom(source: Source, before: Source | null): boolean {
  if (before === null) return true
  return (
    source.steps.length > before.steps.length &&
    before.steps.every((step, at) => step.createdBy === source.steps[at]?.createdBy && step.emptyLayer === source.steps[at]?.emptyLayer) &&
    before.layers.every(({ diffId }, at) => diffId === source.layers[at]?.diffId)
  )
}

async function sourceOf(images: Images, reference: string): Promise<Source | null> {
  try {
    const { id, layers } = await images.inspect(reference)
    return { id, layers, steps: (await images.history(reference)).toReversed() }
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not_found') return null
    throw error
  }
}

async function parentOf(images: Images, id: string): Promise<string | null> {
  const { parentId } = await images.inspect(id)
  return parentId !== null && (await sourceOf(images, parentId)) !== null ? parentId : null
}
