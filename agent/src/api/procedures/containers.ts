import {
  containerName,
  createContainerInput,
  inspectContainerInput,
  killInput,
  listContainersInput,
  pruneContainersInput,
  recreateInput,
  removeContainerInput,
  renameInput,
  stopInput,
  topInput,
  updateContainerInput,
} from '@berth/contract/container'
import { begin } from '../begin.ts'
import { createContainer } from '../create-container.ts'
import { requireAllowedContainer } from '../policy.ts'
import { procedure, router } from '../procedure.ts'
import { recreateContainer } from '../recreate.ts'

export const containersRouter = router({
  list: procedure.input(listContainersInput.prefault({})).query(({ ctx, input }) => ctx.engine.containers.list(input)),
  inspect: procedure
    .input(inspectContainerInput)
    .query(({ ctx, input }) => ctx.engine.containers.inspect(input.container, { size: input.size })),
  /** Pulls first if `pull` says so; that pull is an operation of its own in the activity list. */
  create: procedure.input(createContainerInput).mutation(({ ctx, input }) => createContainer(ctx, input)),
  /** `started: false`: it was running already. */
  start: procedure
    .input(containerName)
    .mutation(async ({ ctx, input }) => ({ started: await ctx.engine.containers.start(input.container) })),
  stop: procedure.input(stopInput).mutation(async ({ ctx, input: { container, ...options } }) => ({
    stopped: await ctx.engine.containers.stop(container, options),
  })),
  kill: procedure.input(killInput).mutation(({ ctx, input }) => ctx.engine.containers.kill(input.container, input.signal)),
  restart: procedure
    .input(stopInput)
    .mutation(({ ctx, input: { container, ...options } }) => ctx.engine.containers.restart(container, options)),
  pause: procedure.input(containerName).mutation(({ ctx, input }) => ctx.engine.containers.pause(input.container)),
  unpause: procedure.input(containerName).mutation(({ ctx, input }) => ctx.engine.containers.unpause(input.container)),
  rename: procedure.input(renameInput).mutation(({ ctx, input }) => ctx.engine.containers.rename(input.container, input.name)),
  remove: procedure
    .input(removeContainerInput)
    .mutation(({ ctx, input }) => ctx.engine.containers.remove(input.container, { force: input.force, volumes: input.volumes })),
  update: procedure
    .input(updateContainerInput)
    .mutation(({ ctx, input: { container, ...change } }) => ctx.engine.containers.update(container, change)),
  /** A new container with changed options takes the old one's name and place; the old one comes back if that fails. Operation with result { id }. */
  recreate: procedure.input(recreateInput).mutation(async ({ ctx, input }) => {
    await requireAllowedContainer(ctx, input.options)
    return begin(ctx, 'recreate', input.container, (operation) => recreateContainer(ctx, input, operation))
  }),
  top: procedure.input(topInput).query(({ ctx, input }) => ctx.engine.containers.top(input.container, input.psArgs)),
  changes: procedure.input(containerName).query(({ ctx, input }) => ctx.engine.containers.changes(input.container)),
  prune: procedure.input(pruneContainersInput).mutation(({ ctx, input }) => ctx.engine.containers.prune(input)),
  /** The last hour. */
  statsHistory: procedure
    .input(containerName)
    .query(({ ctx, input }) => ctx.engine.stats.history(ctx.engine.containers.resolveId(input.container))),
})
