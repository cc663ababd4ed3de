import {
  cloneVolumeInput,
  createVolumeInput,
  listVolumesInput,
  pruneVolumesInput,
  removeVolumeInput,
  volumeName,
} from '@berth/contract/volume'
import { begin } from '../begin.ts'
import { requireVolumeOptions } from '../policy.ts'
import { procedure, router } from '../procedure.ts'

export const volumesRouter = router({
  list: procedure.input(listVolumesInput.prefault({})).query(({ ctx, input }) => ctx.engine.volumes.list(input)),
  inspect: procedure.input(volumeName).query(({ ctx, input }) => ctx.engine.volumes.inspect(input.volume, { withSize: input.withSize })),
  create: procedure.input(createVolumeInput).mutation(({ ctx, input }) => {
    requireVolumeOptions(ctx.caller, input.options, ctx.engine.config.policy)
    return ctx.engine.volumes.create(input)
  }),
  remove: procedure.input(removeVolumeInput).mutation(({ ctx, input }) => ctx.engine.volumes.remove(input.volume, { force: input.force })),
  prune: procedure.input(pruneVolumesInput).mutation(({ ctx, input }) => ctx.engine.volumes.prune(input)),
  /** Operation whose result is the new volume. */
  clone: procedure
    .input(cloneVolumeInput)
    .mutation(({ ctx, input }) =>
      begin(ctx, 'clone', `${input.source} to ${input.target}`, (operation) =>
        ctx.engine.volumes.clone(input.source, input.target, operation.signal),
      ),
    ),
})
