import { invitationsRouter, meRouter, peopleRouter, sessionRouter, sessionsRouter, setupRouter, tokensRouter } from './account-routers.ts'
import { auditRouter } from './audit-router.ts'
import { fleetRouter, hostsRouter } from './host-routers.ts'
import { router } from './procedure.ts'

/** The dashboard's own questions: `/api/trpc`. Browsers import its type alone. */
export const dashboardRouter = router({
  setup: setupRouter,
  session: sessionRouter,
  me: meRouter,
  sessions: sessionsRouter,
  tokens: tokensRouter,
  people: peopleRouter,
  invitations: invitationsRouter,
  hosts: hostsRouter,
  fleet: fleetRouter,
  audit: auditRouter,
})
export type DashboardRouter = typeof dashboardRouter
