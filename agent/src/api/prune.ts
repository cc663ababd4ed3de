import type { SystemPruneInput, SystemPruneResult } from '@berth/contract/system'
import type { ApiContext } from './context.ts'

/** `system.prune`: the nouns that were asked for, containers first because they hold on to the others. With dryRun nothing is removed. */
export async function pruneSystem({ engine }: ApiContext, input: SystemPruneInput): Promise<SystemPruneResult> {
  const common = { until: input.until, labels: input.labels, notLabels: input.notLabels, dryRun: input.dryRun }
  const containers = input.containers ? await engine.containers.prune(common) : null
  const networks = input.networks ? await engine.networks.prune(common) : null
  const volumes = input.volumes
    ? await engine.volumes.prune({ all: input.volumes === 'all', labels: input.labels, notLabels: input.notLabels, dryRun: input.dryRun })
    : null
  const images = input.images ? await engine.images.prune({ ...common, dangling: input.images === 'dangling' }) : null
  const buildCache = input.buildCache ? await engine.builder.pruneCache({ all: false, until: input.until, dryRun: input.dryRun }) : null
  const reclaimed = [containers, networks, volumes, images, buildCache].reduce((sum, part) => sum + (part?.reclaimedBytes ?? 0), 0)
  return { containers, networks, volumes, images, buildCache, reclaimedBytes: reclaimed, dryRun: input.dryRun }
}
