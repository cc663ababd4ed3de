import * as z from 'zod'

export const logStream = z.enum(['stdout', 'stderr'])
/** One line (or one part of a line, `partial`). `offset` is the logical byte position of the record, `next` of the one after: both are for ever. */
export const logRecord = z.object({
  offset: z.number().int(),
  next: z.number().int(),
  at: z.string(),
  stream: logStream,
  partial: z.boolean(),
  /** The line without its newline, UTF-8 with U+FFFD for broken bytes. The Engine API reads bytes, not this. */
  text: z.string(),
})
export type LogRecord = z.infer<typeof logRecord>

export const logQuery = z.object({
  container: z.string(),
  stdout: z.boolean().default(true),
  stderr: z.boolean().default(true),
  /** Number of lines from the end; null = from the beginning (or `since`, `fromOffset`). */
  tail: z.number().int().min(0).nullable().default(null),
  since: z.string().optional(),
  until: z.string().optional(),
  /** Resume at this logical offset. */
  fromOffset: z.number().int().min(0).optional(),
  /** Read backwards from this offset (exclusive): for filling in by scrolling up. `limit` lines, given in ascending order. */
  beforeOffset: z.number().int().min(0).optional(),
  limit: z.number().int().min(1).max(10000).default(1000),
  search: z
    .object({
      text: z.string().max(1000),
      regex: z.boolean().default(false),
      invert: z.boolean().default(false),
      ignoreCase: z.boolean().default(true),
    })
    .optional(),
})
export type LogQuery = z.infer<typeof logQuery>

export const logPage = z.object({
  records: z.array(logRecord),
  /** First offset that still exists, and the end of what has been written. */
  startOffset: z.number().int(),
  endOffset: z.number().int(),
  /** Where to go on in the direction that was asked for; null = nothing further there. */
  nextOffset: z.number().int().nullable(),
  /** Lines that were looked at and did not match (search). */
  scanned: z.number().int(),
})
export type LogPage = z.infer<typeof logPage>
