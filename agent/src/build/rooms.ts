import type { BuildOptions } from '@berth/contract/build'
import type { Platform } from '@berth/contract/image'
import type { RegistryAuth } from '@berth/contract/registry'
import type { Containers } from '../containers/containers.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Images } from '../images/images.ts'
import type { Logger } from '../log.ts'
import type { OperationContext } from '../operations/operations.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import type { BuildCache } from './build-cache.ts'
import type { BuildContext } from './build-context.ts'
import type { CacheSources } from './cache-sources.ts'
import type { StagePlan } from './stage-plan.ts'

/** What the room builds with. */
export interface BuildRooms {
  /** Directory of this room below the data root. */
  directory: string
  unpack: string
  images: Images
  containers: Containers
  snapshots: Snapshots
  content: Pick<ContentStore, 'lease'>
  cache: BuildCache
  log?: Logger
}

/** One build under way. */
export interface Build extends BuildRooms {
  options: BuildOptions
  registryAuth: Record<string, RegistryAuth>
  operation: OperationContext
  /** What the host's policy lets whoever asked do. */
  allowed: { hostAccess: boolean }
  context: BuildContext
  plan: StagePlan
  /** Scratch directory of this build alone, removed at its end. */
  work: string
  platformArgs: Record<string, string>
  platform: Platform
  totalSteps: number
  /** Where `--cache-from` says that steps may come from; null: this host's own cache alone. */
  sources: CacheSources | null
  /** Result of a stage, whenever it is ready. */
  stageResult(index: number): Promise<StageResult>
  /** An image by reference, pulled if it is not here (or always, if the build was told so). */
  resolveImage(reference: string, platform: string): Promise<StageResult>
  unique(): string
}

/** What a stage has become: an image, or nothing yet (`FROM scratch`). */
export interface StageResult {
  imageId: string | null
  chainId: string | null
}
