import { containerName } from '@berth/contract/container'
import { createExecInput, execId, killExecInput, listExecsInput } from '@berth/contract/exec'
import { EngineError } from '../../errors.ts'
import { requireUnprivileged } from '../policy.ts'
import { procedure, router } from '../procedure.ts'

export const execRouter = router({
  /** Made, not begun: `terminal.open` with its id begins it, or exec.start (detached). */
  create: procedure.input(createExecInput).mutation(async ({ ctx, input }) => {
    if (input.options.privileged && ctx.caller.via === 'claim' && ctx.engine.config.policy.noPrivileged)
      throw new EngineError('permission_denied', "this host's policy allows no privileged exec (agent.json, policy.noPrivileged)")
    await requireUnprivileged(ctx, input.container)
    return ctx.engine.containers.createExec(input.container, input.options)
  }),
  start: procedure.input(execId).mutation(async ({ ctx, input }) => {
    await ctx.engine.containers.startExec(input.exec)
  }),
  inspect: procedure.input(execId).query(({ ctx, input }) => ctx.engine.containers.inspectExec(input.exec)),
  list: procedure.input(listExecsInput).query(({ ctx, input }) => ctx.engine.containers.listExecs(input.container)),
  kill: procedure.input(killExecInput).mutation(({ ctx, input }) => ctx.engine.containers.killExec(input.exec, input.signal)),
  /** Shells that the image has, best first. */
  shells: procedure.input(containerName).query(({ ctx, input }) => ctx.engine.containers.shells(input.container)),
})
