import type { EngineEvent, EventCursor } from '@berth/contract/event'

/** What a room says happened; the bus adds sequence, epoch and time. */
export type NewEvent = Pick<EngineEvent, 'type' | 'action' | 'actorId'> & { attributes?: Record<string, string> }

/** The typed bus with a bounded ring (at least 4,096 events, and the last 1,000 survive a restart on disk). Publishing never throws and never waits. */
export interface Events {
  publish(event: NewEvent): EngineEvent
  /** Calls `listener` for each later event, after first replaying those behind `cursor`. Returns a function that leaves. `reset` is called instead of a replay when the cursor is too old. */
  subscribe(listener: (event: EngineEvent) => void, from?: { cursor: EventCursor; reset: () => void }): () => void
  cursor(): EventCursor
  /** Past events, oldest first. Times are RFC 3339 or seconds since 1970 with a fraction. */
  query(filter: { since?: string; until?: string; limit?: number }): EngineEvent[]
}
