import { logQuery } from '@berth/contract/log'
import { procedure, router } from '../procedure.ts'

export const logsRouter = router({
  /** A page of records, forwards or backwards, or the matches of a search. */
  read: procedure
    .input(logQuery)
    .query(({ ctx, input }) => ctx.engine.logs.read({ ...input, container: ctx.engine.containers.resolveId(input.container) })),
})
