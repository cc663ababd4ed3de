import type { BuildOptions } from '@berth/contract/build'
import type { RegistryAuth } from '@berth/contract/registry'
import type { OperationContext } from '../operations/operations.ts'

export interface Builder {
  /** Context: a tar (plain or compressed), or a lone Dockerfile. Progress lines carry Docker's classic words in `text`, image ids in `aux`. @throws invalid_argument (names file and line), failed_precondition `The command '/bin/sh -c …' returned a non-zero code: N` */
  build(
    context: NodeJS.ReadableStream,
    options: BuildOptions,
    registryAuth: Record<string, RegistryAuth>,
    operation: OperationContext,
    /** hostAccess false: a step that asks for the host's network, security options and a cgroup of the caller's choice are refused (host's policy). */
    allowed?: { hostAccess: boolean },
  ): Promise<{ id: string }>
  cacheUsage(): Promise<
    {
      id: string
      description: string
      sizeBytes: number
      inUse: boolean
      shared: boolean
      createdAt: string
      lastUsedAt: string | null
      usageCount: number
    }[]
  >
  pruneCache(options: {
    all: boolean
    until?: string
    keepBytes?: number
    dryRun: boolean
  }): Promise<{ removed: string[]; reclaimedBytes: number }>
}
