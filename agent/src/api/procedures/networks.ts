import {
  connectNetworkInput,
  createNetworkInput,
  disconnectNetworkInput,
  listNetworksInput,
  networkName,
  pruneNetworksInput,
} from '@berth/contract/network'
import { procedure, router } from '../procedure.ts'

export const networksRouter = router({
  list: procedure.input(listNetworksInput.prefault({})).query(({ ctx, input }) => ctx.engine.networks.list(input.filters)),
  inspect: procedure.input(networkName).query(({ ctx, input }) => ctx.engine.networks.inspect(input.network)),
  create: procedure.input(createNetworkInput).mutation(({ ctx, input }) => ctx.engine.networks.create(input)),
  remove: procedure.input(networkName).mutation(({ ctx, input }) => ctx.engine.networks.remove(input.network)),
  connect: procedure
    .input(connectNetworkInput)
    .mutation(({ ctx, input }) => ctx.engine.containers.connect(input.network, input.container, input.config)),
  disconnect: procedure
    .input(disconnectNetworkInput)
    .mutation(({ ctx, input }) => ctx.engine.containers.disconnect(input.network, input.container, input.force)),
  prune: procedure.input(pruneNetworksInput).mutation(({ ctx, input }) => ctx.engine.networks.prune(input)),
})
