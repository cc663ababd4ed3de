import * as z from 'zod'

/** What happened, in the past; the Docker Engine API's type/action words so that both doors tell the same story. */
export const eventTypes = ['container', 'image', 'volume', 'network', 'daemon', 'builder', 'operation'] as const
export const engineEvent = z.object({
  /** Grows by one for each event of this agent's life. */
  sequence: z.number().int(),
  /** Changes when the agent's ring is lost (restart): a resume with another epoch gets `reset`. */
  epoch: z.string(),
  at: z.string(),
  timeNano: z.string(),
  type: z.enum(eventTypes),
  /** create start die stop kill oom pause unpause rename destroy update attach detach exec_create: CMD exec_start exec_die health_status: X resize copy pull push tag untag delete … */
  action: z.string(),
  actorId: z.string(),
  attributes: z.record(z.string(), z.string()),
})
export type EngineEvent = z.infer<typeof engineEvent>
export const eventCursor = z.object({ epoch: z.string(), sequence: z.number().int() })
export type EventCursor = z.infer<typeof eventCursor>
export const eventFilter = z.object({
  since: z.string().optional(),
  until: z.string().optional(),
  types: z.array(z.enum(eventTypes)).optional(),
  limit: z.number().int().min(1).max(5000).default(500),
})
