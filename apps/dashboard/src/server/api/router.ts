import { base, router } from './procedure.ts'

/** The dashboard's own questions: `/api/trpc`. Browsers import its type alone. */
export const dashboardRouter = router({
  setup: router({
    /** Whether the first account is still to be made. */
    state: base.query(async ({ ctx }) => ({ needed: await ctx.setupNeeded() })),
  }),
})
export type DashboardRouter = typeof dashboardRouter
