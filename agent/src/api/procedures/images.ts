import { commitInput } from '@berth/contract/container'
import { imageName, pruneImagesInput, pullInput, pushInput, removeImageInput, searchInput, tagInput } from '@berth/contract/image'
import * as z from 'zod'
import { begin } from '../begin.ts'
import { procedure, router } from '../procedure.ts'

export const imagesRouter = router({
  list: procedure
    .input(
      z
        .object({
          all: z.boolean().default(false),
          filters: z.record(z.string(), z.array(z.string())).default({}),
          withUnique: z.boolean().default(false),
        })
        .prefault({}),
    )
    .query(({ ctx, input }) => ctx.engine.images.list(input)),
  inspect: procedure.input(imageName).query(({ ctx, input }) => ctx.engine.images.inspect(input.image)),
  history: procedure.input(imageName).query(({ ctx, input }) => ctx.engine.images.history(input.image)),
  /** Answers the operation at once; its result is { id, reference, digest, changed }. */
  pull: procedure
    .input(pullInput)
    .mutation(({ ctx, input }) => begin(ctx, 'pull', input.reference, (operation) => ctx.engine.images.pull(input, operation))),
  push: procedure
    .input(pushInput)
    .mutation(({ ctx, input }) => begin(ctx, 'push', input.reference, (operation) => ctx.engine.images.push(input, operation))),
  tag: procedure.input(tagInput).mutation(({ ctx, input }) => ctx.engine.images.tag(input.source, input.target)),
  remove: procedure
    .input(removeImageInput)
    .mutation(({ ctx, input }) => ctx.engine.images.remove(input.image, { force: input.force, prune: input.prune })),
  prune: procedure.input(pruneImagesInput).mutation(({ ctx, input }) => ctx.engine.images.prune(input)),
  search: procedure.input(searchInput).query(({ ctx, input }) => ctx.engine.images.search(input.term, input.limit)),
  /** Operation whose result is { id }. */
  commit: procedure
    .input(commitInput)
    .mutation(({ ctx, input: { container, ...options } }) =>
      begin(ctx, 'commit', container, (operation) => ctx.engine.containers.commit(container, options, operation.signal)),
    ),
})
