import type { ImageConfig, ImageDetail, ImageHistoryEntry, ImageSummary, Platform, PruneResult, RemovedImage } from '@berth/contract/image'
import type { RegistryAuth } from '@berth/contract/registry'
import type { OperationContext } from '../operations/operations.ts'

/** What a container needs of an image. */
export interface ResolvedImage {
  id: string
  /** The reference as it resolved (`redis:7`), or '' for one found by id. */
  reference: string
  config: ImageConfig
  platform: Platform
  /** Chain id of the top layer; null for an image without layers. */
  chainId: string | null
}

export interface NewImage {
  /** Parent image id or null. */
  parent: string | null
  config: ImageConfig
  platform: Platform
  /** Layers on top of the parent's, lowest first; empty for a metadata-only step. */
  layers: { digest: string; sizeBytes: number; diffId: string; mediaType: string }[]
  history: { createdBy: string; comment?: string; author?: string; emptyLayer: boolean; createdAt?: string }[]
  author?: string
  comment?: string
  /** Command of the container that it was made of. */
  madeBy?: string[]
}

export interface Images {
  /** By `name[:tag][@digest]`, id or unambiguous id prefix. @throws not_found `No such image: X` , invalid_argument */
  resolve(reference: string): ResolvedImage
  /** The image and every image of this host that was made from it. */
  descendants(id: string): ReadonlySet<string>
  list(options: { all?: boolean; filters?: Record<string, string[]>; withUnique?: boolean }): Promise<ImageSummary[]>
  inspect(reference: string): Promise<ImageDetail>
  history(reference: string): Promise<ImageHistoryEntry[]>
  /** Runs inside an operation; see commands.md's row for `pull`. Returns the image and whether anything new came ("Image is up to date" / "Downloaded newer image"). */
  pull(
    input: { reference: string; platform?: string; allTags?: boolean; auth?: RegistryAuth },
    context: OperationContext,
  ): Promise<{ id: string; reference: string; digest: string; changed: boolean }>
  push(
    input: { reference: string; allTags?: boolean; auth?: RegistryAuth },
    context: OperationContext,
  ): Promise<{ digest: string; sizeBytes: number }>
  tag(source: string, target: string): Promise<void>
  /** @throws failed_precondition with Docker's sentence when a container uses it */
  remove(reference: string, options: { force: boolean; prune: boolean }): Promise<RemovedImage[]>
  /** `docker save`: Docker's manifest.json and a valid OCI layout in one archive. */
  save(references: string[], signal?: AbortSignal): Promise<NodeJS.ReadableStream>
  /**
   * `docker load`: Docker or OCI archives, compressed or not.
   * @param platform what is taken of images for several, and what every other must be for; this machine's and no condition where it is left out
   * @throws not_found `requested platform (linux/arm64) not found: …`
   */
  load(archive: NodeJS.ReadableStream, context: OperationContext, platform?: Platform): Promise<{ references: string[]; ids: string[] }>
  /** `docker import`: a root file system archive. */
  import(
    archive: NodeJS.ReadableStream,
    options: { reference: string; message: string; changes: string[]; platform?: string },
    context: OperationContext,
  ): Promise<{ id: string }>
  /** Writes config and manifest, gives it an id; `reference` '' = untagged. For commit and build. */
  create(image: NewImage, reference: string): Promise<{ id: string }>
  prune(options: { dangling: boolean; until?: string; labels: string[]; notLabels: string[]; dryRun: boolean }): Promise<PruneResult>
  /** Docker Hub's search, or the catalog where the registry is another. */
  search(term: string, limit: number): Promise<{ name: string; description: string; stars: number; official: boolean }[]>
  /** For `GET /distribution/{name}/json`. */
  remoteDescriptor(
    reference: string,
    auth?: RegistryAuth,
  ): Promise<{ mediaType: string; digest: string; sizeBytes: number; platforms: Platform[] }>
  /** Who uses which image; given by containers/ when the engine is wired. */
  setUsers(users: () => Iterable<{ imageId: string; containerId: string; running: boolean }>): void
}
