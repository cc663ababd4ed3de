import { eventFilter } from '@berth/contract/event'
import { procedure, router } from '../procedure.ts'

export const eventsRouter = router({
  /** Past events, oldest first, and the cursor from which `events.open` goes on without a gap. */
  list: procedure.input(eventFilter.prefault({})).query(({ ctx, input: { types, ...filter } }) => {
    const cursor = ctx.engine.events.cursor()
    const events = ctx.engine.events.query(filter)
    return { cursor, events: types ? events.filter((event) => types.includes(event.type)) : events }
  }),
})
