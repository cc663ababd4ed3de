import pino from 'pino'

/** Lines of JSON on stdout. Secrets are never given to it; the list below is the second net. */
export function createLog(level: string): Log {
  return pino({
    level,
    base: { service: 'dashboard' },
    redact: {
      paths: ['password', 'token', 'secret', 'cookie', 'authorization', '*.password', '*.token', '*.secret', '*.cookie', '*.authorization'],
      censor: '…',
    },
  })
}

/** A room says what it needs of the log; a child carries the room's name. */
export type Log = pino.Logger
