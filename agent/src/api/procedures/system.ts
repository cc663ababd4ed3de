import { systemPruneInput } from '@berth/contract/system'
import { procedure, router } from '../procedure.ts'
import { pruneSystem } from '../prune.ts'

export const systemRouter = router({
  info: procedure.query(({ ctx }) => ctx.engine.system.info()),
  diskUsage: procedure.query(({ ctx }) => ctx.engine.system.diskUsage()),
  /** The last hour of the machine itself. */
  history: procedure.query(({ ctx }) => ctx.engine.stats.hostHistory()),
  /** What was (or, with dryRun, would be) removed of each noun; nouns that were not asked for are null. */
  prune: procedure.input(systemPruneInput).mutation(({ ctx, input }) => pruneSystem(ctx, input)),
})
