import { createCaller, router } from './procedure.ts'
import { containersRouter } from './procedures/containers.ts'
import { eventsRouter } from './procedures/events.ts'
import { execRouter } from './procedures/exec.ts'
import { filesRouter } from './procedures/files.ts'
import { imagesRouter } from './procedures/images.ts'
import { logsRouter } from './procedures/logs.ts'
import { networksRouter } from './procedures/networks.ts'
import { operationsRouter } from './procedures/operations.ts'
import { registriesRouter } from './procedures/registries.ts'
import { systemRouter } from './procedures/system.ts'
import { volumesRouter } from './procedures/volumes.ts'

/** Every question and command of the agent. The dashboard imports its type; procedures that take long answer an `Operation` and go on. */
export const agentRouter = router({
  system: systemRouter,
  images: imagesRouter,
  registries: registriesRouter,
  containers: containersRouter,
  logs: logsRouter,
  exec: execRouter,
  files: filesRouter,
  volumes: volumesRouter,
  networks: networksRouter,
  events: eventsRouter,
  operations: operationsRouter,
})
export type AgentRouter = typeof agentRouter
export const createAgentCaller = createCaller(agentRouter)
