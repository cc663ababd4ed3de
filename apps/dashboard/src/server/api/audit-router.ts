import * as z from 'zod'
import { procedure, router } from './procedure.ts'

const time = z.iso.datetime({ offset: true })
export const auditFilter = z.object({
  person: z.string().max(64).optional(),
  host: z.string().max(64).optional(),
  /** The beginning of action names: `containers.` or `terminal.open`. */
  action: z.string().max(100).optional(),
  /** `ok`, `failed`, or an error code. */
  outcome: z.string().max(40).optional(),
  text: z.string().max(200).optional(),
  since: time.optional(),
  until: time.optional(),
})

export const auditRouter = router({
  /** Newest first; `nextCursor` null: that was the first line. */
  list: procedure
    .input(auditFilter.extend({ cursor: z.number().int().nullish(), limit: z.number().int().min(1).max(500).default(100) }).prefault({}))
    .query(({ ctx, input: { cursor, limit, ...filter } }) => ctx.rooms.audit.list(filter, cursor ?? null, limit)),
  verify: procedure.query(({ ctx }) => ctx.rooms.audit.verify()),
})
