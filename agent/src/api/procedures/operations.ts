import { operationId } from '@berth/contract/operation'
import { procedure, router } from '../procedure.ts'

export const operationsRouter = router({
  list: procedure.query(({ ctx }) => ctx.engine.operations.list()),
  inspect: procedure.input(operationId).query(({ ctx, input }) => ctx.engine.operations.inspect(input.operation)),
  cancel: procedure.input(operationId).mutation(({ ctx, input }) => ctx.engine.operations.cancel(input.operation)),
})
