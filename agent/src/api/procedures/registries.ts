import { referenceInput } from '@berth/contract/image'
import { catalogInput, registryLogin, registryName, repositoryName } from '@berth/contract/registry'
import { procedure, router } from '../procedure.ts'

export const registriesRouter = router({
  list: procedure.query(({ ctx }) => ctx.engine.registries.list()),
  login: procedure.input(registryLogin).mutation(async ({ ctx, input }) => {
    const { status } = await ctx.engine.registries.login(
      { serverAddress: input.server, username: input.username, password: input.password },
      { store: true },
    )
    return { status }
  }),
  logout: procedure.input(registryName).mutation(({ ctx, input }) => ctx.engine.registries.logout(input.server)),
  test: procedure.input(registryName).mutation(({ ctx, input }) => ctx.engine.registries.test(input.server)),
  catalog: procedure
    .input(catalogInput)
    .query(({ ctx, input }) => ctx.engine.registries.catalog(input.server, { last: input.last, limit: input.limit })),
  tags: procedure.input(repositoryName).query(({ ctx, input }) => ctx.engine.registries.tags(input.repository)),
  deleteTag: procedure.input(referenceInput).mutation(({ ctx, input }) => ctx.engine.registries.deleteTag(input.reference)),
})
