import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

/**
 * Structured logs as JSON lines on stdout. Secrets never get here: fields named like one are removed before writing.
 * @param level pino's level names; `silent` in unit tests.
 */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['password', 'token', 'authorization', 'auth', '*.password', '*.token', '*.authorization', '*.auth'], remove: true },
  })
}
